import { type GridSeries, type NativePoint, noNumbers } from './increase.ts';
import { pointsOf, type Stretch, sameLabels } from './matrix.ts';
import { sliced } from './slice.ts';
import { SETTLED_MS } from './windows.ts';

/** What is kept of one query, and how new points are put to it. */

/** Fewer points than this are not worth putting together. */
const WORTH = 3;
/** Points kept, to those that were asked for last: what only looks before have read goes. */
const MOST_LENGTH = 2;

/** A window of a metric of two selectors, for each of them. */
const WINDOW_BYTES = 32;
/** Answers that are kept as they are. */
const MOST_ANSWERS = 2;

export interface Span {
  readonly stretch: Stretch;
  /** Kept until here; what lies behind it in `series` is read anew. */
  readonly settledMs: number;
  readonly series: readonly GridSeries[];
  /** When it was last read as a whole. */
  readonly readAtMs: number;
  /** Answers to what was asked last, the newest first: what is asked again gets the same, down to the object. */
  answers: readonly Answered[];
}

export interface Answered {
  readonly stretch: Stretch;
  readonly series: GridSeries[];
}

/** What is to be kept of an answer that was asked for at `askedAtMs`; null where next to nothing of it has settled. */
export function spanOf(
  read: { readonly stretch: Stretch; readonly series: readonly GridSeries[] },
  last: Answered,
  at: { readonly askedAtMs: number; readonly lateMs: number; readonly readAtMs: number },
): Span | null {
  const { stretch, series } = pointsOf(read.stretch) > MOST_LENGTH * pointsOf(last.stretch) ? last : read;
  const { startMs, endMs, stepMs } = stretch;
  const settled = startMs + Math.floor((at.askedAtMs - SETTLED_MS - at.lateMs - startMs) / stepMs) * stepMs;
  // Where all of them end, what is to come may be late as a whole.
  const known = series.length === 0 ? endMs : startMs + lastKnown(series) * stepMs;
  const settledMs = Math.min(endMs, settled, known);
  if (settledMs < startMs + WORTH * stepMs) return null;
  return { stretch, settledMs, series, readAtMs: at.readAtMs, answers: [last] };
}

/** What of the stretch is not kept: null for nothing. One kept point more is asked for, to see that it is still the same. */
export function missingOf({ stretch: kept, settledMs }: Span, asked: Stretch): Stretch | 'all' | null {
  const { stepMs } = kept;
  if (asked.stepMs !== stepMs || (asked.startMs - kept.startMs) % stepMs !== 0) return 'all';
  const shared = (Math.min(asked.endMs, settledMs) - Math.max(asked.startMs, kept.startMs)) / stepMs;
  const [isBefore, isAfter] = [asked.startMs < kept.startMs, asked.endMs > settledMs];
  if (shared < 0 || (isBefore && isAfter)) return 'all';
  if (!isBefore && !isAfter) return null;
  if (shared < WORTH) return 'all';
  return isBefore
    ? { startMs: asked.startMs, endMs: kept.startMs, stepMs }
    : { startMs: settledMs, endMs: asked.endMs, stepMs };
}

/**
 * The kept points and those of `part`, which has one in common with them. Null where they do not fit: that point has changed, or
 * there are series that were not there, whose place among the others is not known.
 */
export function put(
  span: Span,
  part: Stretch,
  found: readonly GridSeries[],
): { readonly stretch: Stretch; readonly series: GridSeries[] } | null {
  const { startMs, stepMs } = span.stretch;
  const kept: Stretch = { startMs, endMs: span.settledMs, stepMs };
  const stretch = { startMs: Math.min(startMs, part.startMs), endMs: Math.max(kept.endMs, part.endMs), stepMs };
  const offset = (of: Stretch) => Math.round((of.startMs - stretch.startMs) / stepMs);
  const [keptAt, partAt] = [offset(kept), offset(part)];
  const common = part.startMs < startMs ? keptAt : partAt;
  const series: GridSeries[] = [];
  let next = 0;
  for (const one of span.series) {
    const other = found[next];
    const more = other !== undefined && sameLabels(one.labels, other.labels) ? other : null;
    if (more !== null) next += 1;
    if (!sameAt(one, common - keptAt, more, common - partAt)) return null;
    const own = { of: one, at: keptAt, length: pointsOf(kept) };
    const added = more === null ? [] : [{ of: more, at: partAt, length: pointsOf(part) }];
    series.push(laid(one.labels, pointsOf(stretch), partAt < keptAt ? [...added, own] : [own, ...added]));
  }
  if (next < found.length) return null;
  return { stretch, series: series.filter(isThere) };
}

