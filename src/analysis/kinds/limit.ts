import { lagOneCorrelation } from '../evidence/dispersion.ts';
import { crossingFrom } from '../evidence/numbers.ts';
import { mixRestarts, restartIndices } from '../evidence/restarts.ts';
import type { ValueWindow } from '../types.ts';
import { type Change, LN_DEGRADED, LN_HEALTHY, NO_NOTE, noData, type Outcome, verdictOf } from '../verdict/outcome.ts';
import { lnMixtureT, mixtureRadius } from './gauge.ts';
import type { Question } from './question.ts';

/**
 * A gauge against an absolute limit: the always-valid t test of gauges on value less limit, in the bad direction. `change` is how
 * far the value is past the limit and is held against 0; nothing is tolerated beyond the limit. It differs from the test of two
 * arms in what it makes of values that remember: there is no second arm in whose difference a common course would cancel.
 */

/** Fewer values than this have no scatter worth the name (gauge.ts). */
const FEWEST = 6;
/** As many values of the past tell how long a value is remembered. */
const FEWEST_BEFORE = 24;
/** A short series hides its memory: this many times 1/sqrt(n) is added. Simulated: halves the false alarms with AR .5 to .7. */
const HIDDEN = 0.7;
/** Beyond this a series says nothing. */
const MOST_MEMORY = 0.95;

/** The mean of one stretch, how well it is known, and on how many independent values that rests. */
interface Level {
  readonly mean: number;
  readonly error: number;
  readonly n: number;
  /** Degrees of freedom of the error: of a scatter less is lost to memory than of a mean, (1-a^2)/(1+a^2) (Bayley and Hammersley 1946). */
  readonly nu: number;
}

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
  const copies = starts.map((start) => levelOf(all.slice(start), usual));
  const recent = levelOf(beyond(moved.filter((w) => w.endMs > period.healthyFromMs)), usual);
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
    change: () => changeOf(recent ?? levelOf(all, usual), copies, lnAbove),
    note: NO_NOTE,
    missing: null,
    warning: null,
  };
}

/** A value that has not moved is held by the exporter or by Prometheus: no other observation. */
function movedOnly(windows: readonly ValueWindow[]): ValueWindow[] {
  return windows.filter((w, i) => i === 0 || w.value !== windows[i - 1]?.value);
}

function memoryBefore(values: readonly number[]): number {
  return values.length >= FEWEST_BEFORE ? lagOneCorrelation(withoutRise(values)) : 0;
}

function levelOf(values: readonly number[], usual: number): Level | null {
  const count = values.length;
  if (count < FEWEST) return null;
  const memory = Math.max(usual, lagOneCorrelation(withoutRise(values)) + HIDDEN / Math.sqrt(count));
  const a = Math.min(MOST_MEMORY, memory);
  const n = (count * (1 - a)) / (1 + a);
  if (n < 2) return null;
  const mean = meanOf(values);
  let squares = 0;
  for (const v of values) squares += (v - mean) ** 2;
  const deviation = Math.sqrt(squares / (count - 1));
  // Values that hardly vary are not known with infinite precision.
  const error = Math.max(deviation / Math.sqrt(n), 1e-9 * Math.abs(mean), 1e-12);
  return { mean, error, n, nu: Math.max(n, (count * (1 - a * a)) / (1 + a * a)) - 1 };
}

/**
 * The values without their straight rise in the bad direction: a leak is no memory. Its rise stays in their scatter, which makes the
 * mean less certain, never more.
 */
function withoutRise(values: readonly number[]): readonly number[] {
  const middle = (values.length - 1) / 2;
  const mean = meanOf(values);
  let together = 0;
  let alone = 0;
  values.forEach((v, i) => {
    together += (i - middle) * (v - mean);
    alone += (i - middle) ** 2;
  });
  const slope = together / alone;
  return slope > 0 ? values.map((v, i) => v - slope * (i - middle)) : values;
}

function meanOf(values: readonly number[]): number {
  let mean = 0;
  for (const v of values) mean += v / values.length;
  return mean;
}

/** One-sided: a mean on the other side is no evidence. */
function lnBeyond(level: Level | null, distance: (mean: number) => number): number {
  if (level === null) return 0;
  return lnMixtureT(Math.max(0, distance(level.mean) / level.error), level.n, level.nu);
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
