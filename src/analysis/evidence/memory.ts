import { BETS } from './bets.ts';
import type { RatioColumns } from './dispersion.ts';
import { createRoom, numbers, type Room } from './room.ts';

/** Which bets a running sum is of. */
export interface Stake {
  readonly ratio: number;
  readonly side: 'worse' | 'ok';
  readonly cvSquared: number;
}

/** Where sums are kept from one look to the next; `at` narrows it to one metric, one test. */
export interface Memory {
  /** What a look needs for itself alone. */
  readonly room: Room;
  /** A look begins: what the one before it took of the room is free again. */
  begin(): void;
  at(name: string | number): Memory;
  /**
   * Running sums of the bets: row i is the sum over all windows before window i, so that windows [a, b) are row b less row a. They
   * hold until the next ones are asked for.
   */
  sums(columns: RatioColumns, stake: Stake): readonly number[];
}

/** Keeps nothing. */
export const forgetful: Memory = {
  get room() {
    return createRoom();
  },
  begin: () => undefined,
  at: () => forgetful,
  sums: (columns, stake) => summed({ columns, stake, rows: rowsFor(columns.length), from: 0, lifts: null }),
};

/** ln((1-rho+rho r g)/(1-rho+rho r)) of a look's windows and bets. */
interface Lifts {
  ratio: number;
  side: Stake['side'];
  share: readonly number[];
  windows: number;
  values: number[];
}

/** Of so many shares and stakes they are kept: more are of metrics that have nothing in common. */
const MOST_LIFTS = 64;

/** A memory for looks that are summed anew each time. */
export interface Scratch extends Memory {
  /** Null: there are too many of them. */
  lifts(columns: RatioColumns, stake: Stake): readonly number[] | null;
}

/**
 * What one look needed is used again for the next. Metrics of the same traffic are bet on with the same stakes, and what depends on
 * nothing but the share of the traffic is found once for all of them.
 */
export function createScratch(): Scratch {
  const room = createRoom();
  const known: Lifts[] = [];
  let used = 0;
  let rows = rowsFor(0);
  const scratch: Scratch = {
    room,
    begin() {
      room.empty();
      used = 0;
    },
    at: () => scratch,
    sums(columns, stake) {
      if (rows.length < (columns.length + 1) * BETS.length) rows = rowsFor(columns.length);
      return summed({ columns, stake, rows, from: 0, lifts: scratch.lifts(columns, stake) });
    },
    lifts({ share, length }, { ratio, side }) {
      for (let k = 0; k < used; k += 1) {
        const one = known[k];
        if (one?.ratio === ratio && one.side === side && one.windows === length && areSame(one.share, share, length)) {
          return one.values;
        }
      }
      if (used >= MOST_LIFTS) return null;
      const values = known[used]?.values ?? [];
      const enough = values.length >= length * BETS.length ? values : numbers(length * BETS.length);
      known[used] = { ratio, side, share, windows: length, values: enough };
      used += 1;
      return lift(enough, share, length, ratio, side);
    },
  };
  return scratch;
}

