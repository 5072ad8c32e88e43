import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CountPair } from '../../src/analysis/arms/windows.ts';
import { compare } from '../../src/analysis/compare.ts';
import { lnEvidence, ratioTest } from '../../src/analysis/evidence/ratio.ts';
import { restartIndices } from '../../src/analysis/evidence/restarts.ts';
import type { LookPeriod, Metric, MetricKind, MetricSamples, Series } from '../../src/analysis/types.ts';
import { chance, counts, metric, period, START_MS, samples, settings, values, WINDOW_MS } from './support.ts';

const anyNumber = fc.oneof(
  fc.double({ noDefaultInfinity: true, noNaN: true }),
  fc.constantFrom(0, -0, 1, 1e-300, 1e300, Number.MAX_VALUE, Number.MIN_VALUE, -1, 0.5),
  fc.integer({ min: 0, max: 1000 }),
);
const anyEnd = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((i) => START_MS + i * WINDOW_MS),
  fc.integer({ min: -5, max: 20 }).map((i) => START_MS + i * WINDOW_MS - 7 * 86_400_000),
  anyNumber,
);
const anyCounts = fc.array(fc.record({ endMs: anyEnd, events: anyNumber, exposure: anyNumber }), { maxLength: 14 });
const anySeries: fc.Arbitrary<Series | null> = fc.oneof(
  fc.constant(null),
  fc.record({ kind: fc.constant('counts' as const), windows: anyCounts }),
  fc.record({
    kind: fc.constant('tails' as const),
    bounds: fc.array(fc.record({ bound: anyNumber, windows: anyCounts }), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('values' as const),
    windows: fc.array(fc.record({ endMs: anyEnd, value: anyNumber }), { maxLength: 14 }),
  }),
);
const anyKind: fc.Arbitrary<MetricKind> = fc.oneof(
  fc.constantFrom<MetricKind>(
    { kind: 'proportion', bad: 'b', good: null, total: 't' },
    { kind: 'proportion', bad: null, good: 'g', total: 't' },
    { kind: 'rate', events: 'e', per: null },
    { kind: 'rate', events: 'e', per: 'p' },
    { kind: 'latency', buckets: 'b', bounds: [] },
    { kind: 'gauge', value: 'v' },
  ),
);
/** A policy's own numbers are checked when it is loaded; these are far beyond what passes there. */
const policyNumber = fc.oneof(fc.double({ min: -1e12, max: 1e12, noNaN: true }), fc.constantFrom(0, 1e-300, 0.25));
const maybe = fc.oneof(fc.constant(null), policyNumber);
const anyMetric: fc.Arbitrary<Metric> = fc
  .record({
    source: anyKind,
    direction: fc.constantFrom('lower-is-better' as const, 'higher-is-better' as const),
    tolerance: fc.record({ relative: maybe, absolute: maybe, healthyRatio: policyNumber }),
    minimumSamples: fc.oneof(fc.constant(0), anyNumber),
    criticalLimit: maybe,
    weight: fc.oneof(fc.constantFrom(0, 0.5, 1), anyNumber),
  })
  .map((over) => metric(over));
const anyPeriod: fc.Arbitrary<LookPeriod> = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map((n) => period(n)),
  fc.record({
    fromMs: anyEnd,
    toMs: anyEnd,
    healthyFromMs: anyEnd,
    restartsAtMs: fc.array(anyEnd, { maxLength: 4 }),
    beforeOffsetMs: anyNumber,
    against: fc.constantFrom('stable' as const, 'past' as const),
  }),
);

describe('whatever is read', () => {
  it('there is an answer, and every number in it survives JSON', () => {
    fc.assert(
      fc.property(
        anyMetric,
        anySeries,
        anySeries,
        anySeries,
        anyPeriod,
        fc.boolean(),
        (one, stableNow, stableBefore, candidateNow, look, hasCandidate) => {
          const read: MetricSamples[] = [samples({ stableNow, stableBefore, candidateNow })];
          const result = compare({ metrics: [one], settings, period: look, samples: read, hasCandidate });
          expect(['degraded', 'healthy', 'inconclusive', 'no-data']).toContain(result.verdict);
          const [seen] = result.metrics;
          const numbers = [
            seen?.evidence,
            seen?.limit,
            ...(seen?.change ? Object.values(seen.change) : []),
            ...(result.score === null ? [] : [result.score]),
          ];
          for (const n of numbers) expect(Number.isFinite(n)).toBe(true);
          expect(seen?.sentence).not.toMatch(/NaN|Infinity|undefined|null/);
          if (seen?.change) {
            expect(seen.change.lower).toBeLessThanOrEqual(seen.change.estimate);
            expect(seen.change.upper).toBeGreaterThanOrEqual(seen.change.estimate);
          }
        },
      ),
      { seed: 11, numRuns: 3000 },
    );
  });

  it('an absent or empty arm is never healthy and never degraded', () => {
    fc.assert(
      fc.property(anyMetric, anySeries, anyPeriod, (one, stableNow, look) => {
        for (const candidateNow of [null, { kind: 'counts' as const, windows: [] }]) {
          const read = [samples({ stableNow, candidateNow })];
          const result = compare({ metrics: [one], settings, period: look, samples: read, hasCandidate: true });
          expect(result.verdict).toBe('no-data');
        }
      }),
      { seed: 12, numRuns: 300 },
    );
  });
});

