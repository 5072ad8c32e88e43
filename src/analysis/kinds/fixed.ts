import { higherIsBetter } from '../arms/arm.ts';
import { windowsOf } from '../arms/counts.ts';
import { type FixedTest, fixedTest, lnFixedEvidence, type Totals, withFixedAllowance } from '../evidence/fixed.ts';
import { clamp, logMeanExp } from '../evidence/numbers.ts';
import { lowerBound, RATIO_CAP, upperBound } from '../evidence/ratio.ts';
import { restartIndices } from '../evidence/restarts.ts';
import type { CountWindow, Metric } from '../types.ts';
import { type Change, LN_DEGRADED, LN_HEALTHY, NO_NOTE, noData, type Outcome, verdictOf } from '../verdict/outcome.ts';
import { asGoodAsNone } from './counted-metric.ts';
import type { Question } from './question.ts';

/** Totals beyond this are held to it, and less exposure than this is none, as with counts of windows. */
const MOST = 1e15;
const LEAST = 1e-9;

/** The totals a metric is held against, in the bad direction as they are given; null where it has none, or none that make sense. */
export function fixedTotals({ baseline, source }: Metric): Totals | null {
  if (baseline?.kind !== 'fixed') return null;
  const { events, exposure } = baseline;
  if (!(Number.isFinite(events) && Number.isFinite(exposure) && events >= 0 && exposure >= LEAST)) return null;
  const held = { events: Math.min(MOST, events), exposure: Math.min(MOST, exposure) };
  return source.kind === 'rate' ? held : { ...held, events: Math.min(held.events, held.exposure) };
}

/** Evidence that the suspect is worse or better than the baseline times a ratio, whichever direction is the bad one. */
interface Sided {
  readonly worse: (ratio: number, allowance?: number) => number;
  readonly ok: (ratio: number, allowance?: number) => number;
  /** How much worse the windows are than the baseline: half an event more on both sides where the lower one has none. */
  readonly estimate: number;
}

/** Counted metrics held against totals known beforehand. */
export function testFixed(question: Question): Outcome {
  const { metric, suspect, period, settings } = question;
  const baseline = fixedTotals(metric);
  if (suspect.kind !== 'counts') return noData('only counts can be held against a fixed baseline');
  if (baseline === null) return noData('its fixed baseline has no exposure');
  const all = windowsOf(suspect.counts).filter((w) => w.exposure > 0);
  const recent = all.filter((w) => w.endMs > period.healthyFromMs);
  const ends = all.map((w) => w.endMs);
  const starts = restartIndices(ends, period.fromMs, period.toMs, period.restartsAtMs);
  const dropIsBad = metric.source.kind === 'rate' && higherIsBetter(metric);
  const whole = sided(fixedTest(all, baseline, starts), all, baseline, dropIsBad, true);
  const later = sided(fixedTest(recent, baseline, null), recent, baseline, dropIsBad, false);
  const lnWorse = lnWorseThanTolerated(whole, metric);
  const lnOk = lnWithinTolerance(later, metric, dropIsBad ? baseline.events : eventsOf(recent));
  const enoughWindows = all.length >= settings.minimumWindows;
  const limit = limitOf(metric, dropIsBad ? totalsOf(all) : baseline);
  const shown = recent.length > 0 ? later : sided(fixedTest(all, baseline, null), all, baseline, dropIsBad, false);
  const strongest = () => Math.max(...starts.map((start) => ratioOf(totalsOf(all.slice(start)), baseline, dropIsBad)));
  return {
    verdict: verdictOf({ lnWorse, lnOk, weight: metric.weight, enoughWindows, mayBeHealthy: question.mayBeHealthy }),
    lnWorse: enoughWindows ? lnWorse : 0,
    lnOk,
    lnBetter: () => later.ok(1),
    limit,
    change: () => (all.length === 0 ? null : changeOf(whole, shown, lnWorse >= LN_DEGRADED ? strongest() : 0)),
    note: { ...NO_NOTE, byDifference: limit > relativeLimit(metric) * 1.001 },
    missing: null,
    warning: null,
  };
}

