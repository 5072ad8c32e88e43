import { quantile } from '../kinds/latency.ts';
import type { LookPeriod, Metric, MetricComparison, Reading, Series } from '../types.ts';
import { extentOf, higherIsBetter } from './arm.ts';

/** Latency is shown as this quantile. */
const SHOWN_QUANTILE = 0.95;
/** A chart on a card has room for no more. */
const LINE_POINTS = 20;

/** What an arm reads over the windows since `healthyFromMs`, or over all where there are none yet. */
export function readingOf(arm: Series | null, metric: Metric, period: LookPeriod): Reading {
  if (arm === null) return { value: null, samples: 0 };
  const extent = extentOf(arm);
  const hasRecent = extent.some((w) => w.endMs > period.healthyFromMs);
  const fromMs = hasRecent ? period.healthyFromMs : Number.NEGATIVE_INFINITY;
  let samples = 0;
  for (const w of extent) if (!hasRecent || w.endMs > fromMs) samples += w.exposure;
  return { value: valueBetween(arm, metric, fromMs, Number.POSITIVE_INFINITY), samples };
}

/** The arm's value over the windows that end in (fromMs, toMs]; null without any. */
function valueBetween(arm: Series, metric: Metric, fromMs: number, toMs: number): number | null {
  const within = (w: { readonly endMs: number }) => w.endMs > fromMs && w.endMs <= toMs;
  if (arm.kind === 'values') {
    const windows = arm.windows.filter(within);
    return windows.length === 0 ? null : windows.reduce((sum, w) => sum + w.value / windows.length, 0);
  }
  const sum = (windows: readonly { endMs: number; events: number; exposure: number }[]) => {
    let events = 0;
    let exposure = 0;
    for (const w of windows) {
      if (!within(w)) continue;
      events += w.events;
      exposure += w.exposure;
    }
    return { events, exposure };
  };
  if (arm.kind === 'counts') {
    const { events, exposure } = sum(arm.windows);
    if (!(exposure > 0)) return null;
    const share = events / exposure;
    return metric.source.kind !== 'rate' && higherIsBetter(metric) ? 1 - share : share;
  }
  // A distribution is no single number.
  if (arm.kind === 'bins') return null;
  const buckets = arm.bounds
    .map(({ bound, windows }) => ({ bound, ...sum(windows) }))
    .sort((a, b) => a.bound - b.bound)
    .map(({ bound, events, exposure }) => ({ bound, count: exposure - events, all: exposure }));
  const all = Math.max(0, ...buckets.map((b) => b.all));
  return quantile(SHOWN_QUANTILE, [...buckets, { bound: Number.POSITIVE_INFINITY, count: all }]);
}

/** Both arms over time in at most twenty equal stretches, oldest first. */
export function lineOf(
  stable: Series | null,
  candidate: Series | null,
  metric: Metric,
  period: LookPeriod,
  windowMs: number,
): MetricComparison['line'] {
  const length = period.toMs - period.fromMs;
  if (!(length > 0 && windowMs > 0)) return [];
  const windows = Math.max(1, Math.floor(length / windowMs));
  const stretchMs = Math.max(windowMs, Math.ceil(windows / LINE_POINTS) * windowMs);
  const points: { endMs: number; stable: number | null; candidate: number | null }[] = [];
  for (let k = Math.min(LINE_POINTS, Math.ceil(length / stretchMs)) - 1; k >= 0; k -= 1) {
    const endMs = period.toMs - k * stretchMs;
    const at = (arm: Series | null) => (arm === null ? null : valueBetween(arm, metric, endMs - stretchMs, endMs));
    const point = { endMs, stable: at(stable), candidate: at(candidate) };
    if (point.stable !== null || point.candidate !== null) points.push(point);
  }
  return points;
}

/** The candidate is past the limit beyond which nothing is discussed. */
export function isCritical(reading: Reading, metric: Metric): boolean {
  if (metric.criticalLimit === null || reading.value === null || reading.samples < metric.minimumSamples) return false;
  return higherIsBetter(metric) ? reading.value < metric.criticalLimit : reading.value > metric.criticalLimit;
}