function areSame(a: readonly number[], b: readonly number[], length: number): boolean {
  if (a === b) return true;
  for (let i = 0; i < length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** Sums of one stake. The rows may have room for more windows. */
interface Line {
  readonly stake: Stake;
  /** So many windows they hold of. */
  windows: number;
  rows: number[];
}

/** What was summed, to see what of it still holds. */
interface Seen {
  /** The very columns it is of, while they are looked at. */
  of: RatioColumns | null;
  windows: number;
  readonly ends: number[];
  readonly events: number[];
  readonly together: number[];
  readonly share: number[];
}

/** A test asks about a handful of ratios, with a handful of noises; what is beyond belongs to looks long gone. */
const MOST_LINES = 64;
/** More metrics, tests and bounds than any policy has. */
const MOST_PARTS = 1_000;

/**
 * Keeps the sums of one rollout's looks: a new window adds one row instead of summing everything anew. What was read again and
 * differs (a late scrape) is summed again from there on. Whoever holds it forgets it with the rollout. `scratch`: what a look needs for
 * itself alone; many memories may share one.
 */
export function createMemory(scratch = createScratch()): Memory {
  const parts = new Map<string | number, Memory>();
  const lines: Line[] = [];
  const seen: Seen = { of: null, windows: 0, ends: [], events: [], together: [], share: [] };
  return {
    room: scratch.room,
    begin: scratch.begin,
    at(name) {
      const known = parts.get(name);
      if (known !== undefined) return known;
      if (parts.size >= MOST_PARTS) parts.clear();
      const part = createMemory(scratch);
      parts.set(name, part);
      return part;
    },
    sums(columns, stake) {
      if (seen.of !== columns) look(seen, columns, lines);
      const line = lineOf(lines, stake);
      const from = line.windows;
      if (line.rows.length < (columns.length + 1) * BETS.length) line.rows = withRoom(line.rows, from, columns.length);
      const lifts = from === 0 ? scratch.lifts(columns, stake) : null;
      line.windows = columns.length;
      return summed({ columns, stake, rows: line.rows, from, lifts });
    },
  };
}

function lineOf(lines: Line[], stake: Stake): Line {
  const { ratio, side, cvSquared } = stake;
  for (const line of lines) {
    const its = line.stake;
    if (its.ratio === ratio && its.side === side && its.cvSquared === cvSquared) return line;
  }
  if (lines.length >= MOST_LINES) lines.length = 0;
  const line = { stake, windows: 0, rows: rowsFor(0) };
  lines.push(line);
  return line;
}

/** Of the lines there remain the rows that still hold: those of the windows both begin with, once those that fell out in front are left out. */
function look(seen: Seen, columns: RatioColumns, lines: readonly Line[]): void {
  const dropped = columns.length === 0 ? -1 : seen.ends.indexOf(columns.ends[0] ?? Number.NaN);
  const shift = dropped < 0 ? seen.windows : dropped;
  if (shift > 0) dropInFront(seen, shift, lines);
  let kept = 0;
  while (kept < Math.min(seen.ends.length, columns.length) && isSame(seen, columns, kept)) kept += 1;
  for (const line of lines) line.windows = Math.min(line.windows, kept);
  for (let i = kept; i < columns.length; i += 1) {
    seen.ends[i] = columns.ends[i] ?? 0;
    seen.events[i] = columns.suspectEvents[i] ?? 0;
    seen.together[i] = columns.together[i] ?? 0;
    seen.share[i] = columns.share[i] ?? 0;
  }
  for (const column of [seen.ends, seen.events, seen.together, seen.share]) column.length = columns.length;
  seen.windows = columns.length;
  seen.of = columns;
}

function dropInFront(seen: Seen, windows: number, lines: readonly Line[]): void {
  for (const column of [seen.ends, seen.events, seen.together, seen.share]) column.splice(0, windows);
  for (const line of lines) {
    line.rows.copyWithin(0, windows * BETS.length, (line.windows + 1) * BETS.length);
    line.windows = Math.max(0, line.windows - windows);
  }
}

function isSame(seen: Seen, columns: RatioColumns, i: number): boolean {
  return (
    seen.ends[i] === columns.ends[i] &&
    seen.events[i] === columns.suspectEvents[i] &&
    seen.together[i] === columns.together[i] &&
    seen.share[i] === columns.share[i]
  );
}

function betsOf(factors: readonly number[]) {
  return { factors, lnFactors: factors.map(Math.log) };
}
const SIDES = { worse: betsOf(BETS), ok: betsOf(BETS.map((bet) => 1 / bet)) };

/** Room for as many windows more: most looks add one or two. */
const ROOM_WINDOWS = 64;

function rowsFor(windows: number): number[] {
  return numbers((windows + 1) * BETS.length);
}

/** A copy of the rows up to `windows` with room for `needed` windows and some more. */
function withRoom(rows: readonly number[], windows: number, needed: number): number[] {
  const more = rowsFor(needed + ROOM_WINDOWS);
  for (let i = 0; i < Math.min(rows.length, (windows + 1) * BETS.length); i += 1) more[i] = rows[i] ?? 0;
  return more;
}

/** ln((1-rho+rho r g)/(1-rho+rho r)) for each window and bet. */
function lift(into: number[], share: readonly number[], windows: number, ratio: number, side: Stake['side']): number[] {
  const bets = BETS.length;
  const { factors } = SIDES[side];
  for (let i = 0; i < windows; i += 1) {
    const rho = share[i] ?? 0;
    const rest = 1 - rho;
    const part = rho * ratio;
    const base = rest + part;
    for (let b = 0; b < bets; b += 1) into[i * bets + b] = Math.log((rest + part * (factors[b] ?? 1)) / base);
  }
  return into;
}

interface Summing {
  readonly columns: RatioColumns;
  readonly stake: Stake;
  /** With the rows before window `from`. */
  readonly rows: number[];
  readonly from: number;
  /** Where they are known. */
  readonly lifts: readonly number[] | null;
}

/** Per window and bet g: (1/phi)(x ln g - m ln((1-rho+rho r g)/(1-rho+rho r))), summed up from the first window. */
function summed({ columns, stake, rows, from: first, lifts }: Summing): number[] {
  const { length, suspectEvents, together, share, spread } = columns;
  const bets = BETS.length;
  const { factors, lnFactors } = SIDES[stake.side];
  if (first === 0) for (let b = 0; b < bets; b += 1) rows[b] = 0;
  for (let i = first; i < length; i += 1) {
    const rho = share[i] ?? 0;
    const m = together[i] ?? 0;
    const x = suspectEvents[i] ?? 0;
    const worth = 1 / (1 + stake.cvSquared * (spread[i] ?? 0));
    const rest = 1 - rho;
    const part = rho * stake.ratio;
    const base = rest + part;
    const row = i * bets;
    for (let b = 0; b < bets; b += 1) {
      const lnLift =
        m === 0 ? 0 : lifts === null ? Math.log((rest + part * (factors[b] ?? 1)) / base) : (lifts[row + b] ?? 0);
      rows[row + bets + b] = (rows[row + b] ?? 0) + (x * (lnFactors[b] ?? 0) - m * lnLift) * worth;
    }
  }
  return rows;
}
