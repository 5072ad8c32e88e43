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
interface Line {
  readonly ends: Float64Array;
  readonly events: Float64Array;
  readonly together: Float64Array;
  readonly share: Float64Array;
  readonly rows: Float64Array;
}

/** Where sums are kept from one look to the next; `at` narrows it to one metric, one test. */
export interface Memory {
  at(name: string): Memory;
  sums(columns: RatioColumns, stake: Stake): Sums;
}

/** Keeps nothing. */
export const forgetful: Memory = {
  at: () => forgetful,
  sums: (columns, stake) => ({ rows: summed(columns, stake, null, 0) }),
};

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
      const rows = summed(columns, stake, line, kept);
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
    ends: line.ends.subarray(window),
    events: line.events.subarray(window),
    together: line.together.subarray(window),
    share: line.share.subarray(window),
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

/**
 * Per window and bet g: (1/phi)(x ln g - m ln((1-rho+rho r g)/(1-rho+rho r))), summed up from the first window. Writes on behind
 * what is kept of `line`, where that has the room: nobody reads sums of an earlier look.
 */
function summed(columns: RatioColumns, stake: Stake, line: Line | null, kept: number): Float64Array {
  const { events, together, share, spread } = columns;
  const bets = BETS.length;
  const n = events.length;
  const hasRoom = line !== null && line.rows.length >= (n + 1) * bets;
  const rows = hasRoom ? line.rows : new Float64Array((n + 1 + ROOM_WINDOWS) * bets);
  if (line !== null && !hasRoom) rows.set(line.rows.subarray(0, (kept + 1) * bets));
  const { factors, lnFactors } = SIDES[stake.side];
  for (let i = kept; i < n; i += 1) {
    const rho = share[i] ?? 0;
    const m = together[i] ?? 0;
    const x = events[i] ?? 0;
    const worth = 1 / (1 + stake.cvSquared * (spread[i] ?? 0));
    const rest = 1 - rho;
    const part = rho * stake.ratio;
    const base = rest + part;
    const row = i * bets;
    for (let b = 0; b < bets; b += 1) {
      const lift = m === 0 ? 0 : Math.log((rest + part * (factors[b] ?? 1)) / base);
      rows[row + bets + b] = (rows[row + b] ?? 0) + (x * (lnFactors[b] ?? 0) - m * lift) * worth;
    }
  }
  return rows;
}
