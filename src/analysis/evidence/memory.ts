import type { CountPairs } from '../arms/pairs.ts';
import { BETS } from './bets.ts';
import type { RatioColumns } from './dispersion.ts';
import type { Room } from './room.ts';
import { createScratch, placeStops } from './scratch.ts';
import type { Stake, Sums } from './sums.ts';

/** Where sums are kept from one look to the next; `at` narrows it to one metric, one test. */
export interface Memory {
  /** What a look needs for itself alone. */
  readonly room: Room;
  /** The same room, for what is asked once and not worth keeping. */
  readonly passing: Memory;
  /** A look begins: what the one before it took of the room is free again. */
  begin(): void;
  at(name: string | number): Memory;
  /** Sums with a stop at least at each of the `starts`, which rise. They hold until the next ones are asked for. */
  sums(columns: RatioColumns, stake: Stake, starts: readonly number[]): Sums;
}

/** Keeps nothing. */
export const forgetful: Memory = {
  get room() {
    return createScratch().room;
  },
  get passing() {
    return forgetful;
  },
  begin: () => undefined,
  at: () => forgetful,
  sums: (columns, stake, starts) => createScratch().sums(columns, stake, starts),
};

/** What is known of one stake's sums: a handful of rows. */
interface Line extends Sums {
  readonly stake: Stake;
  readonly allowance: number;
}

/** The windows that were summed, to see what of the sums still holds. */
interface Seen {
  /** The very windows it is of, while they are looked at. */
  of: CountPairs | null;
  length: number;
  readonly ends: number[];
  readonly suspectEvents: number[];
  readonly suspectExposure: number[];
  readonly referenceEvents: number[];
  readonly referenceExposure: number[];
}

/** A test asks about a handful of ratios, with a handful of noises; what is beyond belongs to looks long gone. */
const MOST_LINES = 64;
/** More metrics, tests and bounds than any policy has. */
const MOST_PARTS = 1_000;
/** Of the newest windows each has a row: a look adds one or two, and what was scraped late stands in the last ones. */
const NEWEST = 3;

/**
 * Keeps what the next looks of one rollout need of the sums: a new window adds to them instead of summing everything anew, and what
 * was read again and differs (a late scrape) is summed again from there on. Whoever holds it forgets it with the rollout.
 * `scratch`: what a look needs for itself alone; many memories may share one.
 */
export function createMemory(scratch = createScratch()): Memory {
  const parts = new Map<string | number, Memory>();
  const lines: Line[] = [];
  const seen: Seen = {
    of: null,
    length: 0,
    ends: [],
    suspectEvents: [],
    suspectExposure: [],
    referenceEvents: [],
    referenceExposure: [],
  };
  return {
    room: scratch.room,
    passing: scratch.passing,
    begin: scratch.begin,
    at(name) {
      const known = parts.get(name);
      if (known !== undefined) return known;
      if (parts.size >= MOST_PARTS) parts.clear();
      const part = createMemory(scratch);
      parts.set(name, part);
      return part;
    },
    sums(columns, stake, starts) {
      if (seen.of !== columns.pairs) look(seen, columns.pairs, lines);
      const line = lineOf(lines, stake, columns.allowance);
      const sums = scratch.latest;
      placeStops(sums, starts, columns.length, NEWEST);
      scratch.finish(takeKnown(line, sums), columns, stake);
      keep(line, sums);
      return sums;
    },
  };
}

function lineOf(lines: Line[], stake: Stake, allowance: number): Line {
  const { ratio, side, cvSquared } = stake;
  for (const line of lines) {
    const its = line.stake;
    if (line.allowance !== allowance || its.ratio !== ratio) continue;
    if (its.side === side && its.cvSquared === cvSquared) return line;
  }
  if (lines.length >= MOST_LINES) lines.length = 0;
  const line = { stake, allowance, count: 0, stops: [], rows: [] };
  lines.push(line);
  return line;
}

/** Fills in the rows the line knows, and says of how many stops from the first one on. */
function takeKnown(line: Line, { count, stops, rows }: Sums): number {
  const bets = BETS.length;
  let at = 0;
  for (let k = 0; k < count; k += 1) {
    const stop = stops[k] ?? 0;
    while (at < line.count && (line.stops[at] ?? 0) < stop) at += 1;
    if (at >= line.count || line.stops[at] !== stop) return k;
    for (let b = 0; b < bets; b += 1) rows[k * bets + b] = line.rows[at * bets + b] ?? 0;
  }
  return count;
}

function keep(line: Line, { count, stops, rows }: Sums): void {
  for (let k = 0; k < count; k += 1) line.stops[k] = stops[k] ?? 0;
  for (let k = 0; k < count * BETS.length; k += 1) line.rows[k] = rows[k] ?? 0;
  line.count = count;
}

/** Of the lines there remains what still holds: the sums of the windows both begin with. */
function look(seen: Seen, pairs: CountPairs, lines: readonly Line[]): void {
  let kept = 0;
  while (kept < Math.min(seen.length, pairs.length) && isSame(seen, pairs, kept)) kept += 1;
  for (const line of lines) while (line.count > 0 && (line.stops[line.count - 1] ?? 0) > kept) line.count -= 1;
  for (let i = kept; i < pairs.length; i += 1) {
    seen.ends[i] = pairs.ends[i] ?? 0;
    seen.suspectEvents[i] = pairs.suspectEvents[i] ?? 0;
    seen.suspectExposure[i] = pairs.suspectExposure[i] ?? 0;
    seen.referenceEvents[i] = pairs.referenceEvents[i] ?? 0;
    seen.referenceExposure[i] = pairs.referenceExposure[i] ?? 0;
  }
  seen.length = pairs.length;
  seen.of = pairs;
}

function isSame(seen: Seen, pairs: CountPairs, i: number): boolean {
  return (
    seen.ends[i] === pairs.ends[i] &&
    seen.suspectEvents[i] === pairs.suspectEvents[i] &&
    seen.suspectExposure[i] === pairs.suspectExposure[i] &&
    seen.referenceEvents[i] === pairs.referenceEvents[i] &&
    seen.referenceExposure[i] === pairs.referenceExposure[i]
  );
}
