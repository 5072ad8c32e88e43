import { type GridSeries, type NativePoint, noNumbers } from './increase.ts';

/** A stretch of the aligned grid: points every `stepMs` from `startMs` to `endMs`, both included. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

type Labels = Readonly<Record<string, string>>;

interface Row {
  readonly labels: Labels;
  readonly at: number[];
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
  const rows = createRows(points);
  const add = (data: unknown): string | null => {
    if (!isRecord(data) || data.resultType !== 'matrix' || !Array.isArray(data.result)) {
      return 'Prometheus answered with something other than a matrix of series';
    }
    for (const one of data.result as unknown[]) {
      if (!isRecord(one) || !isRecord(one.metric)) return 'Prometheus answered with a series without labels';
      const row = rows.of(one.metric);
      if (Array.isArray(one.values)) addValues(row, one.values, stretch);
      if (Array.isArray(one.histograms)) addHistograms(row, one.histograms, stretch);
    }
    return null;
  };
  return { add, series: () => rows.all };
}

function addValues(row: Row, samples: readonly unknown[], stretch: Stretch): void {
  for (const sample of samples) {
    const index = onGrid(sample, stretch);
    if (index < 0) continue;
    const number = sampleValue((sample as unknown[])[1]);
    if (Number.isFinite(number)) row.at[index] = number;
    else row.odd = [...(row.odd ?? []), index];
  }
}

function addHistograms(row: Row, samples: readonly unknown[], stretch: Stretch): void {
  row.natives ??= new Array<NativePoint | null>(row.at.length).fill(null);
  for (const sample of samples) {
    const index = onGrid(sample, stretch);
    if (index < 0) continue;
    const point = nativePoint((sample as unknown[])[1]);
    row.natives[index] = point;
    if (point === null) row.oddNatives = [...(row.oddNatives ?? []), index];
  }
}

export function pointsOf({ startMs, endMs, stepMs }: Stretch): number {
  return Math.floor((endMs - startMs) / stepMs) + 1;
}

/** Two series with the same labels are one: pieces of a stretch, or an answer that names it twice. */
function createRows(points: number): { readonly all: Row[]; of(metric: Record<string, unknown>): Row } {
  const all: Row[] = [];
  const nothing = noNumbers(points);
  /** By a number made of the labels, or the next one that is free: to write them down as a text costs more than all else here. */
  const known = new Map<number, Row>();
  return {
    all,
    of: (metric) => {
      const labels = asTexts(metric);
      let hash = hashOf(labels);
      for (let row = known.get(hash); row !== undefined; row = known.get(hash)) {
        if (sameLabels(row.labels, labels)) return row;
        hash = (hash + 1) | 0;
      }
      const row: Row = { labels, at: nothing.slice() };
      known.set(hash, row);
      all.push(row);
      return row;
    },
  };
}

/** The same for the same labels, whatever order they come in. */
function hashOf(labels: Labels): number {
  let hash = 0;
  for (const name in labels) {
    const value = labels[name] ?? '';
    let own = name.length;
    for (let i = 0; i < value.length; i += 1) own = (Math.imul(own, 31) + value.charCodeAt(i)) | 0;
    hash = (hash + own) | 0;
  }
  return hash;
}

export function sameLabels(a: Labels, b: Labels): boolean {
  let count = 0;
  for (const name in a) {
    if (a[name] !== b[name]) return false;
    count += 1;
  }
  for (const _ in b) count -= 1;
  return count === 0;
}

/** As they mostly come. */
function asTexts(metric: Record<string, unknown>): Labels {
  for (const name in metric) {
    if (typeof metric[name] === 'string') continue;
    return Object.fromEntries(Object.entries(metric).map(([of, value]) => [of, String(value)]));
  }
  return metric as Labels;
}

/** A sample's index; below 0 where it is none, or does not lie on the grid. Of several for the same moment the last one holds. */
function onGrid(sample: unknown, { startMs, endMs, stepMs }: Stretch): number {
  if (!Array.isArray(sample)) return -1;
  const index = Math.round((Number(sample[0]) * 1000 - startMs) / stepMs);
  return index >= 0 && index <= Math.floor((endMs - startMs) / stepMs) ? index : -1;
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
