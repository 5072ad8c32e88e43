import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CompareInput, compare } from '../../src/analysis/compare.ts';
import { createMemory } from '../../src/analysis/evidence/memory.ts';
import { createScratch } from '../../src/analysis/evidence/scratch.ts';
import type { CountWindow, Metric, MetricComparison, MetricKind, Series } from '../../src/analysis/types.ts';
import { inColumns, metric, period, START_MS, samples, settings, WINDOW_MS } from './support.ts';

/**
 * Windows given as objects and as columns, in a room that was used before and in a new one, with what earlier looks kept and without:
 * whichever way, the same comes out, to the bit.
 */

const WINDOWS = 40;
const OFFSET_MS = 7 * 86_400_000;

const kind: fc.Arbitrary<MetricKind> = fc.constantFrom<MetricKind>(
  { kind: 'proportion', bad: 'b', good: null, total: 't' },
  { kind: 'proportion', bad: null, good: 'g', total: 't' },
  { kind: 'rate', events: 'e', per: 'p' },
  { kind: 'objective', bad: 'b', good: null, total: 't', allowed: 0.02 },
  { kind: 'split', requests: 'r', slack: 0.1 },
);
const anyMetric: fc.Arbitrary<Metric> = fc
  .record({
    source: kind,
    direction: fc.constantFrom('lower-is-better' as const, 'higher-is-better' as const),
    tolerance: fc.record({
      relative: fc.constantFrom(null, 0, 0.25),
      absolute: fc.constantFrom(null, 0.005),
      healthyRatio: fc.constant(1.5),
    }),
    weight: fc.constantFrom(0, 0.5),
    minimumSamples: fc.constantFrom(0, 100),
    criticalLimit: fc.constantFrom(null, 0.2),
    baseline: fc.constantFrom<NonNullable<Metric['baseline']>>(
      { kind: 'stable' },
      { kind: 'offset', offsetMs: OFFSET_MS },
      { kind: 'fixed', events: 200, exposure: 10_000 },
    ),
  })
  .map((over) => metric(over));

/** Some windows are missing, some have no traffic, and in some there are more events than requests. */
const anyWindow = fc.record({
  isThere: fc.integer({ min: 0, max: 15 }).map((n) => n > 0),
  exposure: fc.oneof(fc.constant(0), fc.integer({ min: 50, max: 5000 }), fc.double({ min: 0, max: 500, noNaN: true })),
  share: fc.oneof(fc.constantFrom(0, 0.02, 0.9, 1.1), fc.double({ min: 0, max: 0.1, noNaN: true })),
});
const anyArm = (offsetMs = 0) =>
  fc.array(anyWindow, { minLength: WINDOWS, maxLength: WINDOWS }).map((list): readonly (CountWindow | number)[] =>
    list.map(({ isThere, exposure, share }, i) => {
      const endMs = START_MS + (i + 1) * WINDOW_MS - offsetMs;
      return isThere ? { endMs, events: exposure * share, exposure } : endMs;
    }),
  );
type Arm = readonly (CountWindow | number)[];
const windowsOf = (arm: Arm) => arm.filter((w) => typeof w !== 'number');
const asWindows = (arm: Arm): Series => ({ kind: 'counts', windows: windowsOf(arm) });
const asColumns = (arm: Arm): Series =>
  inColumns(
    asWindows(arm),
    arm.filter((w) => typeof w === 'number'),
  );

const anyRead = fc.record({ of: anyMetric, stable: anyArm(), candidate: anyArm(), past: anyArm(OFFSET_MS) });
const anyLook = fc.record({
  read: fc.array(anyRead, { minLength: 1, maxLength: 3 }),
  hasCandidate: fc.boolean(),
  against: fc.constantFrom('stable' as const, 'past' as const),
  draw: fc.boolean(),
});
type Look = typeof anyLook extends fc.Arbitrary<infer T> ? T : never;

function inputOf({ read, hasCandidate, against, draw }: Look, series: (arm: Arm) => Series, windows = WINDOWS) {
  const step = START_MS + 15 * WINDOW_MS;
  const input: CompareInput = {
    metrics: read.map(({ of }, i) => ({ ...of, name: `m${i}` })),
    settings,
    period: {
      ...period(windows),
      against,
      healthyFromMs: step,
      restartsAtMs: [START_MS, step],
      exposures: [{ fromMs: START_MS - 3_600_000, percent: 30 }],
    },
    samples: read.map(({ stable, candidate, past }, i) =>
      samples({
        metric: `m${i}`,
        stableNow: series(stable.slice(0, windows)),
        candidateNow: series(candidate.slice(0, windows)),
        stableBefore: series(past),
      }),
    ),
    hasCandidate,
    draw,
  };
  return input;
}

/** With what is found only once it is asked for. */
const everythingIn = (told: readonly MetricComparison[]) =>
  told.map((m) => ({ ...m, candidateVersusPast: m.candidateVersusPast }));
function resultOf(input: CompareInput) {
  const result = compare(input);
  return { ...result, metrics: everythingIn(result.metrics) };
}

describe('a comparison comes to the same', () => {
  it('whether windows are given as objects or as columns', () => {
    fc.assert(
      fc.property(anyLook, (look) => {
        expect(resultOf(inputOf(look, asColumns))).toEqual(resultOf(inputOf(look, asWindows)));
      }),
      { seed: 21, numRuns: 300 },
    );
  });

  it('in a room that other looks were taken in before, also where something of it is asked for after the next look', () => {
    const memory = createScratch();
    let before: Look | null = null;
    fc.assert(
      fc.property(anyLook, (look) => {
        const fresh = resultOf(inputOf(look, asWindows));
        const result = compare({ ...inputOf(look, asColumns), memory });
        if (before) compare({ ...inputOf(before, asColumns), memory });
        before = look;
        expect({ ...result, metrics: everythingIn(result.metrics) }).toEqual(fresh);
      }),
      { seed: 22, numRuns: 300 },
    );
  });

  it('with what earlier looks of the rollout kept, in the room of other rollouts, also where windows fell out in front', () => {
    const scratch = createScratch();
    fc.assert(
      fc.property(anyLook, anyLook, (look, other) => {
        const [memory, another] = [createMemory(scratch), createMemory(scratch)];
        for (const windows of [20, 21, 30, WINDOWS]) {
          const kept = resultOf({ ...inputOf(look, asColumns, windows), memory });
          expect(kept).toEqual(resultOf(inputOf(look, asWindows, windows)));
          compare({ ...inputOf(other, asColumns, windows), memory: another });
        }
        const later = (series: (arm: Arm) => Series) => {
          const input = inputOf(look, series);
          return { ...input, period: { ...input.period, fromMs: START_MS + 10 * WINDOW_MS } };
        };
        expect(resultOf({ ...later(asColumns), memory })).toEqual(resultOf(later(asWindows)));
      }),
      { seed: 23, numRuns: 100 },
    );
  });
});
