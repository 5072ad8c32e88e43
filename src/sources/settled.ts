import type { CountColumns, CountWindow, Metric } from '../analysis/types.ts';
import { type CountedKind, type Counts, countsOf } from './counts.ts';
import { withGhosts } from './ghosts.ts';
import { MOST_SELECTORS } from './heads.ts';
import type { GridSeries } from './increase.ts';
import type { Ghost, Kept } from './kept-store.ts';
import type { Frames } from './ledger.ts';
import { pointsOf, type Stretch } from './matrix.ts';
import { Extent, type Packed } from './packed.ts';
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

/** Keeps what has settled of a stretch that was read as a whole. False where too few windows have. */
export function keepSettled(kept: Kept, arm: number, metric: CountedMetric, part: Part, counts: Counts): boolean {
  const { stretch, found, asked } = part;
  const until = settledPoints(found, stretch, asked);
  const start = stretch.startMs / stretch.stepMs;
  if (until < WORTH || found.length > MOST_SELECTORS || !Number.isSafeInteger(start) || start < 0) return false;
  kept.forget(arm);
  kept.open(arm, { start, selectors: found.length, room: until, frames: framesOf(counts, until) });
  kept.mark(arm, 'noGood', hasNoGood(metric, found));
  goOn(kept, arm, found, counts, until);
  return true;
}

function framesOf(counts: Counts, until: number): Frames {
  const [events, exposure] = [new Extent(), new Extent()];
  for (let i = 0; i < until; i += 1) {
    events.note(eventsAt(counts, i));
    exposure.note(exposureAt(counts, i));
  }
  return [events.frame, exposure.frame];
}

/** What of these windows is to be read; null: nothing. `all`: nothing of what is kept can be used. */
export function missingOf(kept: Kept, arm: number, { stretch }: Windows): Stretch | 'all' | null {
  const { stepMs, endMs } = stretch;
  const first = stretch.startMs / stepMs;
  const end = kept.end(arm);
  if (!Number.isInteger(first) || first < kept.start(arm) || endMs < kept.newest(arm) * stepMs) return 'all';
  if (end - first < WORTH || kept.gaps(arm).includes(first)) return 'all';
  return endMs <= end * stepMs ? null : { startMs: end * stepMs, endMs, stepMs };
}

/** The windows asked for, as far as they are kept, with those `behind` them. */
export function readOf(kept: Kept, arm: number, windows: Windows, behind: Counts | null): ArmRead {
  const noGood = kept.is(arm, 'noGood');
  return { series: new KeptSeries(kept, arm, windows, behind), problem: null, noGood, native: null };
}

/** Of windows that were read whole, and of which those that have settled are kept: as `readOf`. */
export function readAsKept(kept: Kept, arm: number, windows: Windows, counts: Counts): ArmRead {
  const length = kept.length(arm);
  return readOf(kept, arm, windows, { events: counts.events.slice(length), exposure: counts.exposure.slice(length) });
}

/**
 * The windows asked for, of which `part` has those behind what is kept; keeps those of them that have settled. Null where it does
 * not fit what is kept: a point has changed, or there is something that cannot be counted on from.
 */
export function readOn(
  kept: Kept,
  arm: number,
  metric: CountedMetric,
  windows: Windows,
  { stretch, found: fresh, asked }: Part,
): ArmRead | null {
  if (!isPlain(fresh)) return null;
  for (let k = 0; k < fresh.length; k += 1) if (!isSame(kept, arm, k, fresh[k] ?? NONE)) return null;
  const ghosts = kept.ghosts(arm);
  const found = ghosts.length === 0 ? fresh : withGhosts(fresh, ghosts, pointsOf(stretch));
  const counts = countsOf(metric.source, found, pointsOf(stretch) - 1, windows.windowMs);
  if (typeof counts === 'string') return null;
  kept.mark(arm, 'noGood', hasNoGood(metric, found));
  const whole = readOf(kept, arm, windows, counts);
  const before = firstOf(windows) - kept.start(arm);
  if (before >= MOST_BEFORE) dropBefore(kept, arm, before);
  const until = settledPoints(fresh, stretch, asked);
  if (until > 0) goOn(kept, arm, found, counts, until);
  else noteNewest(kept, arm, found);
  return whole;
}

