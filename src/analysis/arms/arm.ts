import type { CountWindow, LookPeriod, Metric, MetricKind, Series } from '../types.ts';
import { expectedWindows, usableCounts, usableValues } from './windows.ts';

/** Share of the windows of a stretch that must have been read in each arm (analysis.md). */
const COVERAGE = 0.8;
/** An arm whose newest window is this many windows old is stale. */
const STALE_WINDOWS = 3;

type Stretch = Pick<LookPeriod, 'fromMs' | 'toMs'>;

const SERIES_OF: Record<MetricKind['kind'], Series['kind']> = {
  proportion: 'counts',
  rate: 'counts',
  latency: 'tails',
  labelled: 'counts',
  gauge: 'values',
  drift: 'bins',
  'drift-score': 'values',
  limit: 'values',
  objective: 'counts',
  split: 'counts',
};

/**
 * One arm's windows as they are compared: only usable ones of the period, the past laid over the present, and proportions as
 * bad of all. Null where the arm is missing or is not what the metric's kind reads.
 */
export function armOf(series: Series | null, metric: Metric, period: Stretch, shiftMs: number): Series | null {
  if (series === null || series.kind !== SERIES_OF[metric.source.kind]) return null;
  switch (series.kind) {
    case 'values':
      return { kind: 'values', windows: usableValues(series.windows, period, shiftMs) };
    case 'tails': {
      const bounds = series.bounds.map(({ bound, windows }) => ({
        bound,
        windows: partsOfAll(usableCounts(windows, period, shiftMs)),
      }));
      return { kind: 'tails', bounds };
    }
    case 'bins': {
      const bins = series.bins.map(({ bin, windows }) => ({ bin, windows: usableCounts(windows, period, shiftMs) }));
      return { kind: 'bins', bins };
    }
    case 'counts':
      return { kind: 'counts', windows: badOnes(usableCounts(series.windows, period, shiftMs), metric) };
  }
}

/** Everything that was read of an arm, at its own times, whatever the period. */
export function everythingOf(series: Series | null, metric: Metric): Series | null {
  const always = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
  return armOf(series, metric, always, 0);
}

/** Failures are counted, never successes: accuracy .95 to .80 is 1.19 times in successes and 4 times in failures. */
function badOnes(windows: readonly CountWindow[], { source }: Metric): readonly CountWindow[] {
  if (source.kind === 'rate' || source.kind === 'split') return windows;
  const areGood = (source.kind === 'proportion' || source.kind === 'objective') && source.good !== null;
  const parts = partsOfAll(windows);
  if (!areGood) return parts;
  return parts.map(({ endMs, events, exposure }) => ({ endMs, events: exposure - events, exposure }));
}

/** No more events than there is exposure. */
function partsOfAll(windows: readonly CountWindow[]): readonly CountWindow[] {
  // As they nearly always come.
  if (windows.every((w) => w.events <= w.exposure)) return windows;
  return windows.map(({ endMs, events, exposure }) => ({ endMs, events: Math.min(events, exposure), exposure }));
}

/** True where a higher number is the better one, as it is shown. */
export function higherIsBetter(metric: Metric): boolean {
  const { source } = metric;
  if (source.kind === 'labelled') return true;
  if (source.kind === 'proportion' || source.kind === 'objective') return source.good !== null;
  return metric.direction === 'higher-is-better' && source.kind !== 'latency';
}

/** Windows that were read: when each ended, and how much it had: requests, seconds, or one a value. */
export type Extent = readonly { readonly endMs: number; readonly exposure: number }[];

/**
 * The windows of an arm, oldest first. Of several bounds or
 * bins a window counts where one of them has it: one that ended long ago does not make the others stale.
 */
export function extentOf(arm: Series): Extent {
  if (arm.kind === 'values') return arm.windows.map((w) => ({ endMs: w.endMs, exposure: 1 }));
  if (arm.kind === 'counts') return arm.windows;
  const parts = arm.kind === 'tails' ? arm.bounds : arm.bins;
  const [first] = parts;
  if (first === undefined) return [];
  // As it nearly always is: all of them from the same scrapes.
  if (parts.every((p) => endTogether(p.windows, first.windows))) return first.windows;
  const most = new Map<number, number>();
  for (const { windows } of parts) {
    for (const w of windows) most.set(w.endMs, Math.max(w.exposure, most.get(w.endMs) ?? 0));
  }
  return [...most].map(([endMs, exposure]) => ({ endMs, exposure })).sort((a, b) => a.endMs - b.endMs);
}

function endTogether(a: readonly CountWindow[], b: readonly CountWindow[]): boolean {
  return a.length === b.length && a.every((w, i) => w.endMs === b[i]?.endMs);
}

/** Why this arm cannot be judged; null where it can. `who`: how the arm is called in the sentence. */
export function whyNotJudged(
  arm: Series,
  who: string,
  metric: Metric,
  period: LookPeriod,
  windowMs: number,
): string | null {
  const extent = extentOf(arm);
  const expected = expectedWindows(period.fromMs, period.toMs, windowMs);
  const due = dueWindows(expected, extent, period.toMs, windowMs);
  if (due === 0) return 'no window is complete yet';
  if (extent.length < COVERAGE * due) return `${who} has ${extent.length} of ${expected} windows`;
  const newest = extent.at(-1)?.endMs ?? 0;
  if (newest <= period.toMs - STALE_WINDOWS * windowMs - windowMs) {
    return `${who} has had no numbers for ${Math.round((period.toMs - newest) / 1000)} s`;
  }
  const samples = extent.reduce((sum, w) => sum + w.exposure, 0);
  if (samples < metric.minimumSamples) {
    return `${who} has ${whole(samples)} of at least ${whole(metric.minimumSamples)} ${samplesName(metric)}`;
  }
  return null;
}

/** Enough windows and samples after `healthyFromMs` to call the present well. */
export function coversRecent(
  arm: Series,
  metric: Metric,
  period: LookPeriod,
  windowMs: number,
  minimumWindows: number,
): boolean {
  const from = Math.max(period.fromMs, period.healthyFromMs);
  const extent = extentOf(arm);
  let [recent, samples] = [0, 0];
  for (const { endMs, exposure } of extent) {
    if (!(endMs > from)) continue;
    recent += 1;
    samples += exposure;
  }
  const expected = expectedWindows(from, period.toMs, windowMs);
  // The newest of all is the newest of these, where there are any.
  const needed = Math.max(
    minimumWindows,
    COVERAGE * dueWindows(expected, recent > 0 ? extent : [], period.toMs, windowMs),
  );
  return recent >= needed && samples >= metric.minimumSamples;
}

/** How many of the expected windows must be there by now: the newest may still lack its last scrape, and is then read a little later. */
function dueWindows(expected: number, extent: Extent, toMs: number, windowMs: number): number {
  const hasNewest = (extent.at(-1)?.endMs ?? Number.NEGATIVE_INFINITY) > toMs - windowMs;
  return expected === 0 || hasNewest ? expected : expected - 1;
}

function samplesName(metric: Metric): string {
  if (SERIES_OF[metric.source.kind] === 'values') return 'samples';
  if (metric.source.kind === 'rate' && metric.source.per === null) return 'instance-seconds';
  return metric.source.kind === 'labelled' ? 'labels' : 'requests';
}

function whole(n: number): string {
  return String(Math.floor(n));
}
