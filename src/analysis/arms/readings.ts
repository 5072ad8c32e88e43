import { quantile } from '../kinds/latency.ts';
import type { LookPeriod, Metric, MetricComparison, Reading } from '../types.ts';
import { type ArmRead, type Extent, extentOf, higherIsBetter } from './arm.ts';
import { totalsOf } from './counts.ts';

/** Latency is shown as this quantile. */
const SHOWN_QUANTILE = 0.95;
/** A chart on a card has room for no more. */
const LINE_POINTS = 20;

/** What an arm reads over the windows since `healthyFromMs`, or over all where there are none yet. */
export function readingOf(arm: ArmRead | null, metric: Metric, { healthyFromMs }: LookPeriod): Reading {
  if (arm === null) return { value: null, samples: 0 };
  const extent = extentOf(arm);
  // They rise, so the newest is after it where any is.
  const hasRecent = (extent.ends[extent.length - 1] ?? Number.NEGATIVE_INFINITY) > healthyFromMs;
  const fromMs = hasRecent ? healthyFromMs : Number.NEGATIVE_INFINITY;
  return {
    value: valueBetween(arm, metric, fromMs, Number.POSITIVE_INFINITY),
    samples: samplesAfter(extent, fromMs),
  };
}

function samplesAfter({ length, ends, exposure }: Extent, fromMs: number): number {
  let samples = 0;
  for (let i = 0; i < length; i += 1) if ((ends[i] ?? 0) > fromMs) samples += exposure[i] ?? 0;
  return samples;
}

/** The arm's value over the windows that end in (fromMs, toMs]; null without any. */
function valueBetween(arm: ArmRead, metric: Metric, fromMs: number, toMs: number): number | null {
  if (arm.kind === 'values') {
    const windows = arm.windows.filter((w) => w.endMs > fromMs && w.endMs <= toMs);
    return windows.length === 0 ? null : windows.reduce((sum, w) => sum + w.value / windows.length, 0);
  }
  if (arm.kind === 'counts') {
    const { events, exposure } = totalsOf(arm.counts, fromMs, toMs);
    if (!(exposure > 0)) return null;
    const share = events / exposure;
    return metric.source.kind !== 'rate' && higherIsBetter(metric) ? 1 - share : share;
  }
  // A distribution is no single number.
  if (arm.kind === 'bins') return null;
  const buckets = arm.bounds
    .map(({ bound, counts }) => ({ bound, ...totalsOf(counts, fromMs, toMs) }))
    .sort((a, b) => a.bound - b.bound)
    .map(({ bound, events, exposure }) => ({ bound, count: exposure - events, all: exposure }));
  const all = Math.max(0, ...buckets.map((b) => b.all));
  return quantile(SHOWN_QUANTILE, [...buckets, { bound: Number.POSITIVE_INFINITY, count: all }]);
}

/** Both arms over time in at most twenty equal stretches, oldest first. */
export function lineOf(
  stable: ArmRead | null,
  candidate: ArmRead | null,
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
    const at = (arm: ArmRead | null) => (arm === null ? null : valueBetween(arm, metric, endMs - stretchMs, endMs));
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
