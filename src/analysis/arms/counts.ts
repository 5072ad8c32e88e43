import type { Room } from '../evidence/room.ts';
import type { CountColumns, CountWindow, LookPeriod } from '../types.ts';

type Stretch = Pick<LookPeriod, 'fromMs' | 'toMs'>;

/** Counts beyond this are held to it: far past any traffic, and still exact in a double. */
const MOST = 1e15;
/** Less exposure than this is none. */
const LEAST = 1e-9;

/**
 * Windows of one arm, oldest first, as they are compared: column by column, so that a look needs no object for each of them. The
 * arrays may be longer than `length`, and are the look's own: whoever wants to keep something of them copies it.
 */
export interface Counts {
  readonly length: number;
  readonly ends: readonly number[];
  readonly events: readonly number[];
  readonly exposure: readonly number[];
}

export const NO_COUNTS: Counts = { length: 0, ends: [], events: [], exposure: [] };

/** What becomes of the events: counted as they are, as bad ones of all, or as the good ones of all whose others are the bad ones. */
export type Counting = 'as-is' | 'bad' | 'good';

/** Windows in either form they are given in. */
export interface GivenCounts {
  readonly windows: readonly CountWindow[];
  readonly columns?: CountColumns;
}

/**
 * The usable windows of the period, oldest first. What is not a number is dropped, the last of several for the same moment holds,
 * negative counts are none.
 */
export function usableCounts(given: GivenCounts, period: Stretch, counting: Counting, room: Room): Counts {
  const { columns } = given;
  const filling = fillingFor(columns?.length ?? given.windows.length, room);
  if (columns === undefined) {
    for (const { endMs, events, exposure } of given.windows) add(filling, period, endMs, events, exposure, counting);
  } else {
    for (let i = 0; i < columns.length; i += 1) {
      add(filling, period, columns.endMs(i), columns.events(i), columns.exposure(i), counting);
    }
  }
  return rising(filling);
}

/** Those windows of the period, moved `shiftMs` forward: that is how the past is laid over the present. */
export function moved(counts: Counts, period: Stretch, shiftMs: number, room: Room): Counts {
  const filling = fillingFor(counts.length, room);
  for (let i = 0; i < counts.length; i += 1) {
    add(filling, period, (counts.ends[i] ?? 0) + shiftMs, counts.events[i] ?? 0, counts.exposure[i] ?? 0, 'as-is');
  }
  return rising(filling);
}

/** The same windows with the others counted: good ones where bad ones were. */
export function others(counts: Counts, room: Room): Counts {
  const events = room.take(counts.length);
  for (let i = 0; i < counts.length; i += 1) {
    events[i] = Math.max(0, (counts.exposure[i] ?? 0) - (counts.events[i] ?? 0));
  }
  return { length: counts.length, ends: counts.ends, events, exposure: counts.exposure };
}

/** Windows as they are, column by column. */
export function columnsOf(windows: readonly CountWindow[]): Counts {
  return {
    length: windows.length,
    ends: windows.map((w) => w.endMs),
    events: windows.map((w) => w.events),
    exposure: windows.map((w) => w.exposure),
  };
}

/** For what is asked of seldom, and plainer window by window. */
export function windowsOf({ length, ends, events, exposure }: Counts): CountWindow[] {
  return Array.from({ length }, (_, i) => ({
    endMs: ends[i] ?? 0,
    events: events[i] ?? 0,
    exposure: exposure[i] ?? 0,
  }));
}

export interface Totals {
  readonly events: number;
  readonly exposure: number;
}

/** Everything that ended in (fromMs, toMs]. */
export function totalsOf(
  { length, ends, events, exposure }: Counts,
  fromMs = Number.NEGATIVE_INFINITY,
  toMs = Number.POSITIVE_INFINITY,
): Totals {
  const sum = { events: 0, exposure: 0 };
  for (let i = 0; i < length; i += 1) {
    const endMs = ends[i] ?? 0;
    if (!(endMs > fromMs && endMs <= toMs)) continue;
    sum.events += events[i] ?? 0;
    sum.exposure += exposure[i] ?? 0;
  }
  return sum;
}

interface Filling {
  length: number;
  /** They came oldest first, each once. */
  rises: boolean;
  readonly ends: number[];
  readonly events: number[];
  readonly exposure: number[];
}

function fillingFor(most: number, room: Room): Filling {
  return { length: 0, rises: true, ends: room.take(most), events: room.take(most), exposure: room.take(most) };
}

function add(
  to: Filling,
  { fromMs, toMs }: Stretch,
  atMs: number,
  events: number,
  exposure: number,
  counting: Counting,
): void {
  const endMs = Math.round(atMs);
  if (!(endMs > fromMs && endMs <= toMs)) return;
  if (!Number.isFinite(events) || !Number.isFinite(exposure)) return;
  const i = to.length;
  const all = exposure < LEAST ? 0 : Math.min(MOST, exposure);
  const counted = Math.min(MOST, Math.max(0, events));
  // No more events than there is exposure, where they are a part of it.
  const part = counting === 'as-is' ? counted : Math.min(counted, all);
  to.ends[i] = endMs;
  to.events[i] = counting === 'good' ? all - part : part;
  to.exposure[i] = all;
  if (i > 0 && !(endMs > (to.ends[i - 1] ?? 0))) to.rises = false;
  to.length = i + 1;
}

/** As they nearly always come; else put in order, the last of several for the same moment. */
function rising(filled: Filling): Counts {
  if (filled.rises) return filled;
  const byEnd = new Map(windowsOf(filled).map((w) => [w.endMs, w]));
  return columnsOf([...byEnd.values()].sort((a, b) => a.endMs - b.endMs));
}
