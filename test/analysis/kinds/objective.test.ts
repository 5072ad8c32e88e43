import { describe, expect, it } from 'vitest';
import { compare } from '../../../src/analysis/compare.ts';
import type { Metric, Series } from '../../../src/analysis/types.ts';
import { chance, counts, period, samples, settings } from '../support.ts';
import { ask, firstLook, of, seeds } from './support.ts';

const source = { kind: 'objective', bad: 'bad', good: null, total: 'all', allowed: 0.02 } as const;
const objective = of(source, { title: 'Disagreement' });

/** Counts with the rate's own noise from window to window. */
function noisy(seed: number, n: number, rate: (i: number) => number, exposure: number, noise = 0, memory = 0): Series {
  const c = chance(seed);
  let own = 0;
  return counts(n, (i) => {
    own = memory * own + Math.sqrt(1 - memory * memory) * c.normal();
    const mean = rate(i) * Math.max(0, 1 + noise * own) * exposure;
    return { events: Math.min(exposure, c.poisson(mean)), exposure };
  });
}

function look(metric: Metric, candidate: Series | null, stable: Series | null, hasCandidate = true) {
  const read = samples({ metric: 'm', candidateNow: candidate, stableNow: stable });
  return compare({ metrics: [metric], settings, period: period(40), samples: [read], hasCandidate });
}

describe('an objective', () => {
  it('that is missed is degraded, whatever stable does, and says by how much', () => {
    const bad = counts(40, () => ({ events: 31, exposure: 1000 }));
    const fine = counts(40, () => ({ events: 10, exposure: 1000 }));
    const result = look(objective, bad, fine);
    const [only] = result.metrics;
    expect(result.verdict).toBe('degraded');
    expect(result.commonCause).toBe(false);
    expect(only?.basis).toBe('limit');
    expect(only?.isShare).toBe(true);
    expect(only?.limitText).toBe('2 %');
    expect(only?.changeIs).toBe('ratio');
    expect(only?.change?.estimate).toBeCloseTo(1.55, 6);
    expect(only?.change?.lower).toBeGreaterThan(1);
    expect(only?.sentence).toMatch(
      /^Disagreement 3\.1 % \(2\.\d–[34]\.\d %\), above the 2 % allowed; odds of a false alarm under 1 in (\d+|a million)\.$/,
    );
    expect(only?.stableVerdict).toBe('healthy');
  });

  it('that is kept is healthy, and not called better than anything', () => {
    const fine = counts(40, () => ({ events: 10, exposure: 1000 }));
    const result = look(objective, fine, fine);
    expect(result.verdict).toBe('healthy');
    expect(result.improved).toEqual([]);
    expect(result.metrics[0]?.sentence).toMatch(/^Disagreement 1\.0 % \(0?\.?\d+–1\.\d %\), within the 2 % allowed\.$/);
  });

  it('just met is not certain', () => {
    const result = look(
      objective,
      noisy(3, 40, () => 0.02, 1000),
      null,
    );
    expect(result.verdict).toBe('inconclusive');
    expect(result.metrics[0]?.sentence).toContain('not yet certain on which side of the 2 % allowed');
  });

  it('of good ones is told in good ones', () => {
    const availability = of({ ...source, bad: null, good: 'ok', allowed: 0.001 }, { title: 'Availability' });
    const result = look(
      availability,
      counts(40, () => ({ events: 9970, exposure: 10_000 })),
      null,
    );
    const [only] = result.metrics;
    expect(result.verdict).toBe('degraded');
    expect(only?.direction).toBe('higher-is-better');
    expect(only?.limitText).toBe('99.9 %');
    expect(only?.candidateNow.value).toBeCloseTo(0.997, 9);
    expect(only?.sentence).toMatch(/^Availability 99\.7 % \(99\.[5-7]–99\.[78] %\), below the 99\.9 % required; odds/);
  });

  it('of nearly all is told to the digit that counts', () => {
    const availability = of({ ...source, bad: null, good: 'ok', allowed: 0.001 }, { title: 'Availability' });
    const result = look(
      availability,
      counts(40, () => ({ events: 9996, exposure: 10_000 })),
      null,
    );
    expect(result.verdict).toBe('healthy');
    expect(result.metrics[0]?.sentence).toMatch(
      /^Availability 99\.96 % \(99\.9[45]–99\.97 %\), within the 99\.9 % required\.$/,
    );
  });

  it('without any bad event is kept, once enough requests say so', () => {
    const strict = of({ ...source, allowed: 0.001 });
    expect(
      ask(
        strict,
        counts(40, () => ({ events: 0, exposure: 1000 })),
      ).verdict,
    ).toBe('healthy');
    expect(
      ask(
        strict,
        counts(40, () => ({ events: 0, exposure: 20 })),
      ).verdict,
    ).toBe('inconclusive');
  });

  it('all requests of which are bad has an answer that survives JSON', () => {
    const outcome = ask(
      objective,
      counts(40, () => ({ events: 100, exposure: 100 })),
    );
    const change = outcome.change();
    expect(outcome.verdict).toBe('degraded');
    expect(JSON.parse(JSON.stringify(change))).toEqual(change);
    expect(change?.estimate).toBeCloseTo(50, 6);
    expect(change?.lower).toBeLessThanOrEqual(50);
  });

  it('has evidence that is 1 in the middle, and its interval where the evidence says', () => {
    const outcome = ask(
      objective,
      counts(40, () => ({ events: 20, exposure: 1000 })),
    );
    expect(outcome.lnWorse).toBeLessThanOrEqual(0);
    expect(outcome.lnOk).toBeLessThanOrEqual(0);
    const change = outcome.change();
    expect(change?.lower).toBeLessThan(1);
    expect(change?.upper).toBeGreaterThan(1);
  });
});

