import { BETS } from './bets.ts';
import type { RatioColumns } from './dispersion.ts';
import type { Memory } from './memory.ts';
import { createRoom, numbers } from './room.ts';
import { lift, liftsFor, type Stake, type Sums, sumUp, weigh } from './sums.ts';

/** A memory for looks that are summed anew each time. */
export interface Scratch extends Memory {
  /** The sums that were asked for last, and where the next ones are made. */
  readonly latest: Sums;
  /** Makes the latest sums whole: there are rows for the first `known` stops. */
  finish(known: number, columns: RatioColumns, stake: Stake): Sums;
}

/** Lifts of all of a look's windows. */
interface Lifts {
  readonly ratio: number;
  readonly side: Stake['side'];
  readonly share: readonly number[];
  readonly windows: number;
  readonly values: number[];
}

/** Of so many shares and stakes they are kept: more are of metrics that have nothing in common. */
const MOST_LIFTS = 64;

/**
 * What one look needed is used again for the next. Metrics of the same traffic are bet on with the same stakes, and what depends on
 * nothing but the share of the traffic is found once for all of them.
 */
export function createScratch(): Scratch {
  const room = createRoom();
  const known: Lifts[] = [];
  let used = 0;
  /** Lifts that are not kept. */
  let unkept: number[] = [];
  let weights: number[] = [];
  let weighed: { readonly columns: RatioColumns; readonly cvSquared: number } | null = null;

  function liftsOf(columns: RatioColumns, stake: Stake, from: number, isKept: boolean): readonly number[] {
    const { share, length } = columns;
    for (let k = 0; k < used; k += 1) {
      const one = known[k];
      if (one?.ratio !== stake.ratio || one.side !== stake.side || one.windows !== length) continue;
      if (areSame(one.share, share, length)) return one.values;
    }
    const keeps = isKept && from === 0 && used < MOST_LIFTS;
    const values = withRoom(keeps ? (known[used]?.values ?? []) : unkept, liftsFor(length));
    lift(values, columns, stake, from);
    if (keeps) {
      known[used] = { ratio: stake.ratio, side: stake.side, share, windows: length, values };
      used += 1;
    } else unkept = values;
    return values;
  }

  function weightsOf(columns: RatioColumns, cvSquared: number): readonly number[] {
    if (weighed?.columns === columns && weighed.cvSquared === cvSquared) return weights;
    weights = withRoom(weights, columns.length);
    weigh(weights, columns, cvSquared);
    weighed = { columns, cvSquared };
    return weights;
  }

  const latest: Sums = { count: 0, stops: [], rows: [] };
  const finish = (rows: number, columns: RatioColumns, stake: Stake, isKept: boolean) => {
    const from = rows > 0 ? (latest.stops[rows - 1] ?? 0) : 0;
    const terms = { lifts: liftsOf(columns, stake, from, isKept), weights: weightsOf(columns, stake.cvSquared) };
    sumUp(latest, rows, columns, stake.side, terms);
    return latest;
  };
  const anew = (columns: RatioColumns, stake: Stake, starts: readonly number[], isKept: boolean) => {
    placeStops(latest, starts, columns.length, 0);
    return finish(0, columns, stake, isKept);
  };
  const begin = () => {
    room.empty();
    used = 0;
    weighed = null;
  };
  const passing: Memory = {
    room,
    begin,
    get passing() {
      return passing;
    },
    at: () => passing,
    sums: (columns, stake, starts) => anew(columns, stake, starts, false),
  };
  const scratch: Scratch = {
    room,
    passing,
    begin,
    latest,
    at: () => scratch,
    sums: (columns, stake, starts) => anew(columns, stake, starts, true),
    finish: (rows, columns, stake) => finish(rows, columns, stake, true),
  };
  return scratch;
}

/** At the starts, and behind each of so many of the newest windows. */
export function placeStops(sums: Sums, starts: readonly number[], windows: number, newest: number): void {
  let count = 0;
  const first = Math.max(0, windows - newest);
  for (const start of starts) {
    if (start >= first) break;
    sums.stops[count] = start;
    count += 1;
  }
  for (let stop = first; stop <= windows; stop += 1) {
    sums.stops[count] = stop;
    count += 1;
  }
  sums.count = count;
  sums.rows = withRoom(sums.rows, count * BETS.length);
}

function withRoom(array: number[], count: number): number[] {
  return array.length >= count ? array : numbers(count);
}

function areSame(a: readonly number[], b: readonly number[], length: number): boolean {
  if (a === b) return true;
  for (let i = 0; i < length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
