import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Metric, MetricSamples } from '../../src/analysis/types.ts';
import { createPrometheusSource } from '../../src/sources/prometheus.ts';
import { evaluator, type Stored } from './evaluator.ts';
import { endpoint, metric } from './support.ts';

const WINDOW_MS = 30_000;
const NOW_MS = 1_795_220_400_000;
const VERSIONS = ['v1', 'v2'];

/** Pods that begin, pause, begin anew and end, each scraped every 15 s or so. */
const samples = fc
  .tuple(
    fc.integer({ min: 0, max: 3_000_000 }),
    fc.array(
      fc.tuple(
        fc.oneof(
          { weight: 12, arbitrary: fc.constant(15_000) },
          { weight: 1, arbitrary: fc.constantFrom(45_000, 90_000, 300_000) },
        ),
        fc.oneof(
          { weight: 20, arbitrary: fc.integer({ min: 0, max: 9 }) },
          { weight: 1, arbitrary: fc.constantFrom(-1, 0.1, 70_000) },
        ),
      ),
      { minLength: 1, maxLength: 300 },
    ),
    fc.constantFrom(false, false, false, false, true),
  )
  .map(([begin, steps, isOdd]) => {
    let [at, value] = [NOW_MS - 4_200_000 + begin, 0];
    return steps.map(([gap, more], k): [number, string | null] => {
      at += gap;
      value = more < 0 ? 0 : value + more;
      return [at, isOdd && k === 40 ? 'NaN' : String(value)];
    });
  });
const stored: fc.Arbitrary<Stored[]> = fc.uniqueArray(
  fc.record({
    labels: fc.record({
      __name__: fc.constant('m_total'),
      version: fc.constantFrom(...VERSIONS),
      code: fc.constantFrom('200', '500'),
      pod: fc.constantFrom('p', 'q', 'r'),
    }),
    samples,
    histograms: fc.constant(false),
  }),
  { maxLength: 10, selector: ({ labels }) => JSON.stringify(labels) },
);

const all = 'm_total{version="{{version}}"}';
const METRICS: Metric[] = [
  metric({ kind: 'proportion', bad: 'm_total{version="{{version}}",code="500"}', good: null, total: all }, 'bad'),
  metric({ kind: 'proportion', bad: null, good: 'm_total{version="{{version}}",code="200"}', total: all }, 'good'),
  metric({ kind: 'rate', events: all, per: null }, 'rate'),
  metric({ kind: 'split', requests: all, slack: 0.1 }, 'split'),
];
const DELAYED: Metric = { ...metric({ kind: 'rate', events: all, per: all }, 'delayed'), labelDelayMs: 120_000 };

function sourceOf(series: () => readonly Stored[], clock: { nowMs: number }, bytes: number) {
  const server = evaluator(series);
  const source = createPrometheusSource({
    http: server.http,
    endpoint: endpoint('http://prometheus'),
    now: () => clock.nowMs,
    gatherMs: 0,
    mostKeptBytes: 0,
    mostCountedBytes: bytes,
  });
  return { source, server };
}

describe('what was counted', () => {
  it('comes to what it comes to when all is read anew, look after look, while pods come, pause, restart and go', async () => {
    let [kept, anew] = [0, 0];
    const move = fc.tuple(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 0, max: 2 }),
      fc.integer({ min: 0, max: 2 }),
    );
    await fc.assert(
      fc.asyncProperty(stored, fc.array(move, { minLength: 3, maxLength: 10 }), async (series, moves) => {
        const clock = { nowMs: NOW_MS - 1_800_000 };
        // Only what has been scraped by then is there.
        const visible = () =>
          series.map((s) => ({ ...s, samples: s.samples.filter(([at]) => at <= clock.nowMs - 1000) }));
        const ours = sourceOf(visible, clock, 1_000_000);
        let [fromMs, offset] = [clock.nowMs - 600_000, 20];
        for (const [later, forward, back] of moves) {
          clock.nowMs += later * 15_000;
          fromMs += forward * WINDOW_MS;
          offset += back;
          const request = {
            service: 'ranker',
            stable: 'v1',
            candidate: 'v2',
            metrics: [...METRICS, DELAYED],
            windowMs: WINDOW_MS,
            period: {
              fromMs,
              toMs: clock.nowMs,
              earliestMs: fromMs - 300_000,
              healthyFromMs: fromMs,
              restartsAtMs: [],
              beforeOffsetMs: offset * WINDOW_MS,
              against: 'stable' as const,
            },
          };
          const whole = sourceOf(visible, clock, 0);
          const signal = new AbortController().signal;
          const read = await ours.source.read(request, signal);
          const inWhole = await whole.source.read(request, signal);
          expect(read.map(asWindows)).toEqual(inWhole.map(asWindows));
          expect(read.map(asColumns)).toEqual(inWhole.map(asColumns));
          kept += points(ours.server.asked);
          anew += points(whole.server.asked);
          ours.server.asked.length = 0;
        }
      }),
      { numRuns: 250, seed: 11 },
    );
    // Most of it was not asked for again.
    expect(kept).toBeLessThan(anew * 0.7);
  });
});

/** As windows, whatever else they are given as. */
function asWindows({ stableNow, stableBefore, candidateNow, ...rest }: MetricSamples) {
  const arms = [stableNow, stableBefore, candidateNow].map((arm) =>
    arm?.kind === 'counts' ? { kind: arm.kind, windows: arm.windows } : arm,
  );
  return { ...rest, arms };
}

/** The windows that the columns are. */
function asColumns({ stableNow, stableBefore, candidateNow }: MetricSamples) {
  return [stableNow, stableBefore, candidateNow].map((arm) => {
    if (arm?.kind !== 'counts') return arm;
    const { columns } = arm;
    if (columns === undefined) return arm.windows;
    return Array.from({ length: columns.length }, (_, i) => ({
      endMs: columns.endMs(i),
      events: columns.events(i),
      exposure: columns.exposure(i),
    })).filter(({ exposure }) => !Number.isNaN(exposure));
  });
}

function points(asked: readonly { startMs: number; endMs: number }[]): number {
  return asked.reduce((sum, { startMs, endMs }) => sum + (endMs - startMs) / WINDOW_MS + 1, 0);
}
