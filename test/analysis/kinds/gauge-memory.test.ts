import { describe, expect, it } from 'vitest';
import { compare } from '../../../src/analysis/compare.ts';
import { memoryBefore, memoryOfArm, memoryOfDifferences } from '../../../src/analysis/kinds/level.ts';
import type { Series } from '../../../src/analysis/types.ts';
import { type Chance, chance, metric, period, samples, settings, values, WINDOW_MS } from '../support.ts';

/** A gauge of 50 that scatters by a tenth and remembers: its correlation from one window to the next is `memory`. */
function remembering(c: Chance, n: number, memory: number, level = 50, offsetMs = 0): Series {
  let own = c.normal();
  return values(
    n,
    () => {
      own = memory * own + Math.sqrt(1 - memory * memory) * c.normal();
      return level * (1 + 0.1 * own);
    },
    offsetMs,
  );
}

function numbers(c: Chance, n: number, memory: number): number[] {
  const series = remembering(c, n, memory);
  return series.kind === 'values' ? series.windows.map((w) => w.value) : [];
}

const PAST_WINDOWS = 120;
const gauge = metric({
  source: { kind: 'gauge', value: 'v' },
  tolerance: { relative: 0.1, absolute: null, healthyRatio: 1.5 },
  minimumSamples: 6,
});

/** The first of the looks, every five windows over two hours, that calls it degraded; null: none does. */
function firstAlarm(seed: number, memory: number, level: number): number | null {
  const c = chance(seed);
  const beforeOffsetMs = PAST_WINDOWS * WINDOW_MS;
  const read = samples({
    stableBefore: remembering(c, PAST_WINDOWS, memory, 50, beforeOffsetMs),
    stableNow: remembering(c, 240, memory),
    candidateNow: remembering(c, 240, memory, level),
  });
  for (let n = 5; n <= 240; n += 5) {
    const until = (s: Series | null) => (s?.kind === 'values' ? { ...s, windows: s.windows.slice(0, n) } : null);
    const { verdict } = compare({
      metrics: [gauge],
      settings,
      period: period(n, { beforeOffsetMs }),
      samples: [{ ...read, stableNow: until(read.stableNow), candidateNow: until(read.candidateNow) }],
      hasCandidate: true,
      draw: false,
    });
    if (verdict === 'degraded') return n;
  }
  return null;
}

describe('a gauge that remembers', () => {
  const seeds = Array.from({ length: 60 }, (_, i) => 100 + i);

  it('is no false alarm within two hours of looking again and again', () => {
    expect(seeds.filter((seed) => firstAlarm(seed, 0.6, 50) !== null)).toHaveLength(0);
    // Beyond what is promised: without the past's memory a quarter of them are.
    expect(seeds.filter((seed) => firstAlarm(seed, 0.9, 50) !== null).length).toBeLessThanOrEqual(9);
  });

  it('is found out all the same: 30 % more within an hour', () => {
    const found = seeds.map((seed) => firstAlarm(seed, 0.6, 65)).filter((n) => n !== null && n <= 120);
    expect(found.length).toBeGreaterThanOrEqual(57);
  });
});

describe('the memory that is allowed for', () => {
  const calm = numbers(chance(1), 100, 0);
  const lasting = numbers(chance(2), 100, 0.7);

  it('is learned from a past that is long enough to show it', () => {
    expect(memoryBefore(lasting)).toBeGreaterThan(0.5);
    expect(memoryBefore(lasting.slice(0, 20))).toBe(0);
    expect(memoryBefore(calm)).toBe(0);
  });

  it('of one arm is no less than the past shows', () => {
    expect(memoryOfArm(calm, 0.8)).toBe(0.8);
    expect(memoryOfArm(lasting, 0)).toBeGreaterThan(0.55);
  });

  it('of differences follows the past only as far as they do not contradict it: what both arms share is none of theirs', () => {
    expect(memoryOfDifferences(calm, 0.9)).toBeCloseTo(0.15, 10);
    expect(memoryOfDifferences(calm.slice(0, 9), 0.9)).toBeCloseTo(0.5, 10);
    expect(memoryOfDifferences(calm, 0.1)).toBe(0.1);
    expect(memoryOfDifferences(lasting, 0.1)).toBeGreaterThan(0.5);
    // No past to go by: what a short series may hide is added.
    expect(memoryOfDifferences(calm, 0)).toBeCloseTo(0.07, 10);
  });
});
