import { describe, expect, it } from 'vitest';
import { learnedLimit, withLearnedTolerance } from '../../src/analysis/arms/history.ts';
import { compare } from '../../src/analysis/compare.ts';
import type { CountWindow, Metric, Series } from '../../src/analysis/types.ts';
import { type Chance, chance, counts, metric, period, START_MS, samples, settings, WINDOW_MS } from './support.ts';

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;

const learning = (over: Partial<Metric> = {}) =>
  metric({ tolerance: { relative: 0.5, absolute: null, healthyRatio: 1.5, fromHistory: true }, ...over });

/** Hours before the look, the last of them ending when it begins. */
function hours(n: number, at: (hour: number) => { events: number; exposure: number } | null): Series {
  const windows: CountWindow[] = [];
  for (let i = 0; i < n; i += 1) {
    const of = at(i);
    if (of !== null) windows.push({ endMs: START_MS - (n - 1 - i) * HOUR_MS, ...of });
  }
  return { kind: 'counts', windows };
}

/** Error rate of each day as a factor; every hour of a day alike, so that the pairs' ratios are known. */
const byDay = (factors: readonly number[], exposure = 100_000) =>
  hours(factors.length * DAY_HOURS, (i) => ({
    events: 2000 * (factors[Math.floor(i / DAY_HOURS)] ?? 1) - 0.5,
    exposure,
  }));

