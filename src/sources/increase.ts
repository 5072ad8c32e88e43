/** From counters as Prometheus stores them to what happened in each window. */

/** One native histogram at one moment: cumulative since the process began, as Prometheus writes it (docs/querying/api.md). */
export interface NativePoint {
  readonly count: number;
  /** Bucket k holds what lies between `lefts[k]` and `rights[k]`; empty buckets are left out. */
  readonly lefts: Float64Array;
  readonly rights: Float64Array;
  readonly counts: Float64Array;
}

/** One series on the grid of a range query: a value an index, NaN where there is none. Index 0 ends before the first window. */
export interface GridSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly at: readonly number[];
  /** Where the series is a native histogram, its points by index; `at` is NaN there. */
  readonly natives?: readonly (NativePoint | null)[];
  /** Where a sample was answered that is no number to count with (NaN, an infinity): the series was there all the same. */
  readonly odd?: readonly number[];
  /** The same for native histograms. */
  readonly oddNatives?: readonly number[];
}

/** What a group of series counted in the windows: index i is the window that ends at grid index i+1; NaN: not known. */
export type Increases = number[];

/** So many of NaN. */
export function noNumbers(length: number): number[] {
  return new Array<number>(length).fill(Number.NaN);
}

/** The earliest grid index at which any of these series has a value; Infinity without one. */
export function firstSeen(series: readonly GridSeries[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const s of series) {
    const { at } = s;
    const until = Math.min(first, at.length);
    for (let index = 0; index < until; index += 1) {
      if (Number.isNaN(at[index])) continue;
      first = index;
      break;
    }
  }
  return first;
}

/**
 * What the series counted in the windows, summed; NaN only where none of them knows. Resets before sums: a value below the one before
 * it is a restart of the process, the counter began at 0, so all of it is new. A gap's increase falls into the window in which the
 * series is back.
 *
 * A series that appears later is counted from 0 where others of the same arm were there before (`armSeenAt` < its first index):
 * a first error, or another replica. Where it is the first of its arm nothing is known of what it counted before: its first
 * value is the baseline (a Prometheus that has just begun to scrape must not report months of errors as this minute's).
 */
export function sumIncreases(series: readonly GridSeries[], armSeenAt: number, windows: number): Increases {
  const out = noNumbers(windows);
  for (const { at } of series) {
    const until = Math.min(at.length, windows + 1);
    let before = Number.NaN;
    for (let i = 0; i < until; i += 1) {
      const value = at[i] ?? Number.NaN;
      if (Number.isNaN(value)) continue;
      if (i > 0 && (!Number.isNaN(before) || armSeenAt < i)) {
        const more = value >= before ? value - before : value;
        const sum = out[i - 1] ?? Number.NaN;
        out[i - 1] = Number.isNaN(sum) ? more : sum + more;
      }
      before = value;
    }
  }
  return out;
}

/** Adds what `each` knows; a sum is known as soon as one of its parts is. */
export function addKnown(sum: Increases, each: Increases): void {
  for (let i = 0; i < sum.length; i += 1) {
    const value = each[i] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const before = sum[i] ?? Number.NaN;
    sum[i] = Number.isNaN(before) ? value : before + value;
  }
}
