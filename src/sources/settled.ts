import type { CountColumns, CountWindow, Metric } from '../analysis/types.ts';
import { type CountedKind, type Counts, countsOf } from './counts.ts';
import { withGhosts } from './ghosts.ts';
import type { GridSeries } from './increase.ts';
import type { Ledger, PairsView, Row } from './ledger.ts';
import { pointsOf, type Stretch } from './matrix.ts';
import { type ArmRead, hasNoGood } from './read-arm.ts';
import { SETTLED_MS, type Windows } from './windows.ts';

/**
 * An arm's windows that have settled, as two numbers each instead of the series they were counted from: what comes behind them is
 * counted on from where they end, and comes to what it would come to if all had been read anew, to the bit. Pure.
 */

/** Fewer windows than this are not worth keeping. */
const WORTH = 3;
/** What a look no longer reaches back to goes once it is so many windows. */
const MOST_BEFORE = 32;
const NONE: readonly never[] = [];

/** A series that was there and is gone: if it comes back it is counted on from here. */
export interface Ghost {
  readonly labels: GridSeries['labels'];
  readonly value: number;
  /** Of the metric's selectors the one that found it. */
  readonly selector: number;
}

/** Moments are points of the grid: whole windows since 1970. There are thousands of arms, and small integers take no room of their own. */
export class SettledArm implements Row {
  at = 0;
  length = 0;
  room = 0;
  grows = false;
  /** The point before the first window. */
  start: number;
  /** The last point at which a series appeared that had not been there. */
  newest: number;
  /** Of each selector, where the windows end: how many series have a value there, and its sum. Whether they are still the same. */
  edges: number[] = [];
  ghosts: readonly Ghost[] = NONE;
  /** Points at which a series was missing that had been there: a stretch that began there would not know of it. */
  gaps: readonly number[] = NONE;
  noGood: boolean;

  constructor(start: number, noGood: boolean) {
    this.start = start;
    this.newest = start;
    this.noGood = noGood;
  }
}

type Found = readonly (readonly GridSeries[])[];
export type CountedMetric = Metric & { readonly source: CountedKind };

/** When something was asked, and how much later than a minute it may still come. */
export interface Asked {
  readonly atMs: number;
  readonly lateMs: number;
}

/** A stretch that was read, or what was missing of one. */
export interface Part {
  readonly stretch: Stretch;
  readonly found: Found;
  readonly asked: Asked;
}

/** Keeps what has settled of a stretch that was read as a whole. Null while too few windows have. */
export function settledOf(ledger: Ledger, metric: CountedMetric, part: Part, counts: Counts): SettledArm | null {
  const { stretch, found, asked } = part;
  const until = settledPoints(found, stretch, asked);
  if (until < WORTH) return null;
  const arm = new SettledArm(stretch.startMs / stretch.stepMs, hasNoGood(metric, found));
  ledger.open(arm, until);
  goOn(arm, ledger, found, counts, until);
  return arm;
}

/** What of these windows is to be read; null: nothing. `all`: nothing of what is kept can be used. */
export function missingOf(arm: SettledArm, { stretch }: Windows): Stretch | 'all' | null {
  const { stepMs, endMs } = stretch;
  const first = stretch.startMs / stepMs;
  const end = arm.start + arm.length;
  if (!Number.isInteger(first) || first < arm.start || endMs < arm.newest * stepMs) return 'all';
  if (end - first < WORTH || arm.gaps.includes(first)) return 'all';
  return endMs <= end * stepMs ? null : { startMs: end * stepMs, endMs, stepMs };
}

/** The windows asked for, as far as they are kept, with those `behind` them. */
export function readOf(arm: SettledArm, ledger: Ledger, windows: Windows, behind: Counts | null): ArmRead {
  const from = Math.round(windows.stretch.startMs / windows.windowMs) - arm.start;
  const kept = ledger.view(arm, from, from + windows.count);
  return { series: new KeptSeries(windows, kept, behind), problem: null, noGood: arm.noGood, native: null };
}

/** Of windows that were read whole, and of which those that have settled are kept: as `readOf`. */
export function readAsKept(arm: SettledArm, ledger: Ledger, windows: Windows, counts: Counts): ArmRead {
  const events = counts.events.slice(arm.length);
  return readOf(arm, ledger, windows, { events, exposure: counts.exposure.slice(arm.length) });
}

/**
 * The windows asked for, of which `part` has those behind what is kept; keeps those of them that have settled. Null where it does
 * not fit what is kept: a point has changed, or there is something that cannot be counted on from.
 */
export function readOn(
  arm: SettledArm,
  ledger: Ledger,
  metric: CountedMetric,
  windows: Windows,
  { stretch, found: fresh, asked }: Part,
): ArmRead | null {
  if (!isPlain(fresh)) return null;
  for (let k = 0; k < fresh.length; k += 1) if (!isSame(arm.edges, k, fresh[k] ?? NONE)) return null;
  const found = arm.ghosts.length === 0 ? fresh : withGhosts(fresh, arm.ghosts, pointsOf(stretch));
  const counts = countsOf(metric.source, found, pointsOf(stretch) - 1, windows.windowMs);
  if (typeof counts === 'string') return null;
  arm.noGood = hasNoGood(metric, found);
  const whole = readOf(arm, ledger, windows, counts);
  const before = Math.round(windows.stretch.startMs / windows.windowMs) - arm.start;
  if (before >= MOST_BEFORE) dropBefore(arm, ledger, before);
  const until = settledPoints(fresh, stretch, asked);
  if (until > 0) goOn(arm, ledger, found, counts, until);
  else noteNewest(arm, found);
  return whole;
}

