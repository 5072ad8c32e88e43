import { describe, expect, it } from 'vitest';
import { failuresInARow } from './methods/consecutive.ts';
import { failuresAltogether } from './methods/cumulative.ts';
import { isHigh, mannWhitney, shiftAt, shiftedZ } from './methods/mann-whitney.ts';
import { ours } from './methods/ours.ts';
import { fixedLimit, lastMinute } from './methods/readings.ts';
import { singleFailure, singleThreshold } from './methods/single-threshold.ts';
import { scenarios } from './scenarios.ts';
import { normalCdf, type Traffic, WINDOWS } from './traffic.ts';

/** 'x' a failed check, '.' one that passed. */
const checks = (text: string) => [...text].map((c) => c === 'x');
const rising = (values: readonly number[]) => values.toSorted((a, b) => a - b);

describe('counting failed checks', () => {
  it.each([
    ['......', -1],
    ['..x...', 2],
    ['x', 0],
    ['', -1],
  ])('one failure in %s: look %d', (text, at) => expect(singleFailure(checks(text))).toBe(at));

  it.each([
    ['xx.xx.xx.', -1],
    ['xx.xxx', 5],
    ['xxxx', 2],
    ['.xx', -1],
  ])('three in a row in %s: look %d', (text, at) => expect(failuresInARow(checks(text), 3)).toBe(at));

  it.each([
    ['x.x.x.', 4],
    ['xx....', -1],
    ['xxx', 2],
  ])('three altogether in %s: look %d', (text, at) => expect(failuresAltogether(checks(text), 3)).toBe(at));
});

describe('Mann-Whitney', () => {
  it("agrees with scipy's documented example: U 17, asymptotic p 0.1113", () => {
    // https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.mannwhitneyu.html
    const males = rising([19, 22, 16, 29, 24]);
    const females = rising([20, 11, 17, 12]);
    expect(2 * (1 - normalCdf(shiftedZ(males, females, 0)))).toBeCloseTo(0.11134688653314041, 10);
    // Without the continuity correction z is (17 - 10) / sqrt(20 * 10 / 12).
    expect(shiftedZ(males, females, 0, false)).toBeCloseTo(7 / Math.sqrt(200 / 12), 12);
  });

  it('corrects for ties: 1 2 2 3 against 2 3 3 4', () => {
    // Ranks 1, 3 3 3, 6 6 6, 8: rank sum 13, U 3, ties 2 * (27 - 3); sigma^2 = 16/12 * (9 - 48/56).
    const z = shiftedZ([1, 2, 2, 3], [2, 3, 3, 4], 0, false);
    expect(z).toBeCloseTo((3 - 8) / Math.sqrt((16 / 12) * (9 - 48 / 56)), 12);
  });

  it('finds the Hodges-Lehmann shift, and an interval around it', () => {
    const y = Array.from({ length: 30 }, (_, i) => Math.sqrt(2) * i);
    const x = y.map((v) => v + 5);
    expect(shiftAt(x, y, 0)).toBeCloseTo(5, 6);
    expect(shiftAt(x, y, 2.326)).toBeLessThan(5);
    expect(shiftAt(x, y, -2.326)).toBeGreaterThan(5);
  });

  it('is High where surely and sufficiently above, and not where all is tied', () => {
    const low = Array.from({ length: 20 }, (_, i) => 1 + i / 100);
    const high = low.map((v) => v * 1.5);
    expect(isHigh(high, low, 1.25)).toBe(true);
    expect(isHigh(high, low, 1.6)).toBe(false);
    expect(isHigh(low, high, 1)).toBe(false);
    expect(isHigh([0, 0, 0, 0, 0], [0, 0, 0, 0, 0], 1.25)).toBe(false);
  });
});

describe('methods on handmade traffic', () => {
  const [scenario] = scenarios;
  if (!scenario) throw new Error('no scenario');
  const column = (at: (i: number) => number) => Float64Array.from({ length: WINDOWS }, (_, i) => at(i));
  const arm = (bad: (i: number) => number, total = 1000) => ({
    total: column(() => total),
    bad: column(bad),
    slower: [],
  });
  const traffic = (candidate: (i: number) => number): Traffic => ({
    scenario,
    metrics: [{ past: arm(() => 20), stable: arm(() => 20), candidate: arm(candidate) }],
  });

  it('read the last minute', () => {
    const two = arm((i) => (i < 4 ? 0 : 30));
    expect(lastMinute(two, 2)).toBe(0);
    expect(lastMinute(two, 3)).toBe(0.03);
    expect(
      lastMinute(
        arm(() => 0, 0),
        3,
      ),
    ).toBeNull();
    expect(fixedLimit(traffic(() => 20))).toBeCloseTo(0.03, 12);
  });

  it('a single bad minute is an alarm to a threshold alone', () => {
    const spike = traffic((i) => (i === 20 || i === 21 ? 45 : 20));
    expect(singleThreshold.firstAlarm(spike)).toBe(11);
    expect(mannWhitney.firstAlarm(spike)).toBeNull();
    expect(ours.firstAlarm(spike)).toBeNull();
  });

  it('five times the errors from the start are an alarm to all, ours at the first look with three windows', () => {
    const worse = traffic(() => 100);
    expect(singleThreshold.firstAlarm(worse)).toBe(3);
    expect(ours.firstAlarm(worse)).toBe(4);
    // All values are the same in each arm: five against five wholly apart.
    expect(mannWhitney.firstAlarm(worse)).toBe(7);
  });
});
