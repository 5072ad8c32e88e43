import { clamp, logSumExp } from '../evidence/numbers.ts';
import type { Verdict } from '../types.ts';
import { LN_DEGRADED, LN_HEALTHY } from './outcome.ts';

/** What one metric brings to the verdict over all. */
export interface Part {
  readonly verdict: Verdict;
  readonly weight: number;
  readonly lnWorse: number;
  readonly lnOk: number;
}

/**
 * The verdict over all metrics. Degraded: the weighted sum of the *current* evidence reaches 1/alpha (an average of the best
 * ever seen controls nothing); a metric's own bound (1/(alpha w)) is part of that. Healthy: every metric that counts.
 */
export function combine(parts: readonly Part[]): Verdict {
  const counting = parts.filter((p) => p.weight > 0);
  if (counting.length === 0) return 'no-data';
  const total = logSumExp(counting.map((p) => Math.log(p.weight) + (p.verdict === 'no-data' ? 0 : p.lnWorse)));
  if (total >= LN_DEGRADED || counting.some((p) => p.verdict === 'degraded')) return 'degraded';
  if (counting.some((p) => p.verdict === 'no-data')) return 'no-data';
  return counting.every((p) => p.verdict === 'healthy') ? 'healthy' : 'inconclusive';
}

/** Where all together are degraded and none by itself: those whose evidence would be enough if they were alone. There is one. */
export function isCulprit(part: Part, overall: Verdict): boolean {
  if (part.weight <= 0) return false;
  return (
    part.verdict === 'degraded' || (overall === 'degraded' && part.verdict !== 'no-data' && part.lnWorse >= LN_DEGRADED)
  );
}

/** 0..100, for display only. Null where nothing could be measured. */
export function scoreOf(parts: readonly Part[], critical: boolean): number | null {
  const known = parts.filter((p) => p.weight > 0 && p.verdict !== 'no-data');
  if (known.length === 0) return null;
  if (critical) return 0;
  const scale = (ln: number, full: number) => clamp(ln / full, 0, 1);
  let sum = 0;
  let weights = 0;
  for (const p of known) {
    sum += p.weight * 50 * (1 + scale(p.lnOk, LN_HEALTHY) - scale(p.lnWorse, LN_DEGRADED));
    weights += p.weight;
  }
  const score = Math.round(sum / weights);
  const allKnown = parts.every((p) => p.weight <= 0 || p.verdict !== 'no-data');
  return allKnown ? score : Math.min(49, score);
}