/** Keeps the first `until` windows of what was read from where the arm ends. */
function goOn(arm: SettledArm, ledger: Ledger, found: Found, { events, exposure }: Counts, until: number): void {
  noteNewest(arm, found);
  noteGaps(arm, found, until);
  for (let i = 0; i < until; i += 1) {
    const all = exposure[i] ?? Number.NaN;
    ledger.add(arm, Number.isNaN(all) ? Number.NaN : (events[i] ?? Number.NaN), all);
  }
  noteEdges(arm, found, until);
}

function noteNewest(arm: SettledArm, found: Found): void {
  for (const series of found) {
    for (const { at } of series) {
      let first = 0;
      while (first < at.length && Number.isNaN(at[first])) first += 1;
      if (first > 0 && first < at.length) arm.newest = Math.max(arm.newest, arm.start + arm.length + first);
    }
  }
}

/** Where up to a point there is nothing, and there was something before. */
function noteGaps(arm: SettledArm, found: Found, until: number): void {
  const begin = arm.start + arm.length;
  for (const series of found) {
    for (const { at } of series) {
      let wasThere = false;
      for (let i = 0; i <= until; i += 1) {
        const isThere = !Number.isNaN(at[i]);
        if (!isThere && wasThere && !arm.gaps.includes(begin + i)) arm.gaps = [...arm.gaps, begin + i];
        wasThere ||= isThere;
      }
    }
  }
}

/** Which series have a value at a point, and which had one before. */
function noteEdges(arm: SettledArm, found: Found, index: number): void {
  if (arm.edges.length === 0) arm.edges = new Array<number>(2 * found.length).fill(0);
  let ghosts: Ghost[] | null = null;
  for (let k = 0; k < found.length; k += 1) {
    let [there, sum] = [0, 0];
    for (const { labels, at } of found[k] ?? NONE) {
      const value = at[index] ?? Number.NaN;
      if (!Number.isNaN(value)) {
        there += 1;
        sum += value;
        continue;
      }
      let before = index - 1;
      while (before >= 0 && Number.isNaN(at[before])) before -= 1;
      if (before < 0) continue;
      ghosts ??= [];
      ghosts.push({ labels, value: at[before] ?? Number.NaN, selector: k });
    }
    arm.edges[2 * k] = there;
    arm.edges[2 * k + 1] = sum;
  }
  arm.ghosts = ghosts ?? NONE;
}

function dropBefore(arm: SettledArm, ledger: Ledger, windows: number): void {
  ledger.drop(arm, windows);
  arm.start += windows;
  if (arm.gaps.length > 0) arm.gaps = arm.gaps.filter((at) => at >= arm.start);
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
export function isPlain(found: Found): boolean {
  for (const series of found)
    for (const one of series) if (one.natives !== undefined || one.odd !== undefined) return false;
  return true;
}

function isSame(edges: readonly number[], selector: number, series: readonly GridSeries[]): boolean {
  let [there, sum] = [0, 0];
  for (const { at } of series) {
    const first = at[0] ?? Number.NaN;
    if (Number.isNaN(first)) continue;
    there += 1;
    sum += first;
  }
  return edges[2 * selector] === there && edges[2 * selector + 1] === sum;
}

/** Windows of which those that are kept stand first. They are made into objects only where somebody asks for them so. */
class KeptSeries implements CountColumns {
  readonly kind = 'counts';
  readonly length: number;
  readonly #firstEndMs: number;
  readonly #windowMs: number;
  readonly #kept: PairsView;
  readonly #behind: Counts | null;

  constructor({ firstEndMs, windowMs }: Windows, kept: PairsView, behind: Counts | null) {
    this.length = kept.length + (behind?.exposure.length ?? 0);
    this.#firstEndMs = firstEndMs;
    this.#windowMs = windowMs;
    this.#kept = kept;
    this.#behind = behind;
  }

  get columns(): CountColumns {
    return this;
  }

  get windows(): readonly CountWindow[] {
    const out: CountWindow[] = [];
    for (let i = 0; i < this.length; i += 1) {
      const exposure = this.exposure(i);
      if (!Number.isNaN(exposure)) out.push({ endMs: this.endMs(i), events: this.events(i), exposure });
    }
    return out;
  }

  endMs(index: number): number {
    return this.#firstEndMs + index * this.#windowMs;
  }

  events(index: number): number {
    const { length } = this.#kept;
    return index < length ? this.#kept.first(index) : (this.#behind?.events[index - length] ?? Number.NaN);
  }

  exposure(index: number): number {
    const { length } = this.#kept;
    return index < length ? this.#kept.second(index) : (this.#behind?.exposure[index - length] ?? Number.NaN);
  }
}
