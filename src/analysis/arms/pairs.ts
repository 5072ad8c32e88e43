import type { Room } from '../evidence/room.ts';
import type { Counts } from './counts.ts';

/** Windows both sides have, with traffic on both: others say nothing about the ratio. */
export interface CountPairs {
  readonly length: number;
  readonly ends: readonly number[];
  /** Of the arm that is asked about. */
  readonly suspectEvents: readonly number[];
  readonly suspectExposure: readonly number[];
  /** Of what it is held against. */
  readonly referenceEvents: readonly number[];
  readonly referenceExposure: readonly number[];
}

/** Both rise by their ends. */
export function pairCounts(suspect: Counts, reference: Counts, room: Room): CountPairs {
  const most = Math.min(suspect.length, reference.length);
  const ends = room.take(most);
  const [suspectEvents, suspectExposure] = [room.take(most), room.take(most)];
  const [referenceEvents, referenceExposure] = [room.take(most), room.take(most)];
  let length = 0;
  let at = 0;
  for (let i = 0; i < suspect.length; i += 1) {
    const endMs = suspect.ends[i] ?? 0;
    while (at < reference.length && (reference.ends[at] ?? 0) < endMs) at += 1;
    if (at >= reference.length) break;
    const ours = suspect.exposure[i] ?? 0;
    const theirs = reference.exposure[at] ?? 0;
    if (reference.ends[at] !== endMs || ours <= 0 || theirs <= 0) continue;
    ends[length] = endMs;
    suspectEvents[length] = suspect.events[i] ?? 0;
    suspectExposure[length] = ours;
    referenceEvents[length] = reference.events[at] ?? 0;
    referenceExposure[length] = theirs;
    length += 1;
  }
  return { length, ends, suspectEvents, suspectExposure, referenceEvents, referenceExposure };
}

/** More windows than this are merged with their neighbours: a day of short windows must not cost a second of CPU. */
const MOST_WINDOWS = 720;

/** Merges neighbours on a coarser aligned grid, so that the same windows are merged at every look. */
export function coarsen(pairs: CountPairs, windowMs: number, room: Room): CountPairs {
  const factor = Math.ceil(pairs.length / MOST_WINDOWS);
  if (factor <= 1) return pairs;
  const grid = windowMs * 2 ** Math.ceil(Math.log2(factor));
  const ends = room.take(pairs.length);
  const [suspectEvents, suspectExposure] = [room.take(pairs.length), room.take(pairs.length)];
  const [referenceEvents, referenceExposure] = [room.take(pairs.length), room.take(pairs.length)];
  // They rise: whoever shares a place on the grid with another stands beside it.
  let last = -1;
  for (let i = 0; i < pairs.length; i += 1) {
    const endMs = Math.ceil((pairs.ends[i] ?? 0) / grid) * grid;
    if (last === -1 || ends[last] !== endMs) {
      last += 1;
      ends[last] = endMs;
      suspectEvents[last] = 0;
      suspectExposure[last] = 0;
      referenceEvents[last] = 0;
      referenceExposure[last] = 0;
    }
    addTo(suspectEvents, last, pairs.suspectEvents[i]);
    addTo(suspectExposure, last, pairs.suspectExposure[i]);
    addTo(referenceEvents, last, pairs.referenceEvents[i]);
    addTo(referenceExposure, last, pairs.referenceExposure[i]);
  }
  return { length: last + 1, ends, suspectEvents, suspectExposure, referenceEvents, referenceExposure };
}

function addTo(column: number[], at: number, value = 0): void {
  column[at] = value + (column[at] ?? 0);
}
