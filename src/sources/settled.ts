import type { CountWindow, Metric, MetricKind } from '../analysis/types.ts';
import type { GridSeries } from './increase.ts';
import { pointsOf, type Stretch } from './matrix.ts';
import { createPairs, type Pairs, type PairsView } from './pairs.ts';
import { type ArmRead, readArm } from './read-arm.ts';
import { SETTLED_MS, type Windows } from './windows.ts';

/**
 * An arm's windows that have settled, as two numbers each instead of the series they were counted from: what comes behind them is
 * counted on from where they end, and comes to what it would come to if all had been read anew, to the bit. Pure.
 */

/** Fewer windows than this are not worth keeping. */
const WORTH = 3;
/** What a look no longer reaches back to goes once it is so many windows. */
const MOST_BEFORE = 32;
/** Of an arm besides its numbers. */
const OVERHEAD_BYTES = 500;
const GHOST_BYTES = 600;

/** A series that was there and is gone: if it comes back it is counted on from here. */
interface Ghost {
  readonly labels: GridSeries['labels'];
  readonly value: number;
}

/** What one selector found, where the windows that are kept end. */
interface Selector {
  /** Series with a value there, and the sum of them: whether they are still the same. */
  readonly there: number;
  readonly sum: number;
  readonly ghosts: readonly Ghost[];
}

export interface SettledArm {
  /** The point before the first window. */
  startMs: number;
  readonly stepMs: number;
  /** Events and exposure of each window; NaN: there was none. */
  readonly windows: Pairs;
  selectors: readonly Selector[];
  /** Points at which a series was missing that had been there: a stretch that began there would not know of it. */
  gaps: readonly number[];
  /** The last point at which a series appeared that had not been there. */
  newestAtMs: number;
  noGood: boolean;
}

type Found = readonly (readonly GridSeries[])[];

/** Kinds that come to events and exposure, window by window. */
const COUNTED: Readonly<Record<MetricKind['kind'], boolean>> = {
  proportion: true,
  labelled: true,
  rate: true,
  objective: true,
  split: true,
  latency: false,
  gauge: false,
  limit: false,
  drift: false,
  'drift-score': false,
};

export function isCounted({ source }: Metric): boolean {
  return COUNTED[source.kind];
}

/** When something was asked, and how much later than a minute it may still come. */
export interface Asked {
  readonly atMs: number;
  readonly lateMs: number;
}

/** What is worth keeping of a stretch that was read as a whole: nothing while too few windows have settled, or where it is no such arm. */
export function settledOf(
  found: Found,
  read: ArmRead,
  windows: Windows,
  asked: Asked,
): SettledArm | 'too-few' | 'of-another-kind' {
  const { startMs, stepMs } = windows.stretch;
  if (read.series?.kind !== 'counts' || !isPlain(found)) return 'of-another-kind';
  const arm: SettledArm = {
    startMs,
    stepMs,
    windows: createPairs(),
    selectors: [],
    gaps: [],
    newestAtMs: startMs,
    noGood: read.noGood,
  };
  const until = settledPoints(found, windows.stretch, asked);
  if (until < WORTH) return 'too-few';
  goOn(arm, { found, read: read.series.windows, endsMs: windows.endsMs, until });
  return arm;
}

/** Bytes, about. */
export function weightOfSettled({ windows, selectors, gaps }: SettledArm): number {
  const ghosts = selectors.reduce((sum, { ghosts: of }) => sum + of.length, 0);
  return OVERHEAD_BYTES + windows.bytes + GHOST_BYTES * ghosts + 8 * gaps.length;
}

/** What of these windows is to be read; null: nothing. `all`: nothing of what is kept can be used. */
export function missingOf(arm: SettledArm, { stretch }: Windows): Stretch | 'all' | null {
  const { stepMs } = arm;
  const endMs = arm.startMs + arm.windows.length * stepMs;
  const [from, to] = [stretch.startMs - arm.startMs, stretch.endMs - arm.newestAtMs];
  if (stretch.stepMs !== stepMs || from % stepMs !== 0 || from < 0 || to < 0) return 'all';
  if (endMs - stretch.startMs < WORTH * stepMs || arm.gaps.includes(stretch.startMs)) return 'all';
  return stretch.endMs <= endMs ? null : { startMs: endMs, endMs: stretch.endMs, stepMs };
}

