import { describe, expect, it } from 'vitest';
import { firstSeen, type GridSeries, sumIncreases } from '../../src/sources/increase.ts';
import { readArm } from '../../src/sources/read-arm.ts';
import { hasOracles, oracle } from '../analysis/support.ts';
import { metric } from './support.ts';

const _ = Number.NaN;
const series = (at: number[], labels: Record<string, string> = {}): GridSeries => ({
  labels,
  at,
});
const sum = (list: Iterable<number>) => [...list].reduce((a, b) => a + b, 0);
const ends = [30_000, 60_000, 90_000, 120_000];

/** Increases of one series. */
const increasesOf = (one: GridSeries, armSeenAt: number) => sumIncreases([one], armSeenAt, one.at.length - 1);

describe('increases of counters', () => {
  it.skipIf(!hasOracles)('a reset counts as Prometheus counts it (skipped where ../shared is missing)', () => {
    expect(sum(increasesOf(series([0, 1, 2, 3, 2, 3, 4]), 0))).toBe(oracle('prom-increase-reset').increase);
    // Before extrapolation: 0+18x5 twice is 5 increases of 18, a reset to 0, and 5 more.
    const twice = [0, 18, 36, 54, 72, 90, 0, 18, 36, 54, 72, 90];
    expect(sum(increasesOf(series(twice.slice(0, 11)), 0))).toBe(162);
    expect(oracle('prom-increase')['100m']).toBe(162);
  });

  it('are per series before they are summed: one replica’s restart is not lost in the other’s traffic', () => {
    const both = [series([100, 110, 5, 15]), series([1000, 1100, 1200, 1300])];
    expect([...sumIncreases(both, 0, 3)]).toEqual([110, 105, 110]);
  });

  it('a series that appears beside others counts from 0, the first of an arm is a baseline', () => {
    const old = series([10, 20, 30, 40]);
    const late = series([_, _, 7, 9]);
    expect([...increasesOf(late, firstSeen([old, late]))]).toEqual([_, 7, 2]);
    expect([...increasesOf(late, firstSeen([late]))]).toEqual([_, _, 2]);
  });

  it('the increase over a gap falls into the window it ends in', () => {
    expect([...increasesOf(series([1, _, _, 10]), 0)]).toEqual([_, _, 9]);
  });
});

describe('one arm', () => {
  const proportion = metric({ kind: 'proportion', bad: 'b', good: null, total: 't' });
  const good = metric({ kind: 'proportion', bad: null, good: 'g', total: 't' });

  it('requests without an error series had no errors', () => {
    const read = readArm(proportion, [[], [series([0, 10, 20, 30, 40])]], ends, 30_000);
    expect(read.series).toEqual({ kind: 'counts', windows: ends.map((endMs) => ({ endMs, events: 0, exposure: 10 })) });
  });

  it('a first error series counts from 0, since requests were seen before', () => {
    const read = readArm(proportion, [[series([_, _, 3, 3, 5])], [series([0, 10, 20, 30, 40])]], ends, 30_000);
    expect(read.series?.kind === 'counts' && read.series.windows.map((w) => w.events)).toEqual([0, 3, 0, 2]);
  });

  it('without requests there is nothing, whatever errors there are', () => {
    expect(readArm(proportion, [[], []], ends, 30_000)).toMatchObject({
      series: null,
      problem: 'no series were found',
    });
    expect(readArm(proportion, [[series([0, 1, 2, 3, 4])], []], ends, 30_000).series).toBeNull();
  });

  it('a window without requests’ series is left out', () => {
    const read = readArm(proportion, [[], [series([0, 10, 20, _, _])]], ends, 30_000);
    expect(read.series?.kind === 'counts' && read.series.windows.map((w) => w.endMs)).toEqual([30_000, 60_000]);
  });

  it('good ones that are nowhere are reported as such', () => {
    expect(readArm(good, [[], [series([0, 10, 20, 30, 40])]], ends, 30_000).noGood).toBe(true);
  });

  it('a rate without a denominator is against seconds of instances', () => {
    const rate = metric({ kind: 'rate', events: 'e', per: null });
    const found = [series([0, 1, 1, 1, 2], { instance: 'a' }), series([_, 0, 0, 0, 0], { instance: 'b' })];
    const read = readArm(rate, [found], ends, 30_000);
    expect(read.series?.kind === 'counts' && read.series.windows).toEqual([
      { endMs: 30_000, events: 1, exposure: 60 },
      { endMs: 60_000, events: 0, exposure: 60 },
      { endMs: 90_000, events: 0, exposure: 60 },
      { endMs: 120_000, events: 1, exposure: 60 },
    ]);
  });

  it('buckets become slower-than counts, for the bounds all instances have', () => {
    const latency = metric({ kind: 'latency', buckets: 'b', bounds: [] });
    const bucket = (le: string, instance: string, perWindow: number) =>
      series(
        [0, 1, 2, 3, 4].map((i) => i * perWindow),
        { le, instance },
      );
    const found = [
      bucket('0.1', 'a', 6),
      bucket('0.5', 'a', 9),
      bucket('+Inf', 'a', 10),
      bucket('0.10', 'b', 5),
      bucket('+Inf', 'b', 10),
    ];
    const read = readArm(latency, [found], ends, 30_000);
    expect(read.series).toEqual({
      kind: 'tails',
      bounds: [{ bound: 0.1, windows: ends.map((endMs) => ({ endMs, events: 9, exposure: 20 })) }],
    });
    expect(readArm(latency, [[bucket('0.1', 'a', 6)]], ends, 30_000).problem).toContain('le="+Inf"');
  });

  it('a gauge is the mean of its series, where there are any', () => {
    const gauge = metric({ kind: 'gauge', value: 'g' });
    const read = readArm(gauge, [[series([9, 1, 2, _, _]), series([9, 3, _, _, 5])]], ends, 30_000);
    expect(read.series).toEqual({
      kind: 'values',
      windows: [
        { endMs: 30_000, value: 2 },
        { endMs: 60_000, value: 2 },
        { endMs: 120_000, value: 5 },
      ],
    });
  });
});
