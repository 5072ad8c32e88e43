import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/analysis/compare.ts';
import { fixedTest, lnFixedEvidence, withFixedAllowance } from '../../src/analysis/evidence/fixed.ts';
import { restartIndices } from '../../src/analysis/evidence/restarts.ts';
import type { Comparison, CountWindow, LookPeriod, Metric, MetricSamples, Series } from '../../src/analysis/types.ts';
import { LN_DEGRADED } from '../../src/analysis/verdict/outcome.ts';
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

const DAY_MS = 86_400_000;
const yesterday = { kind: 'offset', offsetMs: DAY_MS } as const;
const WINDOWS = 40;

function look(one: Metric, read: Partial<MetricSamples>, over: Partial<LookPeriod> = {}, hasCandidate = true) {
  return compare({ metrics: [one], settings, period: period(WINDOWS, over), samples: [samples(read)], hasCandidate });
}
const first = (comparison: Comparison) => comparison.metrics[0];
const steady = (bad: number, offsetMs = 0) => counts(WINDOWS, () => ({ events: bad, exposure: 1000 }), offsetMs);

describe('held against the same time yesterday', () => {
  it('the candidate is compared with stable’s past, not with stable beside it', () => {
    const read = { stableNow: steady(60), candidateNow: steady(60), stableBefore: steady(20, DAY_MS) };
    const seen = first(look(metric({ baseline: yesterday }), read));
    expect(seen).toMatchObject({ verdict: 'degraded', basis: 'past', stableVerdict: 'degraded' });
    expect(seen?.candidateVersusPast).toBe('degraded');
    expect(seen?.sentence).toMatch(/^Error rate 6\.0 % vs 2\.0 % a day ago: 3\.0×/);
    // Beside stable there is nothing to see.
    expect(first(look(metric(), { ...read, stableBefore: null }))).toMatchObject({
      verdict: 'healthy',
      basis: 'stable',
    });
  });

  it('is not degraded by a stable that is unusually well', () => {
    const read = { stableNow: steady(5), candidateNow: steady(20), stableBefore: steady(20, DAY_MS) };
    expect(look(metric({ baseline: yesterday }), read).verdict).toBe('healthy');
    expect(look(metric(), read).verdict).toBe('degraded');
  });

  it('takes the past from its own offset, whatever the look’s is', () => {
    const lastWeek = { stableNow: steady(20), candidateNow: steady(20), stableBefore: steady(20, 7 * DAY_MS) };
    const result = look(metric({ baseline: yesterday }), lastWeek);
    expect(result.verdict).toBe('no-data');
    expect(result.missing).toBe('Error rate: stable a day ago has 0 of 40 windows');
    const week = { kind: 'offset', offsetMs: 7 * DAY_MS } as const;
    expect(look(metric({ baseline: week }), lastWeek, { beforeOffsetMs: WINDOW_MS }).verdict).toBe('healthy');
  });

  it('does not need stable beside it', () => {
    const read = { candidateNow: steady(20), stableBefore: steady(20, DAY_MS) };
    expect(look(metric({ baseline: yesterday }), read).verdict).toBe('healthy');
  });

  it('cancels the pattern of the day', () => {
    const daily = (i: number) => ({ events: Math.round(20 * (1 + i / 10)), exposure: 1000 });
    const read = { candidateNow: counts(WINDOWS, daily), stableBefore: counts(WINDOWS, daily, DAY_MS) };
    expect(look(metric({ baseline: yesterday }), read).verdict).toBe('healthy');
  });

  it('claims no common cause: yesterday is as far from both arms', () => {
    const read = { stableNow: steady(60), candidateNow: steady(60), stableBefore: steady(20, DAY_MS) };
    expect(look(metric({ baseline: yesterday }), read).commonCause).toBe(false);
    expect(look(metric(), read, { beforeOffsetMs: DAY_MS }).commonCause).toBe(true);
  });

  it('works for gauges', () => {
    const gauge = metric({ source: { kind: 'gauge', value: 'v' }, minimumSamples: 3, baseline: yesterday });
    const read = {
      stableNow: values(WINDOWS, (i) => 10 + (i % 3)),
      candidateNow: values(WINDOWS, (i) => 10 + (i % 4)),
      stableBefore: values(WINDOWS, (i) => 5 + (i % 2), DAY_MS),
    };
    expect(first(look(gauge, read))).toMatchObject({ verdict: 'degraded', basis: 'past' });
  });

  it('moving all times changes nothing but the times', () => {
    const arm = fc.array(fc.record({ events: fc.integer({ min: 0, max: 200 }), exposure: fc.constant(1000) }), {
      minLength: WINDOWS,
      maxLength: WINDOWS,
    });
    fc.assert(
      fc.property(arm, arm, fc.integer({ min: -5000, max: 5000 }), (now, then, by) => {
        const at = (list: typeof now) => (i: number) => list[i] ?? { events: 0, exposure: 0 };
        const moved = (byMs: number) => {
          const fromMs = START_MS + byMs;
          const result = look(
            metric({ baseline: yesterday }),
            {
              candidateNow: counts(WINDOWS, at(now), -byMs),
              stableBefore: counts(WINDOWS, at(then), DAY_MS - byMs),
            },
            { fromMs, toMs: fromMs + WINDOWS * WINDOW_MS, healthyFromMs: fromMs, restartsAtMs: [fromMs] },
          );
          return { ...result, atMs: 0, metrics: result.metrics.map((m) => ({ ...m, line: [] })) };
        };
        expect(moved(by * WINDOW_MS)).toEqual(moved(0));
      }),
      { seed: 51, numRuns: 60 },
    );
  });
});