/**
 * The windows asked for, as far as they are kept, with those `behind` them. They are put into words where they are looked at: what is
 * read waits with hundreds of other looks, and what is held meanwhile outlives the young.
 */
export function readOf(arm: SettledArm, windows: Windows, behind: readonly CountWindow[] = []): ArmRead {
  const { stretch, endsMs } = windows;
  const from = Math.round((stretch.startMs - arm.startMs) / arm.stepMs);
  const kept = arm.windows.view(from, from + endsMs.length);
  const [firstEndMs = 0] = endsMs;
  return {
    series: {
      kind: 'counts',
      get windows() {
        return windowsOf(kept, firstEndMs, arm.stepMs, behind);
      },
    },
    problem: null,
    noGood: arm.noGood,
    native: null,
  };
}

function windowsOf(
  kept: PairsView,
  firstEndMs: number,
  stepMs: number,
  behind: readonly CountWindow[],
): readonly CountWindow[] {
  const out: CountWindow[] = [];
  for (let i = 0; i < kept.length; i += 1) {
    const exposure = kept.second(i);
    if (!Number.isNaN(exposure)) out.push({ endMs: firstEndMs + i * stepMs, events: kept.first(i), exposure });
  }
  for (const window of behind) out.push(window);
  return out;
}

/** Of windows that were read whole, and of which those that have settled are kept: as `readOf`. */
export function readAsKept(arm: SettledArm, windows: Windows, read: ArmRead): ArmRead {
  if (read.series?.kind !== 'counts') return read;
  const [firstEndMs = 0] = windows.endsMs;
  const keptUntilMs = firstEndMs + (arm.windows.length - 1) * arm.stepMs;
  return readOf(
    arm,
    windows,
    read.series.windows.filter(({ endMs }) => endMs > keptUntilMs),
  );
}

/**
 * The windows asked for, of which `found` has those behind what is kept; keeps those of them that have settled. Null where it does
 * not fit what is kept: a point has changed, or there is something that cannot be counted on from.
 */
export function readOn(
  arm: SettledArm,
  metric: Metric,
  windows: Windows,
  part: { readonly stretch: Stretch; readonly found: Found; readonly asked: Asked },
): ArmRead | null {
  const { stretch, asked } = part;
  if (!isPlain(part.found) || !part.found.every((series, k) => isSame(arm.selectors[k], series))) return null;
  const found = part.found.map((series, k) => withGhosts(series, arm.selectors[k]?.ghosts ?? [], pointsOf(stretch)));
  const endsMs = windows.endsMs.slice(windows.endsMs.length - (pointsOf(stretch) - 1));
  const read = readArm(metric, found, endsMs, windows.windowMs);
  if (read.series?.kind !== 'counts') return null;
  arm.noGood = read.noGood;
  const whole = readOf(arm, windows, read.series.windows);
  const before = Math.round((windows.stretch.startMs - arm.startMs) / arm.stepMs);
  if (before >= MOST_BEFORE) dropBefore(arm, before);
  goOn(arm, { found, read: read.series.windows, endsMs, until: settledPoints(part.found, stretch, asked) });
  return whole;
}

interface More {
  readonly found: Found;
  readonly read: readonly CountWindow[];
  readonly endsMs: readonly number[];
  /** Windows that have settled. */
  readonly until: number;
}

