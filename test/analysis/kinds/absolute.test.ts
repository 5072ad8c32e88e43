import { describe, expect, it } from 'vitest';
import { compare } from '../../../src/analysis/compare.ts';
import type { Metric, Series } from '../../../src/analysis/types.ts';
import { chance, counts, period, samples, settings, values } from '../support.ts';
import { of } from './support.ts';

const objective = of({ kind: 'objective', bad: 'bad', good: null, total: 'all', allowed: 0.02 }, { title: 'Errors' });
const limit = of({ kind: 'limit', value: 'v', limit: 75 }, { title: 'Memory', unit: 'GB', minimumSamples: 3 });

function look(metric: Metric, candidate: Series | null, stable: Series | null, against: 'stable' | 'past' = 'stable') {
  const read = samples({ metric: 'm', candidateNow: candidate, stableNow: stable });
  return compare({ metrics: [metric], settings, period: period(40, { against }), samples: [read], hasCandidate: true });
}

function share(seed: number, p: number, exposure = 1000): Series {
  const c = chance(seed);
  return counts(40, () => ({ events: Math.min(exposure, c.poisson(p * exposure)), exposure }));
}

function level(seed: number, mean: number): Series {
  const c = chance(seed);
  return values(40, () => mean + 2 * c.normal());
}

describe('a limit of their own that both arms are past', () => {
  it.each([
    ['an objective', objective, share(1, 0.04), share(2, 0.04, 5000)],
    ['a limit', limit, level(1, 85), level(2, 85)],
  ] as const)('%s: the rollout is not to blame', (_name, metric, candidate, stable) => {
    const result = look(metric, candidate, stable);
    const [only] = result.metrics;
    expect(only?.verdict).toBe('inconclusive');
    expect(only?.stableVerdict).toBe('degraded');
    expect(only?.candidateVersusPast).toBe('degraded');
    expect(result.verdict).toBe('inconclusive');
    expect(result.commonCause).toBe(true);
    expect(result.culprits).toEqual([]);
    expect(result.warnings).toEqual(['m']);
    expect(only?.sentence).toMatch(/, above the .*; stable is past it too, so the rollout is not to blame\.$/);
  });

  it('a candidate that is far further past it is to blame all the same', () => {
    const result = look(objective, share(1, 0.4), share(2, 0.04, 5000));
    expect(result.verdict).toBe('degraded');
    expect(result.commonCause).toBe(false);
    expect(result.metrics[0]?.sentence).toMatch(/^Errors (39|40)\.\d % .*above the 2 % allowed; odds/);
  });

  it('only the candidate is: degraded', () => {
    const result = look(limit, level(1, 85), level(2, 60));
    expect(result.verdict).toBe('degraded');
    expect(result.culprits).toEqual(['m']);
  });

  it('only stable is: the candidate is well, and stable is not', () => {
    const result = look(objective, share(1, 0.008), share(2, 0.04, 5000));
    expect(result.verdict).toBe('healthy');
    expect(result.stableVerdict).toBe('degraded');
    expect(result.commonCause).toBe(false);
  });

  it('with all traffic on the candidate there is nobody else to blame', () => {
    expect(look(objective, share(1, 0.04), null, 'past').verdict).toBe('degraded');
  });

  it('a candidate whose stable was not read is judged by itself', () => {
    expect(look(objective, share(1, 0.04), null).verdict).toBe('degraded');
    expect(look(objective, null, share(1, 0.04)).verdict).toBe('no-data');
  });
});
