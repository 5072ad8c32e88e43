import type { Matcher } from '../../domain/policy.ts';
import { keyOf, type Labels, type SampleStore, type StoredSeries, samplesIn } from './samples.ts';

/** `sum by (…) (rate(selector[window]))`: per second, counter resets handled series by series. */
export interface Rates {
  readonly labels: Labels;
  readonly perSecond: number;
}

export function sumOfRates(
  store: SampleStore,
  matchers: readonly Matcher[],
  by: readonly string[],
  window: { readonly atMs: number; readonly lengthMs: number },
): ReadonlyMap<string, Rates> {
  const sums = new Map<string, Rates>();
  for (const series of store.select(matchers)) {
    const perSecond = rateOf(series, window.atMs - window.lengthMs, window.atMs);
    if (perSecond === null) continue;
    const labels = Object.fromEntries(by.flatMap((name) => (series.labels[name] ? [[name, series.labels[name]]] : [])));
    const key = keyOf(labels);
    sums.set(key, { labels, perSecond: (sums.get(key)?.perSecond ?? 0) + perSecond });
  }
  return sums;
}

/** Null where there are fewer than two samples: nothing is known then. */
function rateOf(series: StoredSeries, fromMs: number, toMs: number): number | null {
  const samples = samplesIn(series, fromMs, toMs);
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || last.atMs <= first.atMs) return null;
  let increase = 0;
  let before = first.value;
  for (const { value } of samples) {
    increase += value >= before ? value - before : value;
    before = value;
  }
  return (increase * 1000) / (last.atMs - first.atMs);
}
