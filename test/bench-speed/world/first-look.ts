import { compare } from '../../../src/analysis/compare.ts';
import type { Comparison, CountWindow, LookPeriod, Series } from '../../../src/analysis/types.ts';
import type { Policy } from '../../../src/domain/policy.ts';

/** What the bench's Prometheus shows: 100 requests a second in each arm, 1 % of them bad. */
const PER_SECOND = 100;
const BAD_PER_SECOND = 1;

/** What a look reads there, as the next one will find it again: the rollouts of the bench have been looked at before. */
export function firstLook({ metrics, comparison }: Policy, period: Omit<LookPeriod, 'toMs'>, toMs: number): Comparison {
  const { windowMs } = comparison;
  const counts = (offsetMs: number): Series => {
    const windows: CountWindow[] = [];
    const seconds = windowMs / 1000;
    for (let end = Math.ceil(period.fromMs / windowMs + 1) * windowMs; end <= toMs; end += windowMs)
      windows.push({ endMs: end - offsetMs, events: BAD_PER_SECOND * seconds, exposure: PER_SECOND * seconds });
    return { kind: 'counts', windows };
  };
  const samples = metrics.map(({ name }) => ({
    metric: name,
    stableNow: counts(0),
    stableBefore: counts(period.beforeOffsetMs),
    candidateNow: counts(0),
    missing: null,
  }));
  return compare({ metrics, settings: comparison, period: { ...period, toMs }, samples, hasCandidate: true });
}
