import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compare } from '../../../src/analysis/compare.ts';
import type { CountWindow, Metric, MetricKind, Series } from '../../../src/analysis/types.ts';
import { metric, period, START_MS, samples, settings, WINDOW_MS } from '../support.ts';

const wild = fc.oneof(
  fc.double(),
  fc.integer({ min: -5, max: 5000 }),
  fc.constantFrom(0, 1e-300, 1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const ends = fc.integer({ min: -3, max: 45 }).map((i) => START_MS + i * WINDOW_MS);
const countWindows: fc.Arbitrary<CountWindow[]> = fc.array(fc.record({ endMs: ends, events: wild, exposure: wild }), {
  maxLength: 40,
});
const whole = fc.array(fc.record({ events: fc.nat(50), exposure: fc.nat(500) }), { minLength: 40, maxLength: 40 });
const orderly = whole.map((list) => list.map((w, i) => ({ endMs: START_MS + (i + 1) * WINDOW_MS, ...w })));
const someWindows = fc.oneof(countWindows, orderly);

const series: fc.Arbitrary<Series | null> = fc.oneof(
  fc.constant(null),
  someWindows.map((windows): Series => ({ kind: 'counts', windows })),
  fc
    .array(fc.record({ endMs: ends, value: wild }), { maxLength: 40 })
    .map((windows): Series => ({ kind: 'values', windows })),
  fc
    .array(fc.record({ bin: fc.constantFrom('a', 'b', 'c'), windows: someWindows }), { maxLength: 3 })
    .map((bins): Series => ({ kind: 'bins', bins })),
);

const source: fc.Arbitrary<MetricKind> = fc.oneof(
  fc.constant<MetricKind>({ kind: 'drift', counts: 'c', by: 'bin' }),
  wild.map((limit): MetricKind => ({ kind: 'drift-score', value: 'v', limit })),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((limit): MetricKind => ({ kind: 'limit', value: 'v', limit })),
  fc
    .record({ allowed: fc.double({ min: 0, max: 1, noNaN: true }), isGood: fc.boolean() })
    .map(({ allowed, isGood }): MetricKind => {
      return { kind: 'objective', bad: isGood ? null : 'b', good: isGood ? 'g' : null, total: 't', allowed };
    }),
  fc.double({ min: 0, max: 1, noNaN: true }).map((slack): MetricKind => ({ kind: 'split', requests: 'r', slack })),
);

it('whatever was read of these kinds, there is an answer, in one sentence, and every number in it survives JSON', () => {
  fc.assert(
    fc.property(
      source,
      series,
      series,
      series,
      series,
      fc.boolean(),
      fc.constantFrom<Metric['direction'][]>('lower-is-better', 'higher-is-better'),
      fc.constantFrom(undefined, [], [{ fromMs: START_MS - 1e6, percent: 50 }], [{ fromMs: START_MS, percent: 1e-9 }]),
      (of, candidateNow, stableNow, stableBefore, budget, hasCandidate, direction, exposures) => {
        const asked = metric({ name: 'm', source: of, direction, minimumSamples: 1 });
        const result = compare({
          metrics: [asked],
          settings,
          period: period(40, exposures === undefined ? {} : { exposures }),
          samples: [samples({ metric: 'm', candidateNow, stableNow, stableBefore, budget })],
          hasCandidate,
        });
        expect(JSON.parse(JSON.stringify(result))).toEqual(result);
        const [only] = result.metrics;
        expect(only?.sentence).toMatch(/^[^\n]+\.$/);
        expect(only?.sentence).not.toMatch(/NaN|Infinity|undefined|null/);
        expect(Number.isFinite(only?.evidence)).toBe(true);
        if (of.kind.startsWith('drift') || of.kind === 'split') expect(only?.verdict).not.toBe('degraded');
      },
    ),
    { seed: 11, numRuns: 1500 },
  );
});
