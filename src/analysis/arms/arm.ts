import type { Room } from '../evidence/room.ts';
import type { LookPeriod, Metric, MetricKind, Series, ValueWindow } from '../types.ts';
import { type Counting, type Counts, moved, NO_COUNTS, usableCounts } from './counts.ts';
import { expectedWindows, usableValues } from './windows.ts';

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

/** One bucket bound of an arm: `events` = slower than the bound. */
export interface Tail {
  readonly bound: number;
  readonly counts: Counts;
}

/** One bin of an arm: `events` = in the bin. */
export interface Bin {
  readonly bin: string;
  readonly counts: Counts;
}

/** What was read of one arm, as it is compared: only what is usable. */
export type ArmRead =
  | { readonly kind: 'counts'; readonly counts: Counts }
  | { readonly kind: 'tails'; readonly bounds: readonly Tail[] }
  | { readonly kind: 'values'; readonly windows: readonly ValueWindow[] }
  | { readonly kind: 'bins'; readonly bins: readonly Bin[] };

/**
 * One arm's windows of the period as they are compared, proportions as bad of all. Null where the arm is missing or is not what the
 * metric's kind reads.
 */
export function armOf(series: Series | null, metric: Metric, period: Stretch, room: Room): ArmRead | null {
  if (series === null || series.kind !== SERIES_OF[metric.source.kind]) return null;
  switch (series.kind) {
    case 'values':
      return { kind: 'values', windows: usableValues(series.windows, period, 0) };
    case 'tails': {
      const bounds = series.bounds.map((tail) => ({
        bound: tail.bound,
        counts: usableCounts(tail, period, 'bad', room),
      }));
      return { kind: 'tails', bounds };
    }
    case 'bins': {
      const bins = series.bins.map((bin) => ({ bin: bin.bin, counts: usableCounts(bin, period, 'as-is', room) }));
      return { kind: 'bins', bins };
    }
    case 'counts':
      return { kind: 'counts', counts: usableCounts(series, period, countingOf(metric), room) };
  }
}

const ALWAYS: Stretch = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

/** Everything that was read of an arm, at its own times, whatever the period. */
export function everythingOf(series: Series | null, metric: Metric, room: Room): ArmRead | null {
  return armOf(series, metric, ALWAYS, room);
}

/** The part of an arm that lies in the period once it is moved `shiftMs` forward: the past, laid over the present. */
export function movedInto(arm: ArmRead | null, period: Stretch, shiftMs: number, room: Room): ArmRead | null {
  switch (arm?.kind) {
    case undefined:
      return null;
    case 'values':
      return { kind: 'values', windows: usableValues(arm.windows, period, shiftMs) };
    case 'tails': {
      const bounds = arm.bounds.map(({ bound, counts }) => ({ bound, counts: moved(counts, period, shiftMs, room) }));
      return { kind: 'tails', bounds };
    }
    case 'bins': {
      const bins = arm.bins.map(({ bin, counts }) => ({ bin, counts: moved(counts, period, shiftMs, room) }));
      return { kind: 'bins', bins };
    }
    case 'counts':
      return { kind: 'counts', counts: moved(arm.counts, period, shiftMs, room) };
  }
}

/** Failures are counted, never successes: accuracy .95 to .80 is 1.19 times in successes and 4 times in failures. */
function countingOf({ source }: Metric): Counting {
  if (source.kind === 'rate' || source.kind === 'split') return 'as-is';
  const areGood = (source.kind === 'proportion' || source.kind === 'objective') && source.good !== null;
  return areGood ? 'good' : 'bad';
}

/** True where a higher number is the better one, as it is shown. */
export function higherIsBetter(metric: Metric): boolean {
  const { source } = metric;
  if (source.kind === 'labelled') return true;
  if (source.kind === 'proportion' || source.kind === 'objective') return source.good !== null;
  return metric.direction === 'higher-is-better' && source.kind !== 'latency';
}

/** Windows that were read: when each ended, and how much it had: requests, seconds, or one a value. */
export type Extent = Pick<Counts, 'length' | 'ends' | 'exposure'>;

/**
 * The windows of an arm, oldest first. Of several bounds or
 * bins a window counts where one of them has it: one that ended long ago does not make the others stale.
 */
export function extentOf(arm: ArmRead): Extent {
  if (arm.kind === 'values') {
    const ends = arm.windows.map((w) => w.endMs);
    return { length: ends.length, ends, exposure: ends.map(() => 1) };
  }
  if (arm.kind === 'counts') return arm.counts;
  const parts: readonly { readonly counts: Counts }[] = arm.kind === 'tails' ? arm.bounds : arm.bins;
  const [first] = parts;
  if (first === undefined) return NO_COUNTS;
  // As it nearly always is: all of them from the same scrapes.
  if (parts.every((p) => endTogether(p.counts, first.counts))) return first.counts;
  const most = new Map<number, number>();
  for (const { counts } of parts) {
    for (let i = 0; i < counts.length; i += 1) {
      const endMs = counts.ends[i] ?? 0;
      most.set(endMs, Math.max(counts.exposure[i] ?? 0, most.get(endMs) ?? 0));
    }
  }
  const rising = [...most].sort(([a], [b]) => a - b);
  return {
    length: rising.length,
    ends: rising.map(([endMs]) => endMs),
    exposure: rising.map(([, exposure]) => exposure),
  };
}

function endTogether(a: Counts, b: Counts): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a.ends[i] !== b.ends[i]) return false;
  return true;
}

/** When the newest window ended; null without any. */
function newestOf({ length, ends }: Extent): number | null {
  return ends[length - 1] ?? null;
}

/** Why this arm cannot be judged; null where it can. `who`: how the arm is called in the sentence. */
export function whyNotJudged(
  arm: ArmRead,
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
  const newest = newestOf(extent) ?? 0;
  if (newest <= period.toMs - STALE_WINDOWS * windowMs - windowMs) {
    return `${who} has had no numbers for ${Math.round((period.toMs - newest) / 1000)} s`;
  }
  let samples = 0;
  for (let i = 0; i < extent.length; i += 1) samples += extent.exposure[i] ?? 0;
  if (samples < metric.minimumSamples) {
    return `${who} has ${whole(samples)} of at least ${whole(metric.minimumSamples)} ${samplesName(metric)}`;
  }
  return null;
}

/** Enough windows and samples after `healthyFromMs` to call the present well. */
export function coversRecent(
  arm: ArmRead,
  metric: Metric,
  period: LookPeriod,
  windowMs: number,
  minimumWindows: number,
): boolean {
  const from = Math.max(period.fromMs, period.healthyFromMs);
  const extent = extentOf(arm);
  let [recent, samples] = [0, 0];
  for (let i = 0; i < extent.length; i += 1) {
    if (!((extent.ends[i] ?? 0) > from)) continue;
    recent += 1;
    samples += extent.exposure[i] ?? 0;
  }
  const expected = expectedWindows(from, period.toMs, windowMs);
  // The newest of all is the newest of these, where there are any.
  const needed = Math.max(
    minimumWindows,
    COVERAGE * dueWindows(expected, recent > 0 ? extent : NO_COUNTS, period.toMs, windowMs),
  );
  return recent >= needed && samples >= metric.minimumSamples;
}

/** How many of the expected windows must be there by now: the newest may still lack its last scrape, and is then read a little later. */
function dueWindows(expected: number, extent: Extent, toMs: number, windowMs: number): number {
  const hasNewest = (newestOf(extent) ?? Number.NEGATIVE_INFINITY) > toMs - windowMs;
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
