import { describe, expect, it } from 'vitest';
import { compare } from '../../src/analysis/compare.ts';
import type { CountWindow, Metric, MetricSamples, Series } from '../../src/analysis/types.ts';
import {
  type Chance,
  chance,
  counts,
  metric,
  period,
  START_MS,
  samples,
  settings,
  values,
  WINDOW_MS,
} from './support.ts';

function improvedOf(windows: number, given: MetricSamples, over: Partial<Metric> = {}, hasCandidate = true) {
  const input = { metrics: [metric(over)], settings, period: period(windows), samples: [given], hasCandidate };
  return compare(input).improved;
}

const steady = (n: number, events: number, exposure: number) => counts(n, () => ({ events, exposure }));

describe('a metric is called improved', () => {
  it('where the candidate is better beyond doubt', () => {
    const given = samples({ stableNow: steady(20, 40, 1000), candidateNow: steady(20, 10, 1000) });
    expect(improvedOf(20, given)).toEqual(['errors']);
  });

  it('not where it is the same, worse, or better by no more than chance', () => {
    for (const [stable, candidate] of [
      [40, 40],
      [40, 80],
      [40, 38],
    ] as const) {
      const given = samples({ stableNow: steady(20, stable, 1000), candidateNow: steady(20, candidate, 1000) });
      expect(improvedOf(20, given)).toEqual([]);
    }
  });

  it('where more is better, by more', () => {
    const good: Partial<Metric> = {
      source: { kind: 'rate', events: 'e', per: 'p' },
      direction: 'higher-is-better',
    };
    const more = samples({ stableNow: steady(20, 400, 1000), candidateNow: steady(20, 600, 1000) });
    expect(improvedOf(20, more, good)).toEqual(['errors']);
    const fewer = samples({ stableNow: steady(20, 600, 1000), candidateNow: steady(20, 400, 1000) });
    expect(improvedOf(20, fewer, good)).toEqual([]);
  });

  it('of a gauge by the difference in the good direction', () => {
    const gauge = (direction: Metric['direction']): Partial<Metric> => ({
      source: { kind: 'gauge', value: 'g' },
      direction,
      minimumSamples: 6,
    });
    const wave = (mean: number, phase: number) => values(30, (i) => mean + Math.sin(i * 2.1 + phase));
    const given = samples({ stableNow: wave(100, 0), candidateNow: wave(90, 1) });
    expect(improvedOf(30, given, gauge('lower-is-better'))).toEqual(['errors']);
    expect(improvedOf(30, given, gauge('higher-is-better'))).toEqual([]);
    const still = samples({ stableNow: values(30, () => 5), candidateNow: values(30, () => 5) });
    expect(improvedOf(30, still, gauge('lower-is-better'))).toEqual([]);
  });

  it('not where it was not measured, or too little', () => {
    expect(improvedOf(20, samples({ stableNow: steady(20, 40, 1000) }))).toEqual([]);
    const few = samples({ stableNow: steady(2, 400, 10_000), candidateNow: steady(2, 0, 10_000) });
    expect(improvedOf(2, few)).toEqual([]);
  });

  it('not where no upper bound is known: no events on either side prove nothing', () => {
    const given = samples({ stableNow: steady(20, 0, 1000), candidateNow: steady(20, 0, 1000) });
    expect(improvedOf(20, given)).toEqual([]);
  });

  it('not where the candidate is past its critical limit all the same', () => {
    const given = samples({ stableNow: steady(20, 800, 1000), candidateNow: steady(20, 400, 1000) });
    expect(improvedOf(20, given)).toEqual(['errors']);
    expect(improvedOf(20, given, { criticalLimit: 0.2 })).toEqual([]);
  });

  it('not without a candidate: a service that is better than last week is not a candidate that is better', () => {
    const given = samples({
      stableNow: steady(20, 10, 1000),
      stableBefore: counts(20, () => ({ events: 40, exposure: 1000 }), 7 * 86_400_000),
    });
    expect(improvedOf(20, given, {}, false)).toEqual([]);
  });
});

/** Whether any look of a run over `windows` windows, taken every tenth, called it improved. */
function everImproved(
  windows: number,
  draw: (i: number, c: Chance) => { stable: CountWindow; candidate: CountWindow },
  c: Chance,
): boolean {
  const pairs = Array.from({ length: windows }, (_, i) => draw(i, c));
  for (let n = 10; n <= windows; n += 10) {
    const arm = (of: 'stable' | 'candidate'): Series => ({
      kind: 'counts',
      windows: pairs.slice(0, n).map((pair) => pair[of]),
    });
    if (improvedOf(n, samples({ stableNow: arm('stable'), candidateNow: arm('candidate') })).length > 0) return true;
  }
  return false;
}

describe('two hours of noise alone', () => {
  const runs = 200;
  const arm = (rate: number, requestsPerSecond: number, noise: number, endMs: number, c: Chance): CountWindow => {
    const exposure = c.poisson((requestsPerSecond * WINDOW_MS) / 1000);
    const own = rate * Math.max(0, 1 + noise * c.normal());
    return { endMs, events: Math.min(exposure, c.poisson(own * exposure)), exposure };
  };
  it.each([
    ['100 rps, counting noise alone', 100, 0],
    ['100 rps, 30 % noise', 100, 0.3],
    ['10 rps, 30 % noise', 10, 0.3],
  ])('%s: at most 5 % of 200 runs are called improved by any of 24 looks', (_name, requestsPerSecond, noise) => {
    const wrong = Array.from({ length: runs }, (_, k) => chance(3000 + k)).filter((c) =>
      everImproved(
        240,
        (i, random) => {
          const endMs = START_MS + (i + 1) * WINDOW_MS;
          const rate = 0.02 * (1 + 0.3 * Math.sin(i / 15));
          return {
            stable: arm(rate, requestsPerSecond * 0.5, noise, endMs, random),
            candidate: arm(rate, requestsPerSecond * 0.5, noise, endMs, random),
          };
        },
        c,
      ),
    );
    expect(wrong.length).toBeLessThanOrEqual(runs * 0.05);
  });

  it('gauges: at most 5 % of 200 runs', () => {
    const gauge: Partial<Metric> = { source: { kind: 'gauge', value: 'g' }, minimumSamples: 6 };
    const wrong = Array.from({ length: runs }, (_, k) => chance(5000 + k)).filter((c) => {
      const stable = Array.from({ length: 240 }, () => 100 + 10 * c.normal());
      const candidate = Array.from({ length: 240 }, () => 100 + 10 * c.normal());
      for (let n = 10; n <= 240; n += 10) {
        const given = samples({
          stableNow: values(n, (i) => stable[i] ?? 0),
          candidateNow: values(n, (i) => candidate[i] ?? 0),
        });
        if (improvedOf(n, given, gauge).length > 0) return true;
      }
      return false;
    });
    expect(wrong.length).toBeLessThanOrEqual(runs * 0.05);
  });
});