describe('the limit learned from how a service differs from itself a day earlier', () => {
  it('is exp(median + 3 * 1.4826 * MAD) of the log ratios, half an event added to both', () => {
    // Log ratios, 24 of each: ln 2, -ln 2, ln 1.5. Median ln 1.5; distances 0, ln 3, ln 4/3: the middle one is ln 4/3.
    const limit = learnedLimit(learning(), byDay([1, 2, 1, 1.5]), START_MS);
    const expected = Math.exp(Math.log(1.5) + 3 * 1.4826 * Math.log(4 / 3));
    expect(limit).toBeCloseTo(expected, 9);
  });

  it('is never below 1.25 and never above 10', () => {
    expect(learnedLimit(learning(), byDay([1, 1, 1]), START_MS)).toBe(1.25);
    expect(learnedLimit(learning(), byDay([1, 0.5, 0.2]), START_MS)).toBe(1.25);
    expect(learnedLimit(learning(), byDay([1, 100, 1, 100]), START_MS)).toBe(10);
  });

  it('needs 14 pairs', () => {
    const known = (n: number) => hours(DAY_HOURS + n, () => ({ events: 2000, exposure: 100_000 }));
    expect(learnedLimit(learning(), known(14), START_MS)).toBe(1.25);
    expect(learnedLimit(learning(), known(13), START_MS)).toBeNull();
  });

  it('leaves out hours with too little in them', () => {
    const thin = (minimum: number) =>
      learnedLimit(learning({ minimumSamples: minimum }), byDay([1, 2, 1, 1.5], 5000), START_MS);
    expect(thin(5000)).toBeGreaterThan(1.25);
    expect(thin(5001)).toBeNull();
  });

  it('leaves out what is being judged: it does not excuse itself', () => {
    // Two days alike, then four in which every day is four times as bad as the one before.
    const history: Series = {
      kind: 'counts',
      windows: Array.from({ length: 6 * DAY_HOURS }, (_, i) => ({
        endMs: START_MS + (i + 1 - 2 * DAY_HOURS) * HOUR_MS,
        events: 50 * 4 ** Math.max(0, Math.floor(i / DAY_HOURS) - 1),
        exposure: 100_000,
      })),
    };
    expect(learnedLimit(learning(), history, START_MS)).toBe(1.25);
    expect(learnedLimit(learning(), history, START_MS + 4 * DAY_HOURS * HOUR_MS)).toBeGreaterThan(3);
  });

  it('pairs with the same time as long ago as the baseline lies', () => {
    // Week-ends are three times worse; the same day a week earlier is as bad.
    const weeks = byDay([1, 1, 1, 1, 1, 3, 3, 1, 1, 1, 1, 1, 3, 3]);
    const weekly = learning({ baseline: { kind: 'offset', offsetMs: 7 * DAY_HOURS * HOUR_MS } });
    const daily = byDay([1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
    expect(learnedLimit(weekly, weeks, START_MS)).toBe(1.25);
    expect(learnedLimit(weekly, daily, START_MS)).toBeGreaterThan(1.25);
    const everySecond = learning({ baseline: { kind: 'offset', offsetMs: 2 * DAY_HOURS * HOUR_MS } });
    expect(learnedLimit(everySecond, daily, START_MS)).toBe(1.25);
    expect(learnedLimit(learning(), daily, START_MS)).toBeCloseTo(3, 9);
  });

  it('counts bad ones where the policy counts good ones', () => {
    const good = hours(4 * DAY_HOURS, (i) => {
      const bad = 2000 * ([1, 2, 1, 1.5][Math.floor(i / DAY_HOURS)] ?? 1);
      return { events: 100_000 - bad + 0.5, exposure: 100_000 };
    });
    const source = { kind: 'proportion', bad: null, good: 'good', total: 'total' } as const;
    const expected = Math.exp(Math.log(1.5) + 3 * 1.4826 * Math.log(4 / 3));
    expect(learnedLimit(learning({ source }), good, START_MS)).toBeCloseTo(expected, 9);
  });

  it('turns where a drop is bad', () => {
    const falling = byDay([8, 4, 2, 1], 100_000);
    const rate = (direction: Metric['direction']) =>
      learnedLimit(learning({ source: { kind: 'rate', events: 'e', per: 'p' }, direction }), falling, START_MS);
    expect(rate('higher-is-better')).toBeCloseTo(2, 9);
    expect(rate('lower-is-better')).toBe(1.25);
  });

  it('is learned of a latency from the tail that tells most, among the bounds the policy names', () => {
    const of = (slow: readonly number[]) => {
      const series = byDay(slow.map((s) => s));
      return series.kind === 'counts' ? series.windows : [];
    };
    const history: Series = {
      kind: 'tails',
      bounds: [
        { bound: 0.1, windows: of([40, 40, 40, 40]) },
        { bound: 0.5, windows: of([1, 2, 1, 1.5]) },
        { bound: 2, windows: of([0.001, 0.1, 0.001, 0.1]) },
      ],
    };
    const latency = (bounds: readonly number[]) =>
      learnedLimit(learning({ source: { kind: 'latency', buckets: 'b', bounds } }), history, START_MS);
    expect(latency([])).toBeCloseTo(Math.exp(Math.log(1.5) + 3 * 1.4826 * Math.log(4 / 3)), 9);
    expect(latency([0.1])).toBe(1.25);
    expect(latency([2])).toBe(10);
  });

  it('is not learned of gauges, and not where the policy does not ask for it', () => {
    const values: Series = {
      kind: 'values',
      windows: Array.from({ length: 96 }, (_, i) => ({ endMs: START_MS - i * HOUR_MS, value: i })),
    };
    expect(learnedLimit(learning({ source: { kind: 'gauge', value: 'v' } }), values, START_MS)).toBeNull();
    const unasked = metric();
    expect(withLearnedTolerance(unasked, byDay([1, 2, 1, 1.5]), period(10))).toBe(unasked);
  });
});

describe('a look with a learned tolerance', () => {
  const read = (history: Series | null) => [
    samples({
      stableNow: counts(40, () => ({ events: 100, exposure: 5000 })),
      candidateNow: counts(40, () => ({ events: 210, exposure: 5000 })),
      history,
    }),
  ];
  const look = (history: Series | null) => {
    const result = compare({
      metrics: [learning()],
      settings,
      period: period(40),
      samples: read(history),
      hasCandidate: true,
    });
    return result.metrics[0];
  };

  it('tolerates what the service does by itself, and says so', () => {
    const calm = look(byDay([1, 1, 1, 1]));
    expect(calm).toMatchObject({ verdict: 'degraded', limitText: '1.25×', limit: 1.25 });
    expect(calm?.sentence).toContain('above the 1.25× limit');
    const lively = look(byDay([1, 2, 1, 1.5]));
    expect(lively?.verdict).not.toBe('degraded');
    expect(lively?.limitText).toBe('5.39×');
    expect(lively?.sentence).toContain('the 5.39× limit');
  });

  it('holds the policy’s own tolerance while there is too little of a history', () => {
    for (const history of [null, byDay([1])]) expect(look(history)?.limitText).toBe('1.50×');
  });
});

/**
 * A service whose error rate follows the day (three times as bad at noon as at night) and differs from one day to the next by a
 * factor of its own, held against yesterday.
 */
function service(c: Chance, dayNoise: number) {
  const dayMs = DAY_HOURS * HOUR_MS;
  const own = new Map<number, number>();
  return (endMs: number, exposure: number, worse = 1) => {
    const day = Math.floor(endMs / dayMs);
    const factor = own.get(day) ?? Math.exp(dayNoise * c.normal());
    own.set(day, factor);
    const rate = 0.02 * (1 + 0.5 * Math.sin((2 * Math.PI * endMs) / dayMs)) * factor;
    return { endMs, exposure, events: Math.min(exposure, c.poisson(rate * worse * exposure)) };
  };
}

describe('simulated: a service that differs by 40 % from day to day, held against the same time yesterday', () => {
  const RUNS = 120;
  const WINDOWS = 120;
  const offsetMs = DAY_HOURS * HOUR_MS;
  const degradedRuns = (fromHistory: boolean, worse: number) => {
    let degraded = 0;
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const at = service(chance(seed), 0.4);
      const past = Array.from({ length: 14 * DAY_HOURS }, (_, i) => at(START_MS - i * HOUR_MS, 20_000));
      const ends = Array.from({ length: WINDOWS }, (_, i) => START_MS + (i + 1) * WINDOW_MS);
      const stableBefore = ends.map((end) => at(end - offsetMs, 3000));
      const candidateNow = ends.map((end) => at(end, 3000, worse));
      const one = learning({
        baseline: { kind: 'offset', offsetMs },
        tolerance: { relative: 0.25, absolute: null, healthyRatio: 1.5, fromHistory },
      });
      const result = compare({
        metrics: [one],
        settings,
        period: period(WINDOWS),
        samples: [
          samples({
            stableBefore: { kind: 'counts', windows: stableBefore },
            candidateNow: { kind: 'counts', windows: candidateNow },
            history: { kind: 'counts', windows: past },
          }),
        ],
        hasCandidate: true,
      });
      if (result.verdict === 'degraded') degraded += 1;
    }
    return degraded;
  };

  it('the static tolerance is wrong about every fifth day or more, the learned one about next to none', () => {
    expect(degradedRuns(false, 1)).toBeGreaterThan(RUNS / 5);
    expect(degradedRuns(true, 1)).toBeLessThanOrEqual(RUNS / 20);
  });

  it('what is fifteen times as bad is found all the same', () => {
    expect(degradedRuns(true, 15)).toBeGreaterThan(RUNS * 0.8);
  });
});
