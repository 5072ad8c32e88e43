import type { GridSeries, NativePoint } from './increase.ts';

/** A stretch of the aligned grid: points every `stepMs` from `startMs` to `endMs`, both included. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

interface Row {
  readonly labels: Readonly<Record<string, string>>;
  readonly at: Float64Array;
  natives?: (NativePoint | null)[];
  odd?: number[];
  oddNatives?: number[];
}

/** The series of a stretch, put together from the answers to its pieces. */
export interface Matrix {
  /** Adds one answer's `data`. Answers what is wrong with it, null if nothing is. */
  add(data: unknown): string | null;
  series(): GridSeries[];
}

export function createMatrix(stretch: Stretch): Matrix {
  const points = pointsOf(stretch);
  const rows = new Map<string, Row>();
  const add = (data: unknown): string | null => {
    if (!isRecord(data) || data.resultType !== 'matrix' || !Array.isArray(data.result)) {
      return 'Prometheus answered with something other than a matrix of series';
    }
    for (const one of data.result as unknown[]) {
      if (!isRecord(one) || !isRecord(one.metric)) return 'Prometheus answered with a series without labels';
      const row = rowOf(one.metric, rows, points);
      onGrid(one.values, stretch, points, (index, value) => {
        const number = sampleValue(value);
        if (Number.isFinite(number)) row.at[index] = number;
        else row.odd = [...(row.odd ?? []), index];
      });
      if (!Array.isArray(one.histograms)) continue;
      const natives = row.natives ?? new Array<NativePoint | null>(points).fill(null);
      row.natives = natives;
      onGrid(one.histograms, stretch, points, (index, value) => {
        const point = nativePoint(value);
        natives[index] = point;
        if (point === null) row.oddNatives = [...(row.oddNatives ?? []), index];
      });
    }
    return null;
  };
  return { add, series: () => [...rows.values()] };
}

export function pointsOf({ startMs, endMs, stepMs }: Stretch): number {
  return Math.floor((endMs - startMs) / stepMs) + 1;
}

/** Two series with the same labels are one: pieces of a stretch, or an answer that names it twice. */
function rowOf(metric: Record<string, unknown>, rows: Map<string, Row>, points: number): Row {
  let key = '';
  let isText = true;
  for (const name of sortedNames(metric)) {
    const value = metric[name];
    isText &&= typeof value === 'string';
    // The lengths keep two labels from reading as one.
    const text = String(value);
    key += `${name.length} ${text.length} ${name}${text}`;
  }
  const known = rows.get(key);
  if (known !== undefined) return known;
  const labels = isText ? (metric as Record<string, string>) : asTexts(metric);
  const row: Row = { labels, at: new Float64Array(points).fill(Number.NaN) };
  rows.set(key, row);
  return row;
}

/** As they mostly come. */
function sortedNames(metric: Record<string, unknown>): string[] {
  const names = Object.keys(metric);
  return names.every((name, i) => i === 0 || (names[i - 1] ?? '') < name) ? names : names.sort();
}

function asTexts(metric: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(metric).map(([name, value]) => [name, String(value)]));
}

/** Takes the samples that lie on the grid, by index; of several for the same moment the last one holds. */
function onGrid(
  samples: unknown,
  { startMs, stepMs }: Stretch,
  points: number,
  take: (index: number, value: unknown) => void,
): void {
  if (!Array.isArray(samples)) return;
  for (const sample of samples as unknown[]) {
    if (!Array.isArray(sample)) continue;
    const index = Math.round((Number(sample[0]) * 1000 - startMs) / stepMs);
    if (index >= 0 && index < points) take(index, sample[1]);
  }
}

/** Null: not a histogram that can be counted with. */
function nativePoint(value: unknown): NativePoint | null {
  if (!isRecord(value)) return null;
  const count = sampleValue(value.count);
  const buckets: unknown[] = Array.isArray(value.buckets) ? value.buckets : [];
  const lefts = new Float64Array(buckets.length);
  const rights = new Float64Array(buckets.length);
  const counts = new Float64Array(buckets.length);
  for (let k = 0; k < buckets.length; k += 1) {
    const bucket = buckets[k];
    if (!Array.isArray(bucket)) return null;
    lefts[k] = sampleValue(bucket[1]);
    rights[k] = sampleValue(bucket[2]);
    counts[k] = sampleValue(bucket[3]);
    const isWhole = !Number.isNaN(lefts[k]) && !Number.isNaN(rights[k]) && Number.isFinite(counts[k]);
    if (!isWhole) return null;
  }
  return Number.isFinite(count) ? { count, lefts, rights, counts } : null;
}

/** Sample values are strings, with "NaN", "+Inf" and "-Inf" among them; those are numbers nobody can count with. */
function sampleValue(text: unknown): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  if (typeof text !== 'string') return Number.NaN;
  const number = Number(text);
  // Nothing at all reads as 0.
  return number === 0 && text.trim() === '' ? Number.NaN : number;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
