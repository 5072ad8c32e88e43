import { clamp } from '../evidence/numbers.ts';
import { createRoom } from '../evidence/room.ts';
import type { CountWindow, LookPeriod, Metric, Series } from '../types.ts';
import { type ArmRead, everythingOf, higherIsBetter } from './arm.ts';
import { boundsAskedFor } from './bounds.ts';
import { windowsOf } from './counts.ts';

/** `MetricSamples.history` comes in windows of an hour. */
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Fewer pairs say nothing about how much a service differs from itself (analysis.md). */
const FEWEST_PAIRS = 14;
/** Never tighter than this (analysis.md), and never so wide that nothing could be noticed. */
const LEAST_LIMIT = 1.25;
const MOST_LIMIT = 10;
/** Median and spread that make the limit: median + 3 robust standard deviations (1.4826 MAD is one of a normal distribution). */
const SPREADS = 3 * 1.4826;
/** Of a latency, the bound nearest to this tail is what is learned from; tails above half are counted as fast ones. */
const TELLING_TAIL = 0.05;

/**
 * The metric with the relative tolerance its service's own history calls for: how much it differs from itself a day earlier (or as
 * long ago as its baseline lies). Unchanged where the policy does not ask for it or where there is too little of a history.
 */
export function withLearnedTolerance(metric: Metric, history: Series | null, period: LookPeriod): Metric {
  if (metric.tolerance.fromHistory !== true || history === null) return metric;
  const limit = learnedLimit(metric, history, period.fromMs);
  return limit === null ? metric : { ...metric, tolerance: { ...metric.tolerance, relative: limit - 1 } };
}

/**
 * The ratio that is within what the service does by itself: max(1.25, exp(median + 3 * 1.4826 * MAD)) of the log ratios of hours
 * and the same hours a day earlier, at most 10. Hours after `untilMs` are what is judged: they do not excuse themselves.
 * Null: fewer than 14 pairs with enough in them.
 */
export function learnedLimit(metric: Metric, history: Series, untilMs: number): number | null {
  const counted = countedOf(metric, everythingOf(history, metric, createRoom()));
  const windows = counted.windows.filter((w) => w.endMs <= untilMs);
  const offsetMs = metric.baseline?.kind === 'offset' ? metric.baseline.offsetMs : DAY_MS;
  const backMs = Math.max(1, Math.round(offsetMs / HOUR_MS)) * HOUR_MS;
  const enough = windows.filter((w) => w.exposure > 0 && w.exposure >= metric.minimumSamples);
  const byEnd = new Map(enough.map((w) => [w.endMs, w]));
  const logs: number[] = [];
  for (const now of enough) {
    const then = byEnd.get(now.endMs - backMs);
    if (then !== undefined) logs.push(lnRate(now) - lnRate(then));
  }
  if (logs.length < FEWEST_PAIRS) return null;
  const worse = counted.dropIsBad ? logs.map((ln) => -ln) : logs;
  const middle = median(worse);
  const spread = median(worse.map((ln) => Math.abs(ln - middle)));
  return clamp(Math.exp(middle + SPREADS * spread), LEAST_LIMIT, MOST_LIMIT);
}

/** Half an event more, so that an hour without one has a logarithm. */
function lnRate(w: CountWindow): number {
  return Math.log((w.events + 0.5) / w.exposure);
}

interface Counted {
  readonly windows: readonly CountWindow[];
  readonly dropIsBad: boolean;
}

/** What is counted of each hour; nothing of kinds that are not counted. */
function countedOf(metric: Metric, read: ArmRead | null): Counted {
  const { source } = metric;
  if (read?.kind === 'counts') {
    return { windows: windowsOf(read.counts), dropIsBad: source.kind === 'rate' && higherIsBetter(metric) };
  }
  if (read?.kind !== 'tails' || source.kind !== 'latency') return { windows: [], dropIsBad: false };
  let best: Counted | null = null;
  let nearest = Number.POSITIVE_INFINITY;
  const asked = boundsAskedFor(
    read.bounds.map((b) => b.bound),
    source.bounds,
  );
  for (const { counts } of read.bounds.filter((b) => asked.has(b.bound))) {
    const windows = windowsOf(counts);
    const exposure = windows.reduce((sum, w) => sum + w.exposure, 0);
    if (!(exposure > 0)) continue;
    const slow = windows.reduce((sum, w) => sum + w.events, 0) / exposure;
    const distance = Math.abs(Math.log(Math.max(slow, 1e-9) / TELLING_TAIL));
    if (distance >= nearest) continue;
    nearest = distance;
    best =
      slow > 0.5
        ? { windows: windows.map((w) => ({ ...w, events: w.exposure - w.events })), dropIsBad: true }
        : { windows, dropIsBad: false };
  }
  return best ?? { windows: [], dropIsBad: false };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
}
