import type { CountWindow, Series } from '../analysis/types.ts';
import { addKnown, type GridSeries, type Increases, type NativePoint, noNumbers } from './increase.ts';

/**
 * Native histograms as tails. Their buckets are many, and come and go as they fill, and are made coarser when they become too many:
 * counts are taken at boundaries that lie within no bucket of any point, so nothing is interpolated.
 */

/** What was found of native histograms in one arm. */
export interface NativeArm {
  readonly series: readonly GridSeries[];
  readonly endsMs: readonly number[];
}

/** Tails outside of this say too little, or nothing about slowness (analysis.md). */
const SMALLEST_TAIL = 0.002;
const LARGEST_TAIL = 0.9;
/** Without bounds of the policy: the boundaries whose tails come nearest to these shares. 5 % is the p95 people read. */
const TELLING_TAILS = [0.5, 0.25, 0.1, 0.05, 0.02, 0.005];
/** Boundaries come as decimal texts, and the same one of two resolutions may differ in the last digit. */
const SAME = 1e-9;

/**
 * The boundaries at which all arms are counted, so that they can be compared: the policy's bounds snapped to the nearest boundary,
 * or, without any, up to six with a telling tail in `reference` (0.2 % to 90 % are slower). Rising, none twice.
 */
export function boundsFor(
  arms: readonly NativeArm[],
  reference: readonly NativeArm[],
  asked: readonly number[],
): number[] {
  const boundaries = commonBoundaries(arms);
  if (boundaries.length === 0) return [];
  if (asked.length > 0) return rising(asked.map((bound) => nearest(boundaries, (b) => ratioApart(b, bound))));
  const shares = tailShares(reference, boundaries);
  const telling = boundaries.filter((_, i) => within(shares[i]));
  if (telling.length === 0) return rising([nearest(boundaries, (_, i) => ratioApart(shares[i] ?? 0, SMALLEST_TAIL))]);
  const known = new Map(boundaries.map((b, i) => [b, shares[i] ?? 0]));
  return rising(TELLING_TAILS.map((share) => nearest(telling, (b) => ratioApart(known.get(b) ?? 0, share))));
}

/** How many were slower than each bound in each window; windows nothing is known of are left out. */
export function nativeTails(arm: NativeArm, bounds: readonly number[]): Series {
  const windows = arm.endsMs.length;
  const seenAt = Math.min(Number.POSITIVE_INFINITY, ...arm.series.map(firstPoint));
  const sums: Increases[] = Array.from({ length: bounds.length + 1 }, () => noNumbers(windows));
  for (const series of arm.series) {
    increasesAt(series.natives ?? [], bounds, seenAt, windows).forEach((each, k) => {
      const sum = sums[k];
      if (sum !== undefined) addKnown(sum, each);
    });
  }
  const [all] = sums;
  return {
    kind: 'tails',
    bounds: bounds.map((bound, k) => {
      const slow = sums[k + 1];
      const of = arm.endsMs.flatMap((endMs, i): CountWindow[] => {
        const exposure = all?.[i] ?? Number.NaN;
        return Number.isNaN(exposure) ? [] : [{ endMs, events: slow?.[i] ?? 0, exposure }];
      });
      return { bound, windows: of };
    }),
  };
}

/**
 * Increases of one series: all, then those slower than each bound. A reset is one of the whole histogram: some count fell, and
 * everything in it is new. Where a series begins counts as for plain counters (`sumIncreases`).
 */
function increasesAt(
  points: readonly (NativePoint | null)[],
  bounds: readonly number[],
  armSeenAt: number,
  windows: number,
): Increases[] {
  const out = Array.from({ length: bounds.length + 1 }, () => noNumbers(windows));
  let before: number[] | null = null;
  points.forEach((point, i) => {
    if (point === null) return;
    const now = [point.count, ...bounds.map((bound) => slowerThan(point, bound))];
    if (i > 0 && (before !== null || armSeenAt < i)) {
      const from = before === null || hasReset(before, now) ? null : before;
      now.forEach((value, k) => {
        const each = out[k];
        if (each !== undefined) each[i - 1] = value - (from?.[k] ?? 0);
      });
    }
    before = now;
  });
  return out;
}