/** Earlier pieces stand first. */
interface Piece {
  readonly of: GridSeries;
  readonly at: number;
  readonly length: number;
}

function laid(labels: GridSeries['labels'], points: number, pieces: readonly Piece[]): GridSeries {
  const at = noNumbers(points);
  let natives: (NativePoint | null)[] | undefined;
  const odd: number[] = [];
  const oddNatives: number[] = [];
  for (const { of, at: from, length } of pieces) {
    for (let k = 0; k < length; k += 1) at[from + k] = of.at[k] ?? Number.NaN;
    if (of.natives !== undefined) {
      natives ??= new Array<NativePoint | null>(points).fill(null);
      for (let k = 0; k < length; k += 1) natives[from + k] = of.natives[k] ?? null;
    }
    // The point they have in common is told once.
    for (const k of of.odd ?? []) if (k < length && odd.at(-1) !== from + k) odd.push(from + k);
    for (const k of of.oddNatives ?? []) if (k < length && oddNatives.at(-1) !== from + k) oddNatives.push(from + k);
  }
  const hasNatives = oddNatives.length > 0 || (natives?.some((point) => point !== null) ?? false);
  return {
    labels,
    at,
    ...(natives !== undefined && hasNatives ? { natives } : {}),
    ...(odd.length > 0 ? { odd } : {}),
    ...(oddNatives.length > 0 ? { oddNatives } : {}),
  };
}

/** Whether both say the same of one moment; null says that nothing is there. */
function sameAt(a: GridSeries, i: number, b: GridSeries | null, k: number): boolean {
  const [native, other] = [a.natives?.[i] ?? null, b?.natives?.[k] ?? null];
  return (
    Object.is(a.at[i] ?? Number.NaN, b?.at[k] ?? Number.NaN) &&
    native?.count === other?.count &&
    native?.counts.length === other?.counts.length
  );
}

function isThere(one: GridSeries): boolean {
  return one.natives !== undefined || one.odd !== undefined || !one.at.every(Number.isNaN);
}

/** The last index at which any series has something. */
function lastKnown(series: readonly GridSeries[]): number {
  let last = -1;
  for (const { at, natives, odd } of series) {
    for (let i = at.length - 1; i > last; i -= 1) if (!Number.isNaN(at[i]) || (natives?.[i] ?? null) !== null) last = i;
    last = Math.max(last, odd?.at(-1) ?? -1);
  }
  return last;
}

/** Bytes, about: what a string, an object and a number take. */
export function weightOfSeries(series: readonly GridSeries[]): number {
  let bytes = 100;
  for (const { labels, at, natives } of series) {
    bytes += 200 + 8 * at.length;
    for (const name in labels) bytes += 48 + (labels[name]?.length ?? 0);
    for (const point of natives ?? []) bytes += 8 + (point === null ? 0 : 300 + 24 * point.counts.length);
  }
  return bytes;
}

/** With what is made of it: windows of a metric, which live as long as the answer does. */
export function weightOfSpan({ series, answers }: Span): number {
  let bytes = weightOfSeries(series);
  for (const answer of answers) {
    const points = pointsOf(answer.stretch);
    // The numbers are its own; the labels are those of the series.
    bytes += WINDOW_BYTES * points + (answer.series === series ? 0 : 8 * points * series.length);
  }
  return bytes;
}

/** The answer over a stretch that is kept whole. */
export function answerOf(span: Span, asked: Stretch): GridSeries[] {
  const known = span.answers.find((a) => a.stretch.startMs === asked.startMs && a.stretch.endMs === asked.endMs);
  if (known !== undefined) return known.series;
  const answer = { stretch: asked, series: sliced(span.series, span.stretch, asked) };
  // The past of a look moves by a window and back.
  span.answers = [answer, ...span.answers].slice(0, MOST_ANSWERS);
  return answer.series;
}