describe('evidence', () => {
  const count = fc.integer({ min: 0, max: 500 });
  const pairs: fc.Arbitrary<CountPair[]> = fc.array(
    fc.record({
      endMs: fc.constant(0),
      suspectEvents: count,
      suspectExposure: fc.integer({ min: 1, max: 5000 }),
      referenceEvents: count,
      referenceExposure: fc.integer({ min: 1, max: 5000 }),
    }),
    { maxLength: 30 },
  );

  it('against a ratio falls as the ratio rises, and for being under it rises', () => {
    fc.assert(
      fc.property(pairs, fc.double({ min: 0.05, max: 20, noNaN: true }), (list, ratio) => {
        const test = ratioTest(list, [0, ...(list.length > 15 ? [15] : [])]);
        const higher = ratio * 1.3;
        const slack = 1e-9 * (1 + Math.abs(lnEvidence(test, ratio, 'worse', true)));
        expect(lnEvidence(test, higher, 'worse', true)).toBeLessThanOrEqual(
          lnEvidence(test, ratio, 'worse', true) + slack,
        );
        expect(lnEvidence(test, higher, 'ok', false)).toBeGreaterThanOrEqual(
          lnEvidence(test, ratio, 'ok', false) - slack,
        );
      }),
      { seed: 13, numRuns: 300 },
    );
  });

  it('is 1 before the first window', () => {
    expect(lnEvidence(ratioTest([], [0]), 1.25, 'worse', true)).toBeCloseTo(0, 12);
    expect(lnEvidence(ratioTest([], null), 1.25, 'ok', false)).toBe(0);
  });

  it('copies begin at the first window, at steps and every 15 minutes', () => {
    const ends = Array.from({ length: 100 }, (_, i) => START_MS + (i + 1) * WINDOW_MS);
    const at = restartIndices(ends, START_MS, START_MS + 100 * WINDOW_MS, [
      START_MS,
      START_MS + 10 * WINDOW_MS,
      START_MS * 2,
    ]);
    expect(at).toEqual([0, 10, 30, 60, 90]);
  });
});

describe('cost', () => {
  it('a look at ten metrics over 240 windows is a matter of milliseconds', () => {
    const c = chance(5);
    const n = 240;
    const offset = 7 * 86_400_000;
    const metrics = Array.from({ length: 10 }, (_, k) =>
      metric({ name: `m${k}`, weight: 0.1, ...(k === 9 ? { source: { kind: 'gauge', value: 'v' } } : {}) }),
    );
    const read = metrics.map((m) => {
      const arm = (exposure: number, offsetMs = 0) =>
        m.source.kind === 'gauge'
          ? values(n, () => 5 + c.normal(), offsetMs)
          : counts(n, () => ({ events: c.poisson(exposure / 50), exposure }), offsetMs);
      return samples({ metric: m.name, stableNow: arm(1000), candidateNow: arm(100), stableBefore: arm(1000, offset) });
    });
    const once = () => {
      const before = process.cpuUsage();
      compare({ metrics, settings, period: period(n), samples: read, hasCandidate: true });
      const used = process.cpuUsage(before);
      return (used.user + used.system) / 1000;
    };
    const fastest = Math.min(...Array.from({ length: 15 }, once));
    // About 12 ms where this was written; the bound leaves room for a slower machine.
    expect(fastest).toBeLessThan(40);
  });

  it('a day of three-second windows stays affordable', () => {
    const c = chance(6);
    const n = 28_800;
    const arm = () => counts(n, () => ({ events: c.poisson(1), exposure: 50 }));
    const long = { ...period(n), toMs: START_MS + n * WINDOW_MS };
    const read = [samples({ stableNow: arm(), candidateNow: arm() })];
    const begun = process.cpuUsage();
    expect(compare({ metrics: [metric()], settings, period: long, samples: read, hasCandidate: true }).verdict).toBe(
      'healthy',
    );
    expect(process.cpuUsage(begun).user / 1000).toBeLessThan(2000);
  });
});
