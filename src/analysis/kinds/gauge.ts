import { movedOnly, pairValues, type ValuePair } from '../arms/windows.ts';
import { crossingFrom } from '../evidence/numbers.ts';
import { mixRestarts, restartIndices } from '../evidence/restarts.ts';
import type { Direction, LookPeriod, Tolerance, ValueWindow } from '../types.ts';
import {
  type Change,
  LN_DEGRADED,
  LN_HEALTHY,
  LN_LIMIT,
  NO_NOTE,
  noData,
  type Outcome,
  verdictOf,
  worseBeyondLimit,
} from '../verdict/outcome.ts';
import { FEWEST, type Level, levelOf, lnBeyond, memoryBefore, memoryOfDifferences, mixtureRadius } from './level.ts';
import type { Question } from './question.ts';

/** The test of gauges: differences in the bad direction, paired by time, against a margin, as an always-valid t test (level.ts). */

export interface GaugeQuestion {
  readonly pairs: readonly ValuePair[];
  /** Windows both arms have, held values counted too. */
  readonly pairedWindows: number;
  readonly direction: Direction;
  readonly tolerance: Tolerance;
  readonly period: LookPeriod;
  readonly weight: number;
  readonly minimumWindows: number;
  readonly mayBeHealthy: boolean;
  /** Both arms at the same time; against the past more is asked of the limit (see `worseBeyondLimit`). */
  readonly concurrent: boolean;
  /** Stable's past: how long its values are remembered, which is as long in the differences of two arms that each have their own. */
  readonly past: readonly ValueWindow[];
}

/** Pairs the two arms by time and tests their differences. */
export function testGaugeMetric(question: Question): Outcome {
  const { metric, suspect, reference, period, settings, mayBeHealthy } = question;
  if (suspect.kind !== 'values' || reference?.kind !== 'values') return noData('there is nothing to hold it against');
  const known = new Set(reference.windows.map((w) => w.endMs));
  return testGauge({
    pairs: pairValues(suspect.windows, reference.windows),
    pairedWindows: suspect.windows.filter((w) => known.has(w.endMs)).length,
    direction: metric.direction,
    tolerance: metric.tolerance,
    period,
    weight: metric.weight,
    minimumWindows: settings.minimumWindows,
    mayBeHealthy,
    concurrent: question.concurrent,
    past: question.past?.kind === 'values' ? question.past.windows : [],
  });
}

export function testGauge(question: GaugeQuestion): Outcome {
  const { pairs, period, tolerance } = question;
  const sign = question.direction === 'lower-is-better' ? 1 : -1;
  const worse = (list: readonly ValuePair[]) => list.map((p) => sign * (p.suspect - p.reference));
  const margin = marginOf(pairs, tolerance);
  const starts = restartIndices(
    pairs.map((p) => p.endMs),
    period.fromMs,
    period.toMs,
    period.restartsAtMs,
  );
  const all = worse(pairs);
  const usual = memoryBefore(movedOnly(question.past).map((w) => sign * w.value));
  const known = (values: readonly number[]) => levelOf(values, memoryOfDifferences(values, usual));
  const copies = starts.map((start) => known(all.slice(start)));
  const lnAbove = (limit: number) => mixRestarts(copies.map((copy) => lnBeyond(copy, (mean) => mean - limit)));
  const later = worse(pairs.filter((p) => p.endMs > period.healthyFromMs));
  const recent = known(later);
  const lnWorse = question.concurrent ? worseBeyondLimit(lnAbove(0), lnAbove(margin)) : lnAbove(margin);
  const lnOk = standsStill(question, all, margin) ? LN_HEALTHY : lnBeyond(recent, (mean) => margin - mean);
  const enoughWindows = pairs.length >= question.minimumWindows;
  return {
    verdict: verdictOf({ ...question, lnWorse, lnOk, enoughWindows }),
    lnWorse: enoughWindows ? lnWorse : 0,
    lnOk,
    lnBetter: () => lnBeyond(recent, (mean) => -mean),
    limit: margin,
    change: () =>
      changeOf(
        recent ?? known(all),
        copies,
        (limit) => lnAbove(limit) - (question.concurrent ? LN_LIMIT : LN_DEGRADED),
      ),
    note: NO_NOTE,
    missing: null,
    warning: null,
  };
}

/**
 * Both arms hold one value the whole time, and the difference is tolerated: there is no scatter to test with, and waiting
 * brings none. A difference that is not tolerated stays undecided: one observation proves nothing.
 */
function standsStill(question: GaugeQuestion, differences: readonly number[], margin: number): boolean {
  return differences.length === 1 && question.pairedWindows >= FEWEST && differences.every((d) => d <= margin);
}

/** The wider of the relative (to the reference's mean) and the absolute tolerance. */
function marginOf(pairs: readonly ValuePair[], tolerance: Tolerance): number {
  let mean = 0;
  for (const p of pairs) mean += p.reference / pairs.length;
  return Math.max((tolerance.relative ?? 0) * Math.abs(mean), tolerance.absolute ?? 0, 0);
}

function changeOf(
  recent: Level | null,
  copies: readonly (Level | null)[],
  beyondNeeded: (limit: number) => number,
): Change | null {
  if (recent === null) return null;
  const radius = mixtureRadius(Math.exp(-LN_HEALTHY), recent.n, recent.nu);
  const strongest = Math.max(recent.mean, ...copies.map((copy) => copy?.mean ?? Number.NEGATIVE_INFINITY));
  const lower = crossingFrom(
    beyondNeeded,
    strongest,
    -recent.error,
    recent.mean - 1e6 * recent.error,
    recent.error * 1e-3,
  );
  if (radius === null || lower === null) return null;
  const estimate = lower > recent.mean ? strongest : recent.mean;
  return { estimate, lower: Math.min(lower, estimate), upper: Math.max(recent.mean + radius * recent.error, estimate) };
}