describe('false alarms of objectives, looked at after every one of 120 windows', () => {
  it.each([
    ['100 requests a second, counting noise', 300, 0],
    ['1000 requests a second, 30 % noise', 3000, 0.3],
    ['3 requests a second, counting noise', 10, 0],
  ])('%s, exactly at what is allowed: at most 2 of 200 degraded, 10 healthy', (_name, exposure, noise) => {
    let degraded = 0;
    let healthy = 0;
    for (const seed of seeds(200)) {
      const arm = noisy(seed, 120, () => 0.02, exposure, noise);
      if (firstLook(objective, arm, 120, (o) => o.verdict === 'degraded') !== null) degraded += 1;
      if (firstLook(objective, arm, 120, (o) => o.verdict === 'healthy') !== null) healthy += 1;
    }
    expect(degraded).toBeLessThanOrEqual(2);
    expect(healthy).toBeLessThanOrEqual(10);
  });

  it.each([
    [0.5, 2],
    [0.7, 3],
    [0.9, 10],
  ])('with 30 %% noise that remembers (AR %d), known from before: at most %d of 100 degraded', (memory, most) => {
    const wrong = seeds(100).filter((seed) => {
      const arm = noisy(seed, 120, () => 0.02, 3000, 0.3, memory);
      const past = noisy(seed + 5000, 240, () => 0.015, 3000, 0.3, memory);
      return firstLook(objective, arm, 120, (o) => o.verdict === 'degraded', { past }) !== null;
    });
    expect(wrong.length).toBeLessThanOrEqual(most);
  });
});

describe('finding a missed objective', () => {
  const delays = (rate: (i: number) => number, exposure: number, windows: number) =>
    seeds(40)
      .map((seed) => {
        const arm = noisy(seed, windows, rate, exposure, 0.1);
        return firstLook(objective, arm, windows, (o) => o.verdict === 'degraded') ?? Number.POSITIVE_INFINITY;
      })
      .toSorted((a, b) => a - b);

  it('twice what is allowed at 10 requests a second: half of them within 20 minutes', () => {
    expect(delays(() => 0.04, 300, 120)[20]).toBeLessThanOrEqual(40);
  });

  it('that begins after an hour and a half is found within 30 minutes more', () => {
    const found = delays((i) => (i < 180 ? 0.01 : 0.06), 300, 240);
    expect(found[0]).toBeGreaterThan(180);
    expect(found[30]).toBeLessThanOrEqual(240);
  });
});
