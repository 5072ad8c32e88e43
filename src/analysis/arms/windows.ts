import type { LookPeriod, ValueWindow } from '../types.ts';

type Stretch = Pick<LookPeriod, 'fromMs' | 'toMs'>;

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
 * The usable values of the period, oldest first, moved `shiftMs` forward (that is how the past is laid over the present).
 * What is not a number is dropped, the last of several for the same moment holds.
 */
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

/** A value that has not moved is held by the exporter or by Prometheus: no other observation. */
export function movedOnly(windows: readonly ValueWindow[]): ValueWindow[] {
  return windows.filter((w, i) => i === 0 || w.value !== windows[i - 1]?.value);
}