/** Keeps the first `until` windows of what was read from where the arm ends. */
function goOn(kept: Kept, arm: number, found: Found, counts: Counts, until: number): void {
  noteNewest(kept, arm, found);
  noteGaps(kept, arm, found, until);
  for (let i = 0; i < until; i += 1) kept.put(arm, eventsAt(counts, i), exposureAt(counts, i));
  noteEdges(kept, arm, found, until);
}

/** Where there is no window there are no events either. */
function eventsAt(counts: Counts, index: number): number {
  return Number.isNaN(exposureAt(counts, index)) ? Number.NaN : (counts.events[index] ?? Number.NaN);
}

function exposureAt({ exposure }: Counts, index: number): number {
  return exposure[index] ?? Number.NaN;
}

function noteNewest(kept: Kept, arm: number, found: Found): void {
  for (const series of found) {
    for (const { at } of series) {
      let first = 0;
      while (first < at.length && Number.isNaN(at[first])) first += 1;
      if (first > 0 && first < at.length) kept.noteNewest(arm, kept.end(arm) + first);
    }
  }
}

/** Where up to a point there is nothing, and there was something before. */
function noteGaps(kept: Kept, arm: number, found: Found, until: number): void {
  const begin = kept.end(arm);
  for (const series of found) {
    for (const { at } of series) {
      let wasThere = false;
      for (let i = 0; i <= until; i += 1) {
        const isThere = !Number.isNaN(at[i]);
        if (!isThere && wasThere) noteGap(kept, arm, begin + i);
        wasThere ||= isThere;
      }
    }
  }
}

function noteGap(kept: Kept, arm: number, point: number): void {
  const gaps = kept.gaps(arm);
  if (!gaps.includes(point)) kept.noteGaps(arm, [...gaps, point]);
}

/** Which series have a value at a point, and which had one before. */
function noteEdges(kept: Kept, arm: number, found: Found, index: number): void {
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
    kept.setEdge(arm, k, there, sum);
  }
  if (ghosts !== null || kept.ghosts(arm).length > 0) kept.noteGhosts(arm, ghosts ?? NONE);
}

function dropBefore(kept: Kept, arm: number, windows: number): void {
  kept.drop(arm, windows);
  const gaps = kept.gaps(arm);
  if (gaps.length > 0) {
    const from = kept.start(arm);
    kept.noteGaps(
      arm,
      gaps.filter((at) => at >= from),
    );
  }
}

function firstOf({ stretch, windowMs }: Windows): number {
  return Math.round(stretch.startMs / windowMs);
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

function isSame(kept: Kept, arm: number, selector: number, series: readonly GridSeries[]): boolean {
  let [there, sum] = [0, 0];
  for (const { at } of series) {
    const first = at[0] ?? Number.NaN;
    if (Number.isNaN(first)) continue;
    there += 1;
    sum += first;
  }
  return kept.isEdge(arm, selector, there, sum);
}

/** Windows of which those that are kept stand first. They are made into objects only where somebody asks for them so. */
class KeptSeries implements CountColumns {
  readonly kind = 'counts';
  readonly length: number;
  readonly #firstEndMs: number;
  readonly #windowMs: number;
  /** As many as are kept. */
  readonly #kept: number;
  readonly #events: Packed;
  readonly #exposure: Packed;
  readonly #behind: Counts | null;

  constructor(kept: Kept, arm: number, windows: Windows, behind: Counts | null) {
    const from = firstOf(windows) - kept.start(arm);
    this.#kept = Math.min(windows.count, kept.length(arm) - from);
    this.length = this.#kept + (behind?.exposure.length ?? 0);
    this.#firstEndMs = windows.firstEndMs;
    this.#windowMs = windows.windowMs;
    this.#events = kept.column(arm, 'events', from);
    this.#exposure = kept.column(arm, 'exposure', from);
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
    const kept = this.#kept;
    return index < kept ? this.#events.at(index) : (this.#behind?.events[index - kept] ?? Number.NaN);
  }

  exposure(index: number): number {
    const kept = this.#kept;
    return index < kept ? this.#exposure.at(index) : (this.#behind?.exposure[index - kept] ?? Number.NaN);
  }
}
