import type { CountWindow, Measure, MetricKind, Series } from '../analysis/types.ts';
import { firstSeen, type GridSeries, noNumbers, sumIncreases } from './increase.ts';
import { CELLS } from './selectors.ts';

/** Counters as windows of events and exposure. */

/** What one arm's series come to: windows, or why there are none. */
export interface Counted {
  readonly series: Series | null;
  /** What is wrong or absent; null where nothing is. */
  readonly problem: string | null;
}

export function nothing(problem: string): Counted {
  return { series: null, problem };
}

type Found = readonly GridSeries[];

const NO_SERIES = 'no series were found';

/** Events and exposure of windows, by their index; exposure is NaN where there is no window. */
export interface Counts {
  readonly events: readonly number[];
  readonly exposure: readonly number[];
}

/** Kinds that come to events and exposure, window by window. */
export type CountedKind = Extract<MetricKind, { kind: 'proportion' | 'labelled' | 'rate' | 'objective' | 'split' }>;

export function isCountedKind(source: MetricKind): source is CountedKind {
  switch (source.kind) {
    case 'proportion':
    case 'labelled':
    case 'rate':
    case 'objective':
    case 'split':
      return true;
    default:
      return false;
  }
}

/** What so many windows counted; a text says why nothing. `found`: the series of each selector, in the order of `selectorsOf`. */
export function countsOf(
  source: CountedKind,
  found: readonly Found[],
  windows: number,
  windowMs: number,
): Counts | string {
  const [first = [], second = []] = found;
  switch (source.kind) {
    case 'proportion':
    case 'objective':
      return counted(first, second, windows);
    case 'labelled':
      return labelled(source.measure, found, windows);
    case 'rate':
      return source.per === null ? perInstance(first, windows, windowMs) : counted(first, second, windows);
    case 'split':
      return traffic(first, windows);
  }
}

/** Requests without an error series are requests without errors; errors without requests are nothing that can be judged. */
function counted(events: Found, all: Found, windows: number): Counts | string {
  const allSeenAt = firstSeen(all);
  if (allSeenAt === Number.POSITIVE_INFINITY) {
    return events.length > 0 ? 'events were found but nothing they are a part of' : NO_SERIES;
  }
  const seenAt = Math.min(firstSeen(events), allSeenAt);
  const happened = sumIncreases(events, seenAt, windows);
  for (let i = 0; i < windows; i += 1) happened[i] = known(happened[i]);
  return { events: happened, exposure: sumIncreases(all, seenAt, windows) };
}

/**
 * Cells of a confusion matrix as wrong ones of all. A cell without a series has counted nothing as long as another has one: a
 * model without a single false alarm has no series of them.
 */
function labelled(measure: Measure, found: readonly Found[], windows: number): Counts | string {
  const seenAt = firstSeen(found.flat());
  if (seenAt === Number.POSITIVE_INFINITY) return NO_SERIES;
  const cells = CELLS[measure].map((cell, k) => ({ ...cell, counted: sumIncreases(found[k] ?? [], seenAt, windows) }));
  const events = noNumbers(windows);
  const exposure = noNumbers(windows);
  for (let i = 0; i < windows; i += 1) {
    if (cells.every((cell) => Number.isNaN(cell.counted[i] ?? Number.NaN))) continue;
    const sum = (of: 'wrong' | 'all') => cells.reduce((total, cell) => total + cell[of] * known(cell.counted[i]), 0);
    events[i] = sum('wrong');
    exposure[i] = sum('all');
  }
  return { events, exposure };
}

/** Exposure is seconds of running instances: those that had a value at the window's end. */
function perInstance(events: Found, windows: number, windowMs: number): Counts | string {
  const seenAt = firstSeen(events);
  if (seenAt === Number.POSITIVE_INFINITY) return NO_SERIES;
  const happened = sumIncreases(events, seenAt, windows);
  const instances = events.map((s) => `${s.labels.job ?? ''}/${s.labels.instance ?? s.labels.pod ?? ''}`);
  const exposure = noNumbers(windows);
  for (let i = 0; i < windows; i += 1) {
    if (Number.isNaN(happened[i])) continue;
    const running = new Set(instances.filter((_, k) => !Number.isNaN(events[k]?.at[i + 1] ?? Number.NaN)));
    exposure[i] = (running.size * windowMs) / 1000;
  }
  return { events: happened, exposure };
}

/** How much traffic an arm had: what a split is checked by. */
function traffic(requests: Found, windows: number): Counts | string {
  const seenAt = firstSeen(requests);
  if (seenAt === Number.POSITIVE_INFINITY) return NO_SERIES;
  const total = sumIncreases(requests, seenAt, windows);
  return { events: total, exposure: total };
}

/** The windows there are, each as an object. */
export function countWindows({ events, exposure }: Counts, endsMs: readonly number[]): CountWindow[] {
  return windowsOf(endsMs, (i) => {
    const all = exposure[i] ?? Number.NaN;
    return Number.isNaN(all) ? null : { events: events[i] ?? Number.NaN, exposure: all };
  });
}

/** Several series of a gauge are averaged. */
export function gauge(found: Found, endsMs: readonly number[]): Counted {
  if (firstSeen(found) === Number.POSITIVE_INFINITY) return nothing('no usable numbers were found');
  const windows = endsMs.flatMap((endMs, i) => {
    const values = found.map((s) => s.at[i + 1] ?? Number.NaN).filter((v) => !Number.isNaN(v));
    return values.length === 0 ? [] : [{ endMs, value: values.reduce((sum, v) => sum + v / values.length, 0) }];
  });
  return { series: { kind: 'values', windows }, problem: null };
}

export function windowsOf(
  endsMs: readonly number[],
  at: (i: number) => { events: number; exposure: number } | null,
): CountWindow[] {
  const windows: CountWindow[] = [];
  endsMs.forEach((endMs, i) => {
    const window = at(i);
    if (window !== null) windows.push({ endMs, events: window.events, exposure: window.exposure });
  });
  return windows;
}

function known(count: number | undefined): number {
  return count === undefined || Number.isNaN(count) ? 0 : count;
}
