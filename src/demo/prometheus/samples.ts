import { compileMatcher } from '../../domain/match.ts';
import type { Matcher } from '../../domain/policy.ts';
import type { ScrapedSample } from './exposition.ts';

export type Labels = Readonly<Record<string, string>>;

/** One series in memory, oldest first. A null value is a staleness mark: the series ended there. */
export interface StoredSeries {
  readonly labels: Labels;
  readonly timesMs: number[];
  readonly values: (number | null)[];
}

/** Prometheus' `--query.lookback-delta`: how long a sample stands for its series where no newer one came. */
export const LOOKBACK_MS = 5 * 60_000;
/** More than any query of the demo goes back. */
const KEPT_MS = 15 * 60_000;
/** As much at four scrapes a second, and more than the demo makes. */
const MOST_SAMPLES = 3_600;
/** The lab has some dozens of series. A page that invents labels must not fill the memory. */
const MOST_SERIES = 2_000;

/** The samples of the stand-in: bounded in series and in age, with Prometheus' staleness. */
export class SampleStore {
  private readonly series = new Map<string, StoredSeries>();
  private present = new Set<string>();

  /** Takes in one scrape. Series that were in the one before and are not in this one end here, as do all of a failed one. */
  append(atMs: number, samples: readonly ScrapedSample[]): void {
    const seen = new Set<string>();
    for (const { labels, value } of samples) {
      const key = keyOf(labels);
      const series = this.series.get(key) ?? this.begin(key, labels);
      if (series === null) continue;
      seen.add(key);
      push(series, atMs, value);
    }
    for (const key of this.present) {
      const series = this.series.get(key);
      if (!seen.has(key) && series) push(series, atMs, null);
    }
    this.present = seen;
    this.forget(atMs);
  }

  /** Series all matchers hold for, in the order of their labels. */
  select(matchers: readonly Matcher[]): StoredSeries[] {
    const tests = matchers.map((matcher) => ({ label: matcher.label, accepts: compileMatcher(matcher) }));
    return [...this.series.entries()]
      .filter(([, { labels }]) => tests.every(({ label, accepts }) => accepts(labelOf(labels, label))))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, series]) => series);
  }

  private begin(key: string, labels: Labels): StoredSeries | null {
    if (this.series.size >= MOST_SERIES) return null;
    const series: StoredSeries = { labels, timesMs: [], values: [] };
    this.series.set(key, series);
    return series;
  }

  private forget(nowMs: number): void {
    for (const [key, { timesMs }] of this.series) {
      if ((timesMs.at(-1) ?? 0) < nowMs - KEPT_MS) this.series.delete(key);
    }
  }
}

/** What a series is worth at a moment: its newest sample, if that is not older than the lookback and no end of the series. */
export function valueAt(series: StoredSeries, atMs: number): number | null {
  const index = newestAt(series, atMs);
  const time = series.timesMs[index];
  if (time === undefined || time < atMs - LOOKBACK_MS) return null;
  return series.values[index] ?? null;
}

/** The samples in [fromMs, toMs], as a range selector takes them: without the marks. */
export function samplesIn(series: StoredSeries, fromMs: number, toMs: number): { atMs: number; value: number }[] {
  const found: { atMs: number; value: number }[] = [];
  for (let i = newestAt(series, toMs); i >= 0; i -= 1) {
    const atMs = series.timesMs[i] ?? 0;
    if (atMs < fromMs) break;
    const value = series.values[i];
    if (value !== null && value !== undefined) found.unshift({ atMs, value });
  }
  return found;
}

function newestAt({ timesMs }: StoredSeries, atMs: number): number {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((timesMs[middle] ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function push(series: StoredSeries, atMs: number, value: number | null): void {
  series.timesMs.push(atMs);
  series.values.push(value);
  if (series.timesMs.length <= MOST_SAMPLES) return;
  series.timesMs.shift();
  series.values.shift();
}

/** The same labels give the same text, in whatever order they were written. */
export function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function labelOf(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}
