import type { Verdict } from '../types.ts';

/** False alarms over a whole rollout, all metrics together (analysis.md). */
export const ALPHA_DEGRADED = 0.01;
/**
 * The candidate, beside stable, wrongly called worse than the limit the policy tolerates: what is surely worse (ALPHA_DEGRADED) has to
 * be beyond the limit in all likelihood, too. Measured, one that is exactly at the limit is called degraded in 2 % of two-hour runs;
 * with .01 here 2 % -> 4 % errors took twice the time to find (docs/decisions.md).
 */
export const ALPHA_LIMIT = 0.15;
/** A metric wrongly called healthy. */
export const ALPHA_HEALTHY = 0.05;
export const LN_DEGRADED = -Math.log(ALPHA_DEGRADED);
export const LN_LIMIT = -Math.log(ALPHA_LIMIT);
export const LN_HEALTHY = -Math.log(ALPHA_HEALTHY);
/** From this evidence on a metric looks worse, though nothing is proven (E >= 10). */
export const LN_WARNING = Math.log(10);

export interface Change {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  /** Where it is not the estimate of the windows the readings are of. */
  readonly over?: 'lately' | 'overall';
}

/** What one test of one metric says: one arm (the suspect) against another (the reference). */
export interface Outcome {
  readonly verdict: Verdict;
  /** Natural logs of the evidence for "worse than the limit" and for "well". 0: none. */
  readonly lnWorse: number;
  readonly lnOk: number;
  /** ln of the evidence for "better than what it is held against". Absent: it cannot be better. */
  readonly lnBetter?: () => number;
  readonly limit: number;
  /** Costs as much as everything else together: asked for only where it is shown. */
  readonly change: () => Change | null;
  /** What else the sentence needs to know. */
  readonly note: Note;
  /** Why there is no data; null where there is. */
  readonly missing: string | null;
  /** What people should look at although it proves nothing: "its distribution has shifted (PSI 0.31)". Null: nothing. */
  readonly warning: string | null;
}

export interface Note {
  /** Latency: the bucket bound the numbers are about, and the share of requests slower than it. */
  readonly tail: { readonly bound: number; readonly suspect: number; readonly reference: number } | null;
  /** The absolute tolerance is the wider one: the limit is better said as a difference. */
  readonly byDifference: boolean;
  /** Good ones were counted, being the fewer: the change is how many times fewer of them the suspect has. Absent: false. */
  readonly ofGood?: boolean;
  /** What the kinds that are no comparison of two readings found. */
  readonly found?: Found;
}

export type Found =
  /** Values counted in each arm, and the PSI between them with the one from which it alerts. */
  | {
      readonly kind: 'drift';
      readonly psi: number;
      readonly alert: number;
      readonly suspect: number;
      readonly reference: number;
    }
  /** A drift score as it was last. */
  | { readonly kind: 'score'; readonly value: number }
  /** The candidate's share of the requests counted, and the one configured; null: too few were counted. */
  | { readonly kind: 'split'; readonly seen: number | null; readonly configured: number; readonly requests: number };

export const NO_NOTE: Note = { tail: null, byDifference: false };

export function noData(missing: string): Outcome {
  return {
    verdict: 'no-data',
    lnWorse: 0,
    lnOk: 0,
    limit: 0,
    change: () => null,
    note: NO_NOTE,
    missing,
    warning: null,
  };
}

/**
 * One evidence from two: that it is worse at all, and that it is worse than is tolerated, of which less is asked. At most the first,
 * so what is promised of false alarms holds; it reaches 1/ALPHA_DEGRADED where the second reaches 1/ALPHA_LIMIT.
 */
export function worseBeyondLimit(lnWorseAtAll: number, lnBeyondLimit: number): number {
  return Math.min(lnWorseAtAll, (lnBeyondLimit * LN_DEGRADED) / LN_LIMIT);
}

/** What is needed of a metric's evidence to name it alone: its share of alpha. Without weight it stands alone, unheard. */
export function lnNeededAlone(weight: number): number {
  return weight > 0 ? LN_DEGRADED - Math.log(Math.min(1, weight)) : LN_DEGRADED;
}

export function verdictOf(facts: {
  readonly lnWorse: number;
  readonly lnOk: number;
  readonly weight: number;
  readonly enoughWindows: boolean;
  readonly mayBeHealthy: boolean;
}): Verdict {
  // Where both hold, degraded wins.
  if (facts.enoughWindows && facts.lnWorse >= lnNeededAlone(facts.weight)) return 'degraded';
  return facts.mayBeHealthy && facts.lnOk >= LN_HEALTHY ? 'healthy' : 'inconclusive';
}
