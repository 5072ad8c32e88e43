import type { Tail } from '../arms/arm.ts';
import { boundsAskedFor } from '../arms/bounds.ts';
import { type Counts, NO_COUNTS, others, totalsOf } from '../arms/counts.ts';
import { pairCounts } from '../arms/pairs.ts';
import type { Room } from '../evidence/room.ts';
import type { Stratum } from './counted.ts';

/** Tails outside of this say too little, or nothing about slowness (analysis.md). */
const SMALLEST_TAIL = 0.002;
const LARGEST_TAIL = 0.9;
/** More bounds than this add cost, not knowledge: they are thinned out evenly. */
const MOST_BOUNDS = 6;

/**
 * The bounds that are tested, as pairs for the ratio test. Where most requests are slower than a bound, the fast ones are
 * counted and the arms change places: a ratio of two large shares hardly moves.
 */
export function latencyStrata(
  suspect: readonly Tail[],
  reference: readonly Tail[],
  past: readonly Tail[],
  only: readonly number[],
  room: Room,
): Stratum[] {
  const byBound = new Map(reference.map((t) => [t.bound, t]));
  const known: { tail: Tail; other: Tail; share: number }[] = [];
  const inBoth = suspect.map((t) => t.bound).filter((bound) => byBound.has(bound));
  const asked = boundsAskedFor(inBoth, only);
  for (const tail of suspect) {
    const other = byBound.get(tail.bound);
    if (other === undefined || !asked.has(tail.bound)) continue;
    const share = tailShare(other.counts);
    if (share !== null) known.push({ tail, other, share });
  }
  known.sort((a, b) => a.tail.bound - b.tail.bound);
  return thinned(telling(known)).map(({ tail, other, share }) => {
    const shares = { bound: tail.bound, suspect: tailShare(tail.counts) ?? 0, reference: share };
    const before = past.find((t) => t.bound === tail.bound)?.counts ?? NO_COUNTS;
    if (share <= 0.5) return { pairs: pairCounts(tail.counts, other.counts, room), past: before, tail: shares };
    // The fast ones.
    const pairs = pairCounts(others(other.counts, room), others(tail.counts, room), room);
    return { pairs, past: others(before, room), tail: shares };
  });
}

/** Bounds with a telling tail; where there is none, the one that comes nearest to having one. */
function telling<T extends { readonly share: number }>(known: readonly T[]): readonly T[] {
  const within = known.filter((k) => k.share >= SMALLEST_TAIL && k.share <= LARGEST_TAIL);
  if (within.length > 0) return within;
  const last = known.findLast((k) => k.share > LARGEST_TAIL);
  const first = known.find((k) => k.share < SMALLEST_TAIL);
  return first !== undefined ? [first] : last !== undefined ? [last] : [];
}

function thinned<T>(list: readonly T[]): readonly T[] {
  if (list.length <= MOST_BOUNDS) return list;
  return Array.from(
    { length: MOST_BOUNDS },
    (_, i) => list[Math.round((i * (list.length - 1)) / (MOST_BOUNDS - 1))],
  ).filter((item) => item !== undefined);
}

/** Share of requests slower than the bound, over all windows; null without requests. */
function tailShare(counts: Counts): number | null {
  const { events, exposure } = totalsOf(counts);
  return exposure > 0 ? events / exposure : null;
}

/**
 * Quantile of a histogram as Prometheus' histogram_quantile interpolates it: for showing, never for testing (a true p95 of
 * .268 s can show as .306 s). `buckets` are cumulative counts by upper bound, rising, the last bound +Infinity or the largest.
 * In the topmost bucket the largest finite bound is given. Null without events.
 */
export function quantile(
  share: number,
  buckets: readonly { readonly bound: number; readonly count: number }[],
): number | null {
  const total = buckets.at(-1)?.count ?? 0;
  if (!(total > 0)) return null;
  const rank = share * total;
  let lowerBound = 0;
  let lowerCount = 0;
  for (const { bound, count } of buckets) {
    if (count >= rank && Number.isFinite(bound)) {
      if (bound <= 0 || count === lowerCount) return bound;
      return lowerBound + ((bound - lowerBound) * (rank - lowerCount)) / (count - lowerCount);
    }
    if (!Number.isFinite(bound)) break;
    lowerBound = bound;
    lowerCount = count;
  }
  return lowerBound;
}