/** Keeps the first `until` windows of what was read from where the arm ends. */
function goOn(arm: SettledArm, { found, read, endsMs, until }: More): void {
  const beginMs = arm.startMs + arm.windows.length * arm.stepMs;
  const pointMs = (index: number) => beginMs + index * arm.stepMs;
  for (const { at } of found.flat()) {
    const first = at.findIndex((value) => !Number.isNaN(value));
    if (first > 0) arm.newestAtMs = Math.max(arm.newestAtMs, pointMs(first));
  }
  if (until < 1) return;
  let next = 0;
  for (let i = 0; i < until; i += 1) {
    const window = read[next]?.endMs === endsMs[i] ? read[next] : undefined;
    if (window !== undefined) next += 1;
    arm.windows.add(window?.events ?? Number.NaN, window?.exposure ?? Number.NaN);
  }
  const gaps = new Set<number>();
  for (const { at } of found.flat()) for (const index of gapsOf(at, until)) gaps.add(pointMs(index));
  if (gaps.size > 0) arm.gaps = [...new Set([...arm.gaps, ...gaps])];
  arm.selectors = found.map((series) => selectorAt(series, until));
}

/** Where up to a point there is nothing, and there was something before. */
function gapsOf(at: Float64Array, until: number): number[] {
  const gaps: number[] = [];
  let wasThere = false;
  for (let i = 0; i <= until; i += 1) {
    const isThere = !Number.isNaN(at[i]);
    if (!isThere && wasThere) gaps.push(i);
    wasThere ||= isThere;
  }
  return gaps;
}

function selectorAt(series: readonly GridSeries[], index: number): Selector {
  let [there, sum] = [0, 0];
  const ghosts: Ghost[] = [];
  for (const { labels, at } of series) {
    const value = at[index] ?? Number.NaN;
    if (!Number.isNaN(value)) {
      there += 1;
      sum += value;
      continue;
    }
    const last = at.subarray(0, index).findLast((before) => !Number.isNaN(before));
    if (last !== undefined) ghosts.push({ labels, value: last });
  }
  return { there, sum, ghosts };
}

function dropBefore(arm: SettledArm, windows: number): void {
  arm.windows.drop(windows);
  arm.startMs += windows * arm.stepMs;
  if (arm.gaps.length > 0) arm.gaps = arm.gaps.filter((at) => at >= arm.startMs);
}

/** How many of the stretch's windows have settled. Where all series end, what is to come may be late as a whole. */
function settledPoints(found: Found, { startMs, endMs, stepMs }: Stretch, { atMs, lateMs }: Asked): number {
  const settled = Math.floor((Math.min(endMs, atMs - SETTLED_MS - lateMs) - startMs) / stepMs);
  let last = -1;
  for (const series of found)
    for (const { at } of series) for (let i = at.length - 1; i > last; i -= 1) if (!Number.isNaN(at[i])) last = i;
  return Math.min(settled, last);
}

/** Of native histograms, and of samples nobody can count with, more would have to be known. */
function isPlain(found: Found): boolean {
  return found.every((series) => series.every((one) => one.natives === undefined && one.odd === undefined));
}

function isSame(known: Selector | undefined, series: readonly GridSeries[]): boolean {
  let [there, sum] = [0, 0];
  for (const { at } of series) {
    const first = at[0] ?? Number.NaN;
    if (Number.isNaN(first)) continue;
    there += 1;
    sum += first;
  }
  return known !== undefined && known.there === there && known.sum === sum;
}

/** The series with those that are gone, which have their last value where what is kept ends. */
function withGhosts(series: readonly GridSeries[], ghosts: readonly Ghost[], points: number): readonly GridSeries[] {
  if (ghosts.length === 0) return series;
  const left = new Map(ghosts.map(({ labels, value }) => [keyOf(labels), { labels, value }]));
  const out = series.map((one) => {
    const ghost = left.get(keyOf(one.labels));
    if (ghost === undefined) return one;
    left.delete(keyOf(one.labels));
    // A copy: others may read the same answer.
    const at = one.at.slice();
    at[0] = ghost.value;
    return { ...one, at };
  });
  for (const { labels, value } of left.values()) {
    const at = new Float64Array(points).fill(Number.NaN);
    at[0] = value;
    out.push({ labels, at });
  }
  return out;
}

function keyOf(labels: GridSeries['labels']): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
