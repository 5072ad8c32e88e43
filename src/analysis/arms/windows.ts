import type { CountWindow, LookPeriod, ValueWindow } from '../types.ts';

type Stretch = Pick<LookPeriod, 'fromMs' | 'toMs'>;

/** Counts beyond this are held to it: far past any traffic, and still exact in a double. */
const MOST = 1e15;
/** Less exposure than this is none. */
const LEAST = 1e-9;
/** More windows than this are merged with their neighbours: a day of short windows must not cost a second of CPU. */
const MOST_WINDOWS = 720;

/** One window of both sides of a comparison. `suspect` is the arm that is asked about, `reference` what it is held against. */
export interface CountPair {
  readonly endMs: number;
  readonly suspectEvents: number;
  readonly suspectExposure: number;
  readonly referenceEvents: number;
  readonly referenceExposure: number;
}

export interface ValuePair {
  readonly endMs: number;
  readonly suspect: number;
  readonly reference: number;
}

/** How many aligned windows end in (fromMs, toMs]. */
export function expectedWindows(fromMs: number, toMs: number, windowMs: number): number {
  if (!(windowMs > 0)) return 0;
  return Math.max(0, Math.floor(toMs / windowMs) - Math.floor(fromMs / windowMs));
}

/**
 * The usable windows of the period, oldest first, moved `shiftMs` forward (that is how the past is laid over the present).
 * What is not a number is dropped, the last of several for the same moment holds, negative counts are none.
 */
export function usableCounts(
  windows: readonly CountWindow[],
  period: Stretch,
  shiftMs: number,
): readonly CountWindow[] {
  if (shiftMs === 0 && areUsable(windows)) return within(windows, period);
  const kept: CountWindow[] = [];
  for (const w of windows) {
    const endMs = Math.round(w.endMs + shiftMs);
    if (!isWithin(endMs, period)) continue;
    if (!Number.isFinite(w.events) || !Number.isFinite(w.exposure)) continue;
    kept.push({
      endMs,
      events: Math.min(MOST, Math.max(0, w.events)),
      exposure: w.exposure < LEAST ? 0 : Math.min(MOST, w.exposure),
    });
  }
  return rising(kept);
}

/** As they nearly always come: rising, each once, and nothing about them to be mended. Not a number is none of it. */
function areUsable(windows: readonly CountWindow[]): boolean {
  let before = Number.NEGATIVE_INFINITY;
  for (const { endMs, events, exposure } of windows) {
    const isUsable =
      endMs > before &&
      Math.round(endMs) === endMs &&
      events >= 0 &&
      events <= MOST &&
      (exposure === 0 || exposure >= LEAST) &&
      exposure <= MOST;
    if (!isUsable) return false;
    before = endMs;
  }
  return true;
}

/** Those of the period; they rise. */
function within(windows: readonly CountWindow[], period: Stretch): readonly CountWindow[] {
  const from = windows.findIndex(({ endMs }) => isWithin(endMs, period));
  if (from === -1) return [];
  let to = windows.length;
  while (to > from && !isWithin(windows[to - 1]?.endMs ?? 0, period)) to -= 1;
  return from === 0 && to === windows.length ? windows : windows.slice(from, to);
}

/** As `usableCounts`, for values. */
export function usableValues(windows: readonly ValueWindow[], period: Stretch, shiftMs: number): ValueWindow[] {
  const kept: ValueWindow[] = [];
  for (const w of windows) {
    const endMs = Math.round(w.endMs + shiftMs);
    if (isWithin(endMs, period) && Number.isFinite(w.value) && Math.abs(w.value) <= 1e100) {
      kept.push({ endMs, value: w.value });
    }
  }
  return rising(kept);
}

function isWithin(endMs: number, { fromMs, toMs }: Stretch): boolean {
  return endMs > fromMs && endMs <= toMs;
}

function rising<W extends { readonly endMs: number }>(windows: W[]): W[] {
  // As they nearly always come: rising, each once.
  if (windows.every((w, i) => i === 0 || w.endMs > (windows[i - 1]?.endMs ?? 0))) return windows;
  const byEnd = new Map(windows.map((w) => [w.endMs, w]));
  return [...byEnd.values()].sort((a, b) => a.endMs - b.endMs);
}

/** Windows both sides have, with traffic on both: others say nothing about the ratio. Both rise by their ends. */
export function pairCounts(suspect: readonly CountWindow[], reference: readonly CountWindow[]): CountPair[] {
  const pairs: CountPair[] = [];
  let at = 0;
  for (const w of suspect) {
    while ((reference[at]?.endMs ?? Number.POSITIVE_INFINITY) < w.endMs) at += 1;
    const other = reference[at];
    if (other === undefined || other.endMs !== w.endMs || w.exposure <= 0 || other.exposure <= 0) continue;
    pairs.push({
      endMs: w.endMs,
      suspectEvents: w.events,
      suspectExposure: w.exposure,
      referenceEvents: other.events,
      referenceExposure: other.exposure,
    });
  }
  return pairs;
}

/**
 * Values both sides have. A pair in which neither side moved since the one before is a value held by the exporter or by
 * Prometheus, not another observation: it is dropped.
 */
export function pairValues(suspect: readonly ValueWindow[], reference: readonly ValueWindow[]): ValuePair[] {
  const others = new Map(reference.map((w) => [w.endMs, w]));
  const pairs: ValuePair[] = [];
  for (const w of suspect) {
    const other = others.get(w.endMs);
    if (other === undefined) continue;
    const last = pairs.at(-1);
    if (last !== undefined && last.suspect === w.value && last.reference === other.value) continue;
    pairs.push({ endMs: w.endMs, suspect: w.value, reference: other.value });
  }
  return pairs;
}

/** Merges neighbours on a coarser aligned grid, so that the same windows are merged at every look. */
export function coarsen(pairs: readonly CountPair[], windowMs: number): readonly CountPair[] {
  const factor = Math.ceil(pairs.length / MOST_WINDOWS);
  if (factor <= 1) return pairs;
  const grid = windowMs * 2 ** Math.ceil(Math.log2(factor));
  const merged = new Map<number, CountPair>();
  for (const p of pairs) {
    const endMs = Math.ceil(p.endMs / grid) * grid;
    const at = merged.get(endMs);
    merged.set(endMs, {
      endMs,
      suspectEvents: p.suspectEvents + (at?.suspectEvents ?? 0),
      suspectExposure: p.suspectExposure + (at?.suspectExposure ?? 0),
      referenceEvents: p.referenceEvents + (at?.referenceEvents ?? 0),
      referenceExposure: p.referenceExposure + (at?.referenceExposure ?? 0),
    });
  }
  return [...merged.values()];
}

/** A value that has not moved is held by the exporter or by Prometheus: no other observation. */
export function movedOnly(windows: readonly ValueWindow[]): ValueWindow[] {
  return windows.filter((w, i) => i === 0 || w.value !== windows[i - 1]?.value);
}