/** A good month: 2 % of a million. */
const month = { kind: 'fixed', events: 20_000, exposure: 1_000_000 } as const;

describe('held against totals known beforehand', () => {
  it('the candidate is compared with them, not with stable', () => {
    const seen = first(look(metric({ baseline: month }), { stableNow: steady(60), candidateNow: steady(60) }));
    expect(seen).toMatchObject({ verdict: 'degraded', basis: 'fixed', changeIs: 'ratio', limitText: '1.25×' });
    expect(seen?.change?.estimate).toBeCloseTo(3, 9);
    expect(seen?.change?.lower).toBeGreaterThan(1.25);
    expect(seen?.change?.upper).toBeGreaterThan(3);
    expect(seen?.change?.upper).toBeLessThan(5);
    expect(seen?.sentence).toMatch(
      /^Error rate 6\.0 % vs 2\.0 % in the fixed baseline: 3\.0× \(.*above the 1\.25× limit/,
    );
    expect(look(metric({ baseline: month }), { stableNow: steady(60), candidateNow: steady(20) }).verdict).toBe(
      'healthy',
    );
  });

  it('needs neither stable nor a past, and without a candidate the service itself is held against them', () => {
    expect(look(metric({ baseline: month }), { candidateNow: steady(20) }).verdict).toBe('healthy');
    expect(look(metric({ baseline: month }), { candidateNow: steady(20) }, { against: 'past' }).verdict).toBe(
      'healthy',
    );
    expect(look(metric({ baseline: month }), { stableNow: steady(60) }, {}, false).verdict).toBe('degraded');
    const one = metric({ baseline: month, arms: 'one' });
    expect(first(look(one, { stableNow: steady(60) }))).toMatchObject({ verdict: 'degraded', basis: 'fixed' });
  });

  it('stable is still held against its own past', () => {
    const read = { stableNow: steady(60), candidateNow: steady(20), stableBefore: steady(60, 7 * DAY_MS) };
    expect(look(metric({ baseline: month }), read)).toMatchObject({ verdict: 'healthy', stableVerdict: 'healthy' });
  });

  it('is no-data where the candidate has too little, or the totals make no sense', () => {
    const few = counts(WINDOWS, () => ({ events: 0, exposure: 1 }));
    expect(look(metric({ baseline: month }), { candidateNow: few }).missing).toBe(
      'Error rate: the candidate has 40 of at least 100 requests',
    );
    const none = metric({ baseline: { kind: 'fixed', events: 0, exposure: 0 } });
    expect(look(none, { candidateNow: steady(20) })).toMatchObject({
      verdict: 'no-data',
      missing: 'Error rate: its fixed baseline has no exposure',
    });
  });

  it('the totals of a share of good ones are bad ones all the same', () => {
    const source = { kind: 'proportion', bad: null, good: 'good', total: 'total' } as const;
    const good = counts(WINDOWS, () => ({ events: 940, exposure: 1000 }));
    const seen = first(look(metric({ source, baseline: month }), { candidateNow: good }));
    expect(seen).toMatchObject({ verdict: 'degraded', candidateNow: { value: 0.94, samples: 40_000 } });
    expect(seen?.sentence).toMatch(/^Error rate 94\.0 % vs 98\.0 % in the fixed baseline/);
  });

  it('turns where a drop is bad', () => {
    const orders = metric({
      source: { kind: 'rate', events: 'orders', per: 'visits' },
      direction: 'higher-is-better',
      baseline: month,
    });
    expect(look(orders, { candidateNow: steady(5) }).verdict).toBe('degraded');
    expect(look(orders, { candidateNow: steady(80) }).verdict).toBe('healthy');
    expect(first(look(orders, { candidateNow: steady(5) }))?.change?.estimate).toBeCloseTo(4, 9);
  });

  it('a baseline without any event works, and what was never seen counts as none', () => {
    const never = metric({ baseline: { kind: 'fixed', events: 0, exposure: 1_000_000 } });
    expect(look(never, { candidateNow: steady(0) }).verdict).toBe('healthy');
    expect(look(never, { candidateNow: steady(20) }).verdict).toBe('degraded');
  });

  it('an absolute tolerance may be the wider one', () => {
    const tolerance = { relative: 0.25, absolute: 0.05, healthyRatio: 1.5 };
    const one = metric({ baseline: month, tolerance });
    expect(first(look(one, { candidateNow: steady(60) }))).toMatchObject({
      verdict: 'healthy',
      limitText: '+5 points',
    });
    expect(look(one, { candidateNow: steady(160) }).verdict).toBe('degraded');
  });

  it('finds what begins late', () => {
    const late = counts(WINDOWS, (i) => ({ events: i < 30 ? 20 : 100, exposure: 1000 }));
    const restartsAtMs = [START_MS + 30 * WINDOW_MS];
    const seen = first(look(metric({ baseline: month }), { candidateNow: late }, { restartsAtMs }));
    expect(seen?.verdict).toBe('degraded');
  });

  it('does not hold for kinds that are not counted: those are held against stable', () => {
    const gauge = metric({ source: { kind: 'gauge', value: 'v' }, minimumSamples: 3, baseline: month });
    const read = { stableNow: values(WINDOWS, (i) => 5 + (i % 3)), candidateNow: values(WINDOWS, (i) => 5 + (i % 4)) };
    expect(first(look(gauge, read))?.basis).toBe('stable');
  });
});

describe('evidence against fixed totals', () => {
  const window = (events: number, exposure: number, i = 0): CountWindow => ({
    endMs: START_MS + (i + 1) * WINDOW_MS,
    events,
    exposure,
  });
  const anyWindows = fc
    .array(fc.record({ events: fc.integer({ min: 0, max: 300 }), exposure: fc.integer({ min: 1, max: 3000 }) }), {
      maxLength: 30,
    })
    .map((list) => list.map((w, i) => window(w.events, w.exposure, i)));
  const anyTotals = fc.record({
    events: fc.integer({ min: 0, max: 5000 }),
    exposure: fc.integer({ min: 1, max: 100_000 }),
  });

  it('lies between the likelihood ratios of analysis.md of what is bet on, tempered by phi', () => {
    const [xc, nc, xb, nb] = [30, 1000, 200, 10_000];
    const phi = 1 + 0.09 * ((xc + xb) / (nc + nb)) * nc;
    // One window: the baseline counts as if it had been read in windows of that size.
    const [x, n, y, m] = [xc / phi, nc / phi, xb / phi, nb / phi];
    const lnLr = (r: number) => x * Math.log(r) - (x + y) * Math.log((m + r * n) / (m + n));
    const test = fixedTest([window(xc, nc)], { events: xb, exposure: nb }, null);
    for (const [side, bets] of [
      ['above', [1.1, 20]],
      ['below', [1 / 1.1, 1 / 20]],
    ] as const) {
      // Far below (and far above) what was seen every bet wins; there the ratios rise with the bet.
      const ratio = side === 'above' ? 0.01 : 100;
      const [least, most] = bets.map((g) => lnLr(ratio * g) - lnLr(ratio));
      const evidence = lnFixedEvidence(test, ratio, side, false);
      expect(evidence).toBeGreaterThan(least ?? 0);
      expect(evidence).toBeLessThan(most ?? 0);
    }
  });

  it('has a mean of at most 1 however many events there are together, where the ratio is the one asked about', () => {
    // The candidate's share of the events is then binomial: an exact sum, no simulation.
    for (const ratio of [0.5, 1, 1.25, 3]) {
      for (const together of [1, 4, 12, 40]) {
        const [nc, nb] = [100, 500];
        const share = (ratio * nc) / (nb + ratio * nc);
        const mean = { above: 0, below: 0 };
        let chanceOf = (1 - share) ** together;
        for (let xc = 0; xc <= together; xc += 1) {
          const test = fixedTest([window(xc, nc)], { events: together - xc, exposure: nb }, null);
          for (const side of ['above', 'below'] as const) {
            mean[side] += chanceOf * Math.exp(lnFixedEvidence(test, ratio, side, false));
          }
          chanceOf *= ((together - xc) / (xc + 1)) * (share / (1 - share));
        }
        expect(mean.above).toBeLessThanOrEqual(1 + 1e-9);
        expect(mean.below).toBeLessThanOrEqual(1 + 1e-9);
        // Tempered, not thrown away.
        expect(Math.min(mean.above, mean.below)).toBeGreaterThan(0.5);
      }
    }
  });

  it('falls for "above" as the ratio rises, and rises for "below"', () => {
    fc.assert(
      fc.property(anyWindows, anyTotals, fc.double({ min: 0.05, max: 20, noNaN: true }), (windows, totals, ratio) => {
        const test = fixedTest(windows, totals, [0, ...(windows.length > 15 ? [15] : [])]);
        const at = (r: number, side: 'above' | 'below') => lnFixedEvidence(test, r, side, side === 'above');
        const slack = 1e-9 * (1 + Math.abs(at(ratio, 'above')) + Math.abs(at(ratio, 'below')));
        expect(at(ratio * 1.3, 'above')).toBeLessThanOrEqual(at(ratio, 'above') + slack);
        expect(at(ratio * 1.3, 'below')).toBeGreaterThanOrEqual(at(ratio, 'below') - slack);
      }),
      { seed: 52, numRuns: 300 },
    );
  });

  it('an allowance for the baseline only takes evidence that the candidate is above it', () => {
    fc.assert(
      fc.property(anyWindows, anyTotals, fc.double({ min: 0, max: 0.5, noNaN: true }), (windows, totals, allowance) => {
        const test = fixedTest(windows, totals, [0]);
        const allowed = withFixedAllowance(test, 'baseline', allowance);
        const plain = lnFixedEvidence(test, 1, 'above', true);
        expect(lnFixedEvidence(allowed, 1, 'above', true)).toBeLessThanOrEqual(plain + 1e-9 * (1 + Math.abs(plain)));
      }),
      { seed: 53, numRuns: 300 },
    );
  });

  it('is none before the first window, and a baseline is worth no more for being looked at again', () => {
    const totals = { events: 20, exposure: 1000 };
    expect(lnFixedEvidence(fixedTest([], totals, [0]), 1.25, 'above', true)).toBeCloseTo(0, 12);
    // Two per cent known from 20 events alone: however long the candidate runs at four, no more can be known than they say.
    const seenOver = (n: number) => {
      const windows = Array.from({ length: n }, (_, i) => window(40, 1000, i));
      return lnFixedEvidence(fixedTest(windows, totals, null), 1.25, 'above', false);
    };
    expect(seenOver(2000)).toBeLessThan(LN_DEGRADED);
    expect(seenOver(2000) - seenOver(1000)).toBeLessThan(0.05);
  });
});

describe('whatever is read and whatever it is held against', () => {
  const anyNumber = fc.oneof(
    fc.double({ min: -1e15, max: 1e15, noNaN: true }),
    fc.constantFrom(0, 1, 1e-300, 1e300, Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5),
    fc.integer({ min: 0, max: 1000 }),
  );
  const anyArm = (offsetMs: number): fc.Arbitrary<Series | null> =>
    fc.option(
      fc
        .array(fc.record({ events: anyNumber, exposure: anyNumber }), { minLength: 12, maxLength: 12 })
        .map((list) => counts(12, (i) => list[i] ?? { events: 0, exposure: 0 }, offsetMs)),
    );
  const anyBaseline: fc.Arbitrary<NonNullable<Metric['baseline']>> = fc.oneof(
    fc.constant({ kind: 'stable' as const }),
    fc.record({ kind: fc.constant('offset' as const), offsetMs: fc.oneof(fc.constant(DAY_MS), anyNumber) }),
    fc.record({ kind: fc.constant('fixed' as const), events: anyNumber, exposure: anyNumber }),
  );
  const anySource: fc.Arbitrary<Metric['source']> = fc.constantFrom(
    { kind: 'proportion', bad: 'b', good: null, total: 't' },
    { kind: 'proportion', bad: null, good: 'g', total: 't' },
    { kind: 'rate', events: 'e', per: 'p' },
    { kind: 'gauge', value: 'v' },
  );
  const anyMetric: fc.Arbitrary<Metric> = fc
    .record({
      baseline: anyBaseline,
      source: anySource,
      direction: fc.constantFrom('lower-is-better' as const, 'higher-is-better' as const),
      labelDelayMs: fc.oneof(fc.constantFrom(0, WINDOW_MS, 5 * WINDOW_MS + 1, 100 * WINDOW_MS), anyNumber),
      arms: fc.constantFrom('one' as const, 'two' as const),
      minimumSamples: fc.constantFrom(0, 100),
      tolerance: fc.record({
        relative: fc.option(fc.constantFrom(0, 0.25, 1e12)),
        absolute: fc.option(fc.constantFrom(0, 0.01, 1e12)),
        healthyRatio: fc.constantFrom(1.5, -1),
        fromHistory: fc.boolean(),
      }),
    })
    .map((over) => metric(over));

  it('there is an answer, and every number in it survives JSON', () => {
    let judged = 0;
    fc.assert(
      fc.property(
        anyMetric,
        anyArm(0),
        anyArm(0),
        anyArm(DAY_MS),
        fc.boolean(),
        (one, stableNow, candidateNow, stableBefore, hasCandidate) => {
          const result = compare({
            metrics: [one],
            settings,
            period: period(12, { beforeOffsetMs: DAY_MS }),
            samples: [samples({ stableNow, candidateNow, stableBefore, history: stableBefore })],
            hasCandidate,
          });
          const seen = first(result);
          if (result.verdict !== 'no-data') judged += 1;
          const numbers = [seen?.evidence, seen?.limit, ...(seen?.change ? Object.values(seen.change) : [])];
          for (const n of numbers) expect(Number.isFinite(n)).toBe(true);
          expect(seen?.sentence).not.toMatch(/NaN|Infinity|undefined|null/);
          if (seen?.change) {
            expect(seen.change.lower).toBeLessThanOrEqual(seen.change.estimate);
            expect(seen.change.upper).toBeGreaterThanOrEqual(seen.change.estimate);
          }
        },
      ),
      { seed: 54, numRuns: 2000 },
    );
    expect(judged).toBeGreaterThan(50);
  });
});

/** A baseline and two hours of a candidate at the same rate, with noise in both, looked at after every window. */
describe('simulated: the false alarms against a baseline that is itself one sample', () => {
  const RUNS = 300;
  const EXPOSURE = 1000;

  function drawn(c: Chance, rate: number, exposure: number, noise: number): number {
    let events = 0;
    for (let left = exposure; left > 0; left -= EXPOSURE) {
      events += c.poisson(rate * Math.min(EXPOSURE, left) * Math.max(0, 1 + noise * c.normal()));
    }
    return events;
  }

  /** Runs in which any look saw evidence of 100 that the candidate is above, or below, the rate both have. */
  function falseAlarms(perWindow: number, baselineEvents: number, noise: number) {
    const rate = perWindow / EXPOSURE;
    const wrong = { above: 0, below: 0 };
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const c = chance(seed);
      const exposure = baselineEvents / rate;
      const baseline = { events: drawn(c, rate, exposure, noise), exposure };
      const windows: CountWindow[] = [];
      const ends: number[] = [];
      const most = { above: 0, below: 0 };
      for (let i = 0; i < 240; i += 1) {
        const endMs = START_MS + (i + 1) * WINDOW_MS;
        windows.push({ endMs, events: drawn(c, rate, EXPOSURE, noise), exposure: EXPOSURE });
        ends.push(endMs);
        if (i < 2) continue;
        const test = fixedTest(windows, baseline, restartIndices(ends, START_MS, endMs, []));
        most.above = Math.max(most.above, lnFixedEvidence(test, 1, 'above', true));
        most.below = Math.max(most.below, lnFixedEvidence(test, 1, 'below', true));
      }
      if (most.above >= LN_DEGRADED) wrong.above += 1;
      if (most.below >= LN_DEGRADED) wrong.below += 1;
    }
    return wrong;
  }

  // At the limit itself, the hardest case: a real tolerance lies above 1.
  it.each([
    ['2 events, counting noise', 20, 2, 0],
    ['20 events, 30 % noise', 20, 20, 0.3],
    ['1000 events, 30 % noise', 200, 1000, 0.3],
  ] as const)('%s: at most one per cent of 300 runs', (_name, perWindow, baselineEvents, noise) => {
    const wrong = falseAlarms(perWindow, baselineEvents, noise);
    expect(wrong.above).toBeLessThanOrEqual(RUNS / 100);
    expect(wrong.below).toBeLessThanOrEqual(RUNS / 100);
  });

  it('twice the rate of a good month is found within ten minutes at 10 requests a second, in nearly every run', () => {
    const found = Array.from({ length: 40 }, (_, k) => {
      const c = chance(700 + k);
      const windows = Array.from({ length: 20 }, () => ({ events: drawn(c, 0.04, 300, 0.1), exposure: 300 }));
      const candidateNow: Series = counts(20, (i) => windows[i] ?? { events: 0, exposure: 0 });
      return compare({
        metrics: [metric({ baseline: month })],
        settings,
        period: period(20),
        samples: [samples({ candidateNow })],
        hasCandidate: true,
      }).verdict;
    });
    expect(found.filter((verdict) => verdict === 'degraded').length).toBeGreaterThanOrEqual(38);
  });
});