/** Also where the slower ones grew by more than there were: the fast ones fell. */
function hasReset(before: readonly number[], now: readonly number[]): boolean {
  const all = (now[0] ?? 0) - (before[0] ?? 0);
  return now.some((value, k) => {
    const more = value - (before[k] ?? 0);
    return more < 0 || more > all + SAME * (now[0] ?? 0);
  });
}

function slowerThan(point: NativePoint, bound: number): number {
  let slow = 0;
  for (let k = 0; k < point.counts.length; k += 1) {
    if ((point.lefts[k] ?? 0) >= bound - Math.abs(bound) * SAME) slow += point.counts[k] ?? 0;
  }
  return slow;
}

/** Edges of buckets that no bucket of any point spans, rising. */
function commonBoundaries(arms: readonly NativeArm[]): number[] {
  const spans = new Map<number, Set<number>>();
  for (const point of pointsIn(arms)) {
    for (let k = 0; k < point.counts.length; k += 1) {
      const left = point.lefts[k] ?? 0;
      const rights = spans.get(left) ?? new Set();
      rights.add(point.rights[k] ?? 0);
      spans.set(left, rights);
    }
  }
  const buckets = [...spans].flatMap(([left, rights]) => [...rights].map((right) => ({ left, right })));
  const edges = rising(buckets.flatMap(({ left, right }) => [left, right]).filter(Number.isFinite));
  return edges.filter((edge) => {
    const slack = Math.abs(edge) * SAME;
    return !buckets.some(({ left, right }) => left < edge - slack && right > edge + slack);
  });
}

/** Share of all that was slower than each boundary: from the first point of a series to the last, over its resets. */
function tailShares(arms: readonly NativeArm[], boundaries: readonly number[]): number[] {
  const slow = new Float64Array(boundaries.length);
  let all = 0;
  const add = (point: NativePoint, sign: 1 | -1) => {
    all += sign * point.count;
    boundaries.forEach((bound, i) => {
      slow[i] = (slow[i] ?? 0) + sign * slowerThan(point, bound);
    });
  };
  for (const { series } of arms) {
    for (const { natives = [] } of series) {
      const points = natives.filter((p) => p !== null);
      points.forEach((point, i) => {
        const next = points[i + 1];
        if (i === 0) add(point, -1);
        if (next === undefined || next.count < point.count) add(point, 1);
      });
    }
  }
  return all > 0 ? [...slow].map((s) => s / all) : boundaries.map(() => 0);
}

function* pointsIn(arms: readonly NativeArm[]): Generator<NativePoint> {
  for (const { series } of arms) {
    for (const { natives = [] } of series) for (const point of natives) if (point !== null) yield point;
  }
}

function firstPoint({ natives = [] }: GridSeries): number {
  const index = natives.findIndex((p) => p !== null);
  return index < 0 ? Number.POSITIVE_INFINITY : index;
}

function within(share: number | undefined): boolean {
  return share !== undefined && share >= SMALLEST_TAIL && share <= LARGEST_TAIL;
}

/** Bounds and shares are far apart by their ratio; what is not above 0 is far from everything that is. */
function ratioApart(a: number, b: number): number {
  if (a > 0 && b > 0) return Math.abs(Math.log(a / b));
  return a === b ? 0 : 1e6 + Math.abs(a - b);
}

function nearest(list: readonly number[], apart: (item: number, index: number) => number): number {
  let best = list[0] ?? 0;
  let least = Number.POSITIVE_INFINITY;
  list.forEach((item, i) => {
    const distance = apart(item, i);
    if (distance < least) {
      least = distance;
      best = item;
    }
  });
  return best;
}

/** In order, and what differs in its last digit only once. */
function rising(list: readonly number[]): number[] {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted.filter((item, i) => i === 0 || item - (sorted[i - 1] ?? 0) > Math.abs(item) * SAME);
}
