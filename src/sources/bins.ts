import type { CountWindow, Series } from '../analysis/types.ts';
import { boundOf, tails } from './buckets.ts';
import { type Counted, nothing, windowsOf } from './counts.ts';
import { firstSeen, type GridSeries, sumIncreases } from './increase.ts';

/** How a feature or the predictions are distributed. */

type Bins = Extract<Series, { kind: 'bins' }>;
type Tails = Extract<Series, { kind: 'tails' }>;

/** More bins than this cost, and tell nothing: the rarest are put together. */
const MOST_BINS = 50;
const OTHERS = 'others';

/** A counter for every value of the label `by`; a classic histogram by its `le` becomes one bin between two bounds. */
export function binned(found: readonly GridSeries[], by: string, endsMs: readonly number[]): Counted {
  const seenAt = firstSeen(found);
  if (seenAt === Number.POSITIVE_INFINITY) return nothing('no series were found');
  if (found.every((s) => s.labels[by] === undefined)) return nothing(`no series has the label "${by}"`);
  if (by === 'le' && found.some((s) => boundOf(s.labels.le) === Number.POSITIVE_INFINITY)) {
    const { series, problem } = tails(found, endsMs);
    return series?.kind === 'tails' ? { series: binsOfTails(series), problem: null } : { series: null, problem };
  }
  const byBin = new Map<string, GridSeries[]>();
  for (const s of found) {
    const bin = s.labels[by] ?? `no ${by}`;
    byBin.set(bin, [...(byBin.get(bin) ?? []), s]);
  }
  const sums = [...byBin].map(([bin, series]) => ({ bin, counts: sumIncreases(series, seenAt, endsMs.length) }));
  const totals = windowsOf(endsMs, (i) => {
    const known = sums.map(({ counts }) => counts[i] ?? Number.NaN).filter((n) => !Number.isNaN(n));
    return known.length === 0 ? null : { events: 0, exposure: known.reduce((sum, n) => sum + n, 0) };
  });
  const indexOf = new Map(endsMs.map((endMs, i) => [endMs, i]));
  const bins = sums.map(({ bin, counts }) => ({
    bin,
    windows: totals.map((w) => {
      const count = counts[indexOf.get(w.endMs) ?? -1] ?? Number.NaN;
      return { ...w, events: Number.isNaN(count) ? 0 : count };
    }),
  }));
  return { series: { kind: 'bins', bins }, problem: null };
}

/** What lies between one bound and the next; a window that not every bound has is left out. */
export function binsOfTails({ bounds }: Tails): Bins {
  const slower = bounds.map(({ windows }) => new Map(windows.map((w) => [w.endMs, w])));
  const whole = (bounds[0]?.windows ?? []).filter((w) => slower.every((of) => of.has(w.endMs)));
  const bin = (k: number): CountWindow[] =>
    whole.map(({ endMs, exposure }) => {
      const above = k === 0 ? exposure : (slower[k - 1]?.get(endMs)?.events ?? 0);
      const beyond = k === bounds.length ? 0 : (slower[k]?.get(endMs)?.events ?? 0);
      return { endMs, events: Math.max(0, above - beyond), exposure };
    });
  const names = [...bounds.map(({ bound }) => `≤ ${bound}`), `> ${bounds.at(-1)?.bound ?? 0}`];
  return { kind: 'bins', bins: names.map((name, k) => ({ bin: name, windows: bin(k) })) };
}

/**
 * The same bins in every arm, in the same order: what one arm has not seen it has seen 0 times, wherever it has counted anything.
 * Beyond 50 the rarest over all arms become `others`.
 */
export function sameBins(arms: readonly (Series | null)[]): (Series | null)[] {
  const totals = new Map<string, number>();
  for (const arm of arms) {
    if (arm?.kind !== 'bins') continue;
    for (const { bin, windows } of arm.bins) {
      totals.set(bin, (totals.get(bin) ?? 0) + windows.reduce((sum, w) => sum + w.events, 0));
    }
  }
  const names = [...totals.keys()];
  const kept = names.length <= MOST_BINS ? names : commonest(totals, MOST_BINS - 1);
  return arms.map((arm) => (arm?.kind === 'bins' ? withBins(arm, kept, kept.length < names.length) : arm));
}

/** Their order is that in which they were found, so that a histogram's bins stay in theirs. */
function commonest(totals: ReadonlyMap<string, number>, most: number): string[] {
  const first = [...totals].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, most);
  const kept = new Set(first.map(([name]) => name));
  return [...totals.keys()].filter((name) => kept.has(name));
}

function withBins(arm: Bins, names: readonly string[], hasOthers: boolean): Bins {
  const byName = new Map(arm.bins.map(({ bin, windows }) => [bin, windows]));
  const none = (arm.bins[0]?.windows ?? []).map((w) => ({ ...w, events: 0 }));
  const bins = names.map((bin) => ({ bin, windows: byName.get(bin) ?? none }));
  if (!hasOthers) return { kind: 'bins', bins };
  const kept = new Set(names);
  const rest = arm.bins.filter(({ bin }) => !kept.has(bin));
  const windows = none.map((w, i) => ({
    ...w,
    events: rest.reduce((sum, { windows: of }) => sum + (of[i]?.events ?? 0), 0),
  }));
  return { kind: 'bins', bins: [...bins, { bin: OTHERS, windows }] };
}
