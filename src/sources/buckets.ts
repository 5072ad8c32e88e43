import { type Counted, nothing, windowsOf } from './counts.ts';
import { firstSeen, type GridSeries, sumIncreases } from './increase.ts';

/** Cumulative buckets become "slower than the bound". Only bounds that every instance has can be summed. */
export function tails(buckets: readonly GridSeries[], endsMs: readonly number[]): Counted {
  const seenAt = firstSeen(buckets);
  if (seenAt === Number.POSITIVE_INFINITY) return nothing('no series were found');
  const byBound = new Map<number, GridSeries[]>();
  const boundsOf = new Map<string, Set<number>>();
  for (const s of buckets) {
    const bound = boundOf(s.labels.le);
    if (bound === null) continue;
    byBound.set(bound, [...(byBound.get(bound) ?? []), s]);
    const { le: _le, ...rest } = s.labels;
    const instance = JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
    boundsOf.set(instance, (boundsOf.get(instance) ?? new Set()).add(bound));
  }
  const everybody = byBound.get(Number.POSITIVE_INFINITY);
  if (everybody === undefined) return nothing('the series have no bucket le="+Inf": is it a classic histogram?');
  const all = sumIncreases(everybody, seenAt, endsMs.length);
  const shared = [...byBound.keys()].filter(
    (bound) => Number.isFinite(bound) && [...boundsOf.values()].every((bounds) => bounds.has(bound)),
  );
  if (shared.length === 0) return nothing('no bucket bound is common to all instances');
  const bounds = shared
    .sort((a, b) => a - b)
    .map((bound) => {
      const within = sumIncreases(byBound.get(bound) ?? [], seenAt, endsMs.length);
      const windows = windowsOf(endsMs, (i) => {
        const exposure = all[i] ?? Number.NaN;
        const fast = within[i] ?? Number.NaN;
        if (Number.isNaN(exposure) || Number.isNaN(fast)) return null;
        return { events: Math.max(0, exposure - fast), exposure };
      });
      return { bound, windows };
    });
  return { series: { kind: 'tails', bounds }, problem: null };
}

/** A bucket's upper bound; null where the label is no number. */
export function boundOf(le: string | undefined): number | null {
  if (le === undefined) return null;
  if (le === '+Inf' || le === 'Inf') return Number.POSITIVE_INFINITY;
  const bound = Number(le);
  return le.trim() === '' || Number.isNaN(bound) ? null : bound;
}