/** Where a drop is bad the question turns: how much higher than the windows the baseline is. */
function sided(
  test: FixedTest,
  windows: readonly CountWindow[],
  baseline: Totals,
  dropIsBad: boolean,
  mixed: boolean,
): Sided {
  const evidence = (ratio: number, allowance: number, worse: boolean) => {
    const lower = dropIsBad ? 'candidate' : 'baseline';
    const allowed = allowance > 0 ? withFixedAllowance(test, lower, allowance) : test;
    return lnFixedEvidence(allowed, dropIsBad ? 1 / ratio : ratio, worse === dropIsBad ? 'below' : 'above', mixed);
  };
  return {
    worse: (ratio, allowance = 0) => evidence(ratio, allowance, true),
    ok: (ratio, allowance = 0) => evidence(ratio, allowance, false),
    estimate: ratioOf(totalsOf(windows), baseline, dropIsBad),
  };
}

/** The wider of the relative and the absolute tolerance holds: the smaller of two evidences speaks against either. */
function lnWorseThanTolerated(whole: Sided, metric: Metric): number {
  const byRatio = whole.worse(relativeLimit(metric));
  const absolute = metric.tolerance.absolute ?? 0;
  if (absolute <= 0) return byRatio;
  const byDifference = whole.worse(1, absolute);
  return metric.tolerance.relative === null ? byDifference : Math.min(byRatio, byDifference);
}

/** Under the healthy ratio, or not above by more than is tolerated: their average. */
function lnWithinTolerance(recent: Sided, metric: Metric, events: number): number {
  const byRatio = recent.ok(Math.max(metric.tolerance.healthyRatio, relativeLimit(metric)));
  const absolute = metric.tolerance.absolute ?? (events === 0 ? asGoodAsNone(metric) : 0);
  return absolute > 0 ? logMeanExp([byRatio, recent.ok(1, absolute)]) : byRatio;
}

function relativeLimit({ tolerance }: Metric): number {
  return 1 + Math.max(0, tolerance.relative ?? 0);
}

/** max(1+relative, 1+absolute/p), for showing; `lower`: the side that is to be the lower one. */
function limitOf(metric: Metric, lower: Totals): number {
  const rate = lower.exposure > 0 ? (lower.events + 0.5) / (lower.exposure + 1) : 1;
  return Math.min(RATIO_CAP, Math.max(relativeLimit(metric), 1 + Math.max(0, metric.tolerance.absolute ?? 0) / rate));
}

function changeOf(whole: Sided, shown: Sided, strongest: number): Change {
  const lower = lowerBound((ratio) => whole.worse(ratio), Math.max(shown.estimate, strongest), LN_DEGRADED);
  const upper = upperBound((ratio) => shown.ok(ratio), shown.estimate, LN_HEALTHY);
  // What is degraded is shown by the stretch that proves it.
  const estimate = [shown.estimate, whole.estimate, strongest].find((ratio) => ratio >= lower) ?? shown.estimate;
  return { estimate, lower: Math.min(lower, estimate), upper: Math.max(upper, estimate) };
}

function ratioOf(windows: Totals, baseline: Totals, dropIsBad: boolean): number {
  const [high, low] = dropIsBad ? [baseline, windows] : [windows, baseline];
  if (!(high.exposure > 0 && low.exposure > 0)) return 1;
  const extra = low.events > 0 ? 0 : 0.5;
  return clamp((high.events + extra) / high.exposure / ((low.events + extra) / low.exposure), 0, RATIO_CAP);
}

function eventsOf(windows: readonly CountWindow[]): number {
  return totalsOf(windows).events;
}

function totalsOf(windows: readonly CountWindow[]): Totals {
  let events = 0;
  let exposure = 0;
  for (const w of windows) {
    events += w.events;
    exposure += w.exposure;
  }
  return { events, exposure };
}
