import { describe, expect, it } from 'vitest';
import { extentOf, whyNotJudged } from '../../src/analysis/arms/arm.ts';
import type { CountWindow, Series } from '../../src/analysis/types.ts';
import { armRead, metric, period, START_MS, WINDOW_MS } from './support.ts';

const latency = metric({ title: 'Latency', source: { kind: 'latency', buckets: 'b', bounds: [] } });

function windows(from: number, to: number): CountWindow[] {
  return Array.from({ length: to - from }, (_, i) => ({
    endMs: START_MS + (from + i + 1) * WINDOW_MS,
    events: 5,
    exposure: 100,
  }));
}
const tails = (...bounds: readonly CountWindow[][]): Series => ({
  kind: 'tails',
  bounds: bounds.map((list, i) => ({ bound: i + 1, windows: list })),
});
const why = (arm: Series) => whyNotJudged(armRead(arm, latency), 'the candidate', latency, period(20), WINDOW_MS);

describe('an arm with several bounds', () => {
  it('is not stale because one of them ended long ago, even if that one has more windows', () => {
    const before = windows(-10, 0);
    expect(why(tails([...before, ...windows(0, 10)], windows(4, 20)))).toBeNull();
    expect(why(tails(windows(4, 20), [...before, ...windows(0, 10)]))).toBeNull();
  });

  it('is stale where all of them ended', () => {
    expect(why(tails(windows(0, 16), windows(0, 12)))).toBe('the candidate has had no numbers for 120 s');
  });

  it('has the windows that any of them has, oldest first, each counted once', () => {
    const extent = (...bounds: readonly CountWindow[][]) => extentOf(armRead(tails(...bounds), latency));
    const all = windows(0, 6);
    expect(extent(windows(2, 6), windows(0, 4))).toEqual({
      length: 6,
      ends: all.map((w) => w.endMs),
      exposure: all.map((w) => w.exposure),
    });
    expect(extent(windows(0, 4), windows(0, 4)).length).toBe(4);
    expect(extent().length).toBe(0);
  });
});
