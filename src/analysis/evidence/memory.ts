import { BETS } from './bets.ts';
import type { RatioColumns } from './dispersion.ts';

/** Which bets a running sum is of. */
export interface Stake {
  readonly ratio: number;
  readonly side: 'worse' | 'ok';
  readonly cvSquared: number;
}

/** Running sums of the bets: row i is the sum over all windows before window i, so that windows [a, b) are row b less row a. */
export interface Sums {
  readonly rows: Float64Array;
}

/** What was summed, to see what of it still holds. The rows may have room for more windows. */
interface Line extends Pick<RatioColumns, 'ends' | 'events' | 'together' | 'share'> {
  readonly rows: Float64Array;
}

/** Where sums are kept from one look to the next; `at` narrows it to one metric, one test. */
export interface Memory {
  at(name: string): Memory;
  /** They hold until the next ones are asked for. */
  sums(columns: RatioColumns, stake: Stake): Sums;
}

/** Keeps nothing. */
export const forgetful: Memory = {
  at: () => forgetful,
  sums: (columns, stake) => ({
    rows: summed({ columns, stake, rows: room(columns.events.length), from: 0, lifts: null }),
  }),
};

/**
 * For one look: metrics of the same traffic are bet on with the same stakes, and what depends on nothing but the share of the traffic
 * is found once for all of them.
 */
export function createScratch(): Memory {
  const known = new Map<string, { readonly share: readonly number[]; readonly lifts: Float64Array }[]>();
  // Typed arrays are dear to make, and these are needed for a moment.
  let rows = room(0);
  const liftsOf = (share: readonly number[], { ratio, side }: Stake): Float64Array => {
    const key = `${side} ${ratio}`;
    const before = known.get(key);
    const same = before?.find((one) => areSame(one.share, share));
    if (same !== undefined) return same.lifts;
    const lifts = allLifts(share, ratio, side);
    if (before === undefined) known.set(key, [{ share, lifts }]);
    else before.push({ share, lifts });
    return lifts;
  };
  const scratch: Memory = {
    at: () => scratch,
    sums: (columns, stake) => {
      const windows = columns.events.length;
      if (rows.length < (windows + 1) * BETS.length) rows = room(windows);
      return { rows: summed({ columns, stake, rows, from: 0, lifts: liftsOf(columns.share, stake) }) };
    },
  };
  return scratch;
}

function areSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Keeps the sums of one rollout's looks: a new window adds one row instead of summing everything anew. What was read again and
 * differs (a late scrape) is summed again from there on. Whoever holds it forgets it with the rollout.
 */
export function createMemory(): Memory {
  return memoryIn(new Map(), '');
}

/** A policy has at most some dozens of metrics with some tests each; what is beyond belongs to looks long gone. */
const MOST_LINES = 4_000;

function memoryIn(lines: Map<string, Line>, path: string): Memory {
  return {
    at: (name) => memoryIn(lines, `${path}/${name}`),
    sums(columns, stake) {
      const key = `${path} ${stake.side} ${stake.ratio} ${stake.cvSquared}`;
      const known = lines.get(key) ?? null;
      const { line, kept } = known === null ? { line: null, kept: 0 } : overlap(known, columns);
      const rows = summed({
        columns,
        stake,
        rows: roomBehind(line, kept, columns.events.length),
        from: kept,
        lifts: null,
      });
      if (lines.size >= MOST_LINES && known === null) lines.clear();
      const { ends, events, together, share } = columns;
      lines.set(key, { ends, events, together, share, rows });
      return { rows };
    },
  };
}

/** The rows that still hold: those of the windows both begin with, once windows that fell out in front are left out. */
function overlap(known: Line, columns: RatioColumns): { line: Line | null; kept: number } {
  const first = columns.ends[0] ?? Number.NaN;
  const dropped = known.ends.indexOf(first);
  if (dropped < 0) return { line: null, kept: 0 };
  const line = dropped === 0 ? known : from(known, dropped);
  const most = Math.min(line.ends.length, columns.ends.length);
  let kept = 0;
  while (kept < most && same(line, columns, kept)) kept += 1;
  return { line, kept };
}

function from(line: Line, window: number): Line {
  return {
    ends: line.ends.slice(window),
    events: line.events.slice(window),
    together: line.together.slice(window),
    share: line.share.slice(window),
    rows: line.rows.subarray(window * BETS.length),
  };
}

function same(line: Line, columns: RatioColumns, i: number): boolean {
  return (
    line.ends[i] === columns.ends[i] &&
    line.events[i] === columns.events[i] &&
    line.together[i] === columns.together[i] &&
    line.share[i] === columns.share[i]
  );
}

function betsOf(factors: readonly number[]) {
  return { factors, lnFactors: factors.map(Math.log) };
}
const SIDES = { worse: betsOf(BETS), ok: betsOf(BETS.map((bet) => 1 / bet)) };

/** Room for as many windows more: most looks add one or two. */
const ROOM_WINDOWS = 64;

function room(windows: number): Float64Array {
  return new Float64Array((windows + 1) * BETS.length);
}

/** The kept rows where they have the room, since nobody reads sums of an earlier look; or a copy with some more. */
function roomBehind(line: Line | null, kept: number, windows: number): Float64Array {
  if (line !== null && line.rows.length >= (windows + 1) * BETS.length) return line.rows;
  const rows = room(windows + ROOM_WINDOWS);
  if (line !== null) rows.set(line.rows.subarray(0, (kept + 1) * BETS.length));
  return rows;
}

/** ln((1-rho+rho r g)/(1-rho+rho r)) for each window and bet. */
function allLifts(share: readonly number[], ratio: number, side: Stake['side']): Float64Array {
  const bets = BETS.length;
  const lifts = new Float64Array(share.length * bets);
  const { factors } = SIDES[side];
  for (let i = 0; i < share.length; i += 1) {
    const rho = share[i] ?? 0;
    const rest = 1 - rho;
    const part = rho * ratio;
    const base = rest + part;
    for (let b = 0; b < bets; b += 1) lifts[i * bets + b] = Math.log((rest + part * (factors[b] ?? 1)) / base);
  }
  return lifts;
}

interface Summing {
  readonly columns: RatioColumns;
  readonly stake: Stake;
  /** With the rows before window `from`. */
  readonly rows: Float64Array;
  readonly from: number;
  /** Where they are known. */
  readonly lifts: Float64Array | null;
}

/** Per window and bet g: (1/phi)(x ln g - m ln((1-rho+rho r g)/(1-rho+rho r))), summed up from the first window. */
function summed({ columns, stake, rows, from: first, lifts }: Summing): Float64Array {
  const { events, together, share, spread } = columns;
  const bets = BETS.length;
  const { factors, lnFactors } = SIDES[stake.side];
  for (let i = first; i < events.length; i += 1) {
    const rho = share[i] ?? 0;
    const m = together[i] ?? 0;
    const x = events[i] ?? 0;
    const worth = 1 / (1 + stake.cvSquared * (spread[i] ?? 0));
    const rest = 1 - rho;
    const part = rho * stake.ratio;
    const base = rest + part;
    const row = i * bets;
    for (let b = 0; b < bets; b += 1) {
      const lift =
        m === 0 ? 0 : lifts === null ? Math.log((rest + part * (factors[b] ?? 1)) / base) : (lifts[row + b] ?? 0);
      rows[row + bets + b] = (rows[row + b] ?? 0) + (x * (lnFactors[b] ?? 0) - m * lift) * worth;
    }
  }
  return rows;
}
