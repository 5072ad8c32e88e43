import { movedOnly } from '../arms/windows.ts';
import { crossingFrom } from '../evidence/numbers.ts';
import { mixRestarts, restartIndices } from '../evidence/restarts.ts';
import type { ValueWindow } from '../types.ts';
import { type Change, LN_DEGRADED, LN_HEALTHY, NO_NOTE, noData, type Outcome, verdictOf } from '../verdict/outcome.ts';
import { FEWEST, type Level, levelOf, lnBeyond, memoryBefore, memoryOfArm, mixtureRadius } from './level.ts';
import type { Question } from './question.ts';

/**
 * A gauge against an absolute limit: the always-valid t test of gauges on value less limit, in the bad direction. `change` is how
 * far the value is past the limit and is held against 0; nothing is tolerated beyond the limit. It differs from the test of two
 * arms in what it makes of values that remember: there is no second arm in whose difference a common course would cancel.
 */

export function testLimit(question: Question): Outcome {
  const { metric, suspect, period, settings } = question;
  if (metric.source.kind !== 'limit' || suspect.kind !== 'values') return noData('it is no value');
  const { limit } = metric.source;
  const sign = metric.direction === 'higher-is-better' ? -1 : 1;
  const beyond = (windows: readonly ValueWindow[]) => windows.map((w) => sign * (w.value - limit));
  const moved = movedOnly(suspect.windows);
  const usual = question.past?.kind === 'values' ? memoryBefore(beyond(movedOnly(question.past.windows))) : 0;
  const all = beyond(moved);
  const ends = moved.map((w) => w.endMs);
  const starts = restartIndices(ends, period.fromMs, period.toMs, period.restartsAtMs);
  const known = (values: readonly number[]) => levelOf(values, memoryOfArm(values, usual));
  const copies = starts.map((start) => known(all.slice(start)));
  const recent = known(beyond(moved.filter((w) => w.endMs > period.healthyFromMs)));
  const lnAbove = (at: number) => mixRestarts(copies.map((copy) => lnBeyond(copy, (mean) => mean - at)));
  const enoughWindows = moved.length >= settings.minimumWindows;
  const lnWorse = enoughWindows ? lnAbove(0) : 0;
  // One value held the whole time: there is no scatter to test with, and waiting brings none.
  const standsWithin = all.length === 1 && suspect.windows.length >= FEWEST && all.every((d) => d <= 0);
  const lnOk = standsWithin ? LN_HEALTHY : lnBeyond(recent, (mean) => -mean);
  return {
    verdict: verdictOf({ lnWorse, lnOk, weight: metric.weight, enoughWindows, mayBeHealthy: question.mayBeHealthy }),
    lnWorse,
    lnOk,
    limit: 0,
    change: () => changeOf(recent ?? known(all), copies, lnAbove),
    note: NO_NOTE,
    missing: null,
    warning: null,
  };
}

function changeOf(
  recent: Level | null,
  copies: readonly (Level | null)[],
  lnAbove: (at: number) => number,
): Change | null {
  if (recent === null) return null;
  const strongest = Math.max(recent.mean, ...copies.map((copy) => copy?.mean ?? Number.NEGATIVE_INFINITY));
  const lower = crossingFrom(
    (at) => lnAbove(at) - LN_DEGRADED,
    strongest,
    -recent.error,
    recent.mean - 1e6 * recent.error,
    recent.error * 1e-3,
  );
  const radius = mixtureRadius(Math.exp(-LN_HEALTHY), recent.n, recent.nu);
  if (radius === null || lower === null) return null;
  const estimate = lower > recent.mean ? strongest : recent.mean;
  return { estimate, lower: Math.min(lower, estimate), upper: Math.max(recent.mean + radius * recent.error, estimate) };
}
