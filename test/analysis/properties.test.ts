import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/analysis/compare.ts';
import { createMemory, forgetful } from '../../src/analysis/evidence/memory.ts';
import { lnEvidence, ratioTest, runFrom } from '../../src/analysis/evidence/ratio.ts';
import { restartIndices } from '../../src/analysis/evidence/restarts.ts';
import type { LookPeriod, Metric, MetricKind, MetricSamples, Series } from '../../src/analysis/types.ts';
import {
  type CountPair,
  chance,
  counts,
  metric,
  pairsOf,
  period,
  START_MS,
  samples,
  settings,
  values,
  WINDOW_MS,
} from './support.ts';

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
        const test = ratioTest(pairsOf(list), [0, ...(list.length > 15 ? [15] : [])], {
          noise: null,
          memory: forgetful,
        });
        const run = runFrom(test, 0, null);
        const higher = ratio * 1.3;
        const slack = 1e-9 * (1 + Math.abs(lnEvidence(test, ratio, 'worse')));
        expect(lnEvidence(test, higher, 'worse')).toBeLessThanOrEqual(lnEvidence(test, ratio, 'worse') + slack);
        expect(lnEvidence(run, higher, 'ok')).toBeGreaterThanOrEqual(lnEvidence(run, ratio, 'ok') - slack);
      }),
      { seed: 13, numRuns: 300 },
    );
  });

  it('is 1 before the first window', () => {
    const none = ratioTest(pairsOf([]), [0], { noise: null, memory: forgetful });
    expect(lnEvidence(none, 1.25, 'worse')).toBeCloseTo(0, 12);
    expect(lnEvidence(runFrom(none, 0, null), 1.25, 'ok')).toBeCloseTo(0, 12);
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

/** Ten metrics of two hours, one of them a gauge, with a past: what a look of a large policy has to go on. */
function aLargeLook(n: number, seed: number) {
  const c = chance(seed);
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
  return { metrics, settings, samples: read, hasCandidate: true };
}

describe('memory', () => {
  it('of earlier looks changes nothing that is decided, also where a window was read anew or fell out in front', () => {
    const large = aLargeLook(60, 8);
    const memory = createMemory();
    for (const [n, late] of [
      [20, 0],
      [21, 0],
      [22, 1],
      [40, 0],
      [60, 3],
    ] as const) {
      // What Prometheus scraped late stands in an older window than the newest.
      const read = large.samples.map((s) => ({ ...s, candidateNow: withMore(s.candidateNow, n - 4, late) }));
      const fromMs = n === 60 ? START_MS + 10 * WINDOW_MS : START_MS;
      const look = { ...large, samples: read, period: { ...period(n), fromMs, healthyFromMs: fromMs } };
      const fresh = compare(look);
      const kept = compare({ ...look, memory });
      expect(kept.verdict).toBe(fresh.verdict);
      kept.metrics.forEach((m, i) => {
        expect(m.verdict).toBe(fresh.metrics[i]?.verdict);
        expect(Math.log(m.evidence)).toBeCloseTo(Math.log(fresh.metrics[i]?.evidence ?? 0), 8);
      });
    }
  });

  it('is forgotten where the windows are not those it was made of', () => {
    const memory = createMemory();
    const one = { metrics: [metric()], settings, period: period(20), hasCandidate: true };
    const look = (bad: number) => ({
      ...one,
      samples: [
        samples({
          stableNow: counts(20, () => ({ events: 20, exposure: 1000 })),
          candidateNow: counts(20, () => ({ events: bad, exposure: 1000 })),
        }),
      ],
    });
    expect(compare({ ...look(20), memory }).verdict).toBe('healthy');
    expect(compare({ ...look(60), memory }).verdict).toBe('degraded');
    expect(compare({ ...look(20), memory }).verdict).toBe('healthy');
  });
});

function withMore(series: Series | null, at: number, events: number): Series | null {
  if (series?.kind !== 'counts') return series;
  return {
    kind: 'counts',
    windows: series.windows.map((w, i) => (i === at ? { ...w, events: w.events + events } : w)),
  };
}

describe('cost', () => {
  /** Milliseconds of CPU of the fastest of some: what others do on the machine is not ours. */
  const fastestOf = (times: number, work: () => void) =>
    Math.min(
      ...Array.from({ length: times }, () => {
        const before = process.cpuUsage();
        work();
        const used = process.cpuUsage(before);
        return (used.user + used.system) / 1000;
      }),
    );

  it('a look at ten metrics over 240 windows is a matter of milliseconds', () => {
    const look = { ...aLargeLook(240, 5), period: period(240) };
    const memory = createMemory();
    compare({ ...look, memory });
    // The bounds leave room for a slower machine; what it takes is measured by npm run bench:decisions.
    expect(fastestOf(15, () => compare({ ...look, draw: false, memory }))).toBeLessThan(20);
    expect(fastestOf(15, () => compare(look))).toBeLessThan(60);
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
