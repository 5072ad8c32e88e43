import { describe, expect, it } from 'vitest';
import { type Random, random } from './random.ts';
import { scenarios } from './scenarios.ts';
import { BUCKETS, normalCdf, slowerShare, trafficOf, WINDOWS } from './traffic.ts';

const DRAWS = 20_000;
const draws = (draw: (chance: Random) => number, key: string) => {
  const chance = random(7, key);
  return Array.from({ length: DRAWS }, () => draw(chance));
};
const mean = (list: readonly number[]) => list.reduce((sum, v) => sum + v, 0) / list.length;
const variance = (list: readonly number[]) => {
  const m = mean(list);
  return list.reduce((sum, v) => sum + (v - m) ** 2, 0) / (list.length - 1);
};
/** Five standard errors of the mean of so many draws. */
const within = (deviation: number) => (5 * deviation) / Math.sqrt(DRAWS);

describe('random numbers', () => {
  it('are the same for the same seed and key, and others for another', () => {
    const first = (seed: number, key: string) => Array.from({ length: 5 }, random(seed, key).uniform);
    expect(first(1, 'a')).toEqual(first(1, 'a'));
    expect(first(1, 'a')).not.toEqual(first(2, 'a'));
    expect(first(1, 'a')).not.toEqual(first(1, 'b'));
  });

  it('are uniform', () => {
    const list = draws((c) => c.uniform(), 'uniform');
    expect(Math.min(...list)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...list)).toBeLessThan(1);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const share = list.filter((u) => Math.floor(u * 10) === tenth).length / DRAWS;
      expect(Math.abs(share - 0.1)).toBeLessThan(within(0.3));
    }
  });

  it('are normal', () => {
    const list = draws((c) => c.normal(), 'normal');
    expect(Math.abs(mean(list))).toBeLessThan(within(1));
    expect(variance(list)).toBeCloseTo(1, 1);
    expect(Math.abs(list.filter((z) => z > 1.959964).length / DRAWS - 0.025)).toBeLessThan(within(0.156));
  });

  it.each([0.05, 0.6, 3, 60, 499.5, 1500])('Poisson of mean %d has that mean and variance', (m) => {
    const list = draws((c) => c.poisson(m), `poisson ${m}`);
    expect(list.every((k) => Number.isInteger(k) && k >= 0)).toBe(true);
    expect(Math.abs(mean(list) - m)).toBeLessThan(within(Math.sqrt(m)));
    expect(variance(list) / m).toBeGreaterThan(0.9);
    expect(variance(list) / m).toBeLessThan(1.1);
  });

  it('Poisson is exact where events are rare: no events e^-0.6 of the time, one 0.6 e^-0.6', () => {
    const list = draws((c) => c.poisson(0.6), 'rare');
    for (const [k, p] of [
      [0, Math.exp(-0.6)],
      [1, 0.6 * Math.exp(-0.6)],
      [2, 0.18 * Math.exp(-0.6)],
    ] as const) {
      expect(Math.abs(list.filter((v) => v === k).length / DRAWS - p)).toBeLessThan(within(Math.sqrt(p * (1 - p))));
    }
  });

  it.each([
    [10, 0.02],
    [1500, 0.02],
    [1500, 0.5],
    [1500, 0.98],
    [5, 1],
    [5, 0],
    [0, 0.5],
  ])('binomial of %d trials at %d has the mean and variance of one', (n, p) => {
    const list = draws((c) => c.binomial(n, p), `binomial ${n} ${p}`);
    expect(list.every((k) => Number.isInteger(k) && k >= 0 && k <= n)).toBe(true);
    const v = n * p * (1 - p);
    expect(Math.abs(mean(list) - n * p)).toBeLessThanOrEqual(within(Math.sqrt(v)));
    expect(Math.abs(variance(list) - v)).toBeLessThanOrEqual(0.1 * v);
  });
});

describe('traffic', () => {
  const scenario = (name: string) => {
    const found = scenarios.find((s) => s.name === name);
    if (!found) throw new Error(`no scenario ${name}`);
    return found;
  };
  const rates = (bad: Float64Array, total: Float64Array) => Array.from(bad, (b, i) => b / (total[i] ?? 1));

  it('normal distribution function: published values', () => {
    expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 12);
    expect(normalCdf(-2.3263478740408408)).toBeCloseTo(0.01, 12);
    expect(normalCdf(0)).toBeCloseTo(0.5, 14);
  });

  it('the arms have their share of the requests, and a regression only the candidate', () => {
    const [metric] = trafficOf(scenario('2→10 % after 1 h, 100 rps'), 1, 0).metrics;
    if (!metric) throw new Error('no metric');
    const half = WINDOWS / 2;
    const before = rates(metric.candidate.bad, metric.candidate.total).slice(0, half);
    const after = rates(metric.candidate.bad, metric.candidate.total).slice(half);
    expect(mean([...metric.stable.total])).toBeCloseTo(1500, -2);
    expect(mean(before)).toBeCloseTo(0.02, 2);
    expect(mean(after)).toBeCloseTo(0.1, 2);
    expect(mean(rates(metric.stable.bad, metric.stable.total))).toBeCloseTo(0.02, 2);
  });

  it('noise has its coefficient of variation and its autocorrelation', () => {
    const all = Array.from({ length: 30 }, (_, run) => {
      const [metric] = trafficOf({ ...scenario('noise CV 0.3, AR 0.6'), perSecond: 2_000 }, 3, run).metrics;
      return metric ? rates(metric.stable.bad, metric.stable.total) : [];
    });
    const flat = all.flat();
    expect(Math.sqrt(variance(flat)) / mean(flat)).toBeCloseTo(0.3, 1);
    const m = mean(flat);
    const products = all.flatMap((run) => run.slice(1).map((v, i) => (v - m) * ((run[i] ?? m) - m)));
    expect(mean(products) / variance(flat)).toBeGreaterThan(0.5);
    expect(mean(products) / variance(flat)).toBeLessThan(0.7);
  });

  it('latencies fall into the buckets they should', () => {
    const [metric] = trafficOf(scenario('latency, 10 rps'), 1, 0).metrics;
    if (!metric) throw new Error('no metric');
    const total = metric.stable.total.reduce((sum, v) => sum + v, 0);
    metric.stable.slower.forEach((column, b) => {
      const share = column.reduce((sum, v) => sum + v, 0) / total;
      expect(Math.abs(share - slowerShare(BUCKETS[b] ?? 0, 1))).toBeLessThan(0.01);
    });
  });
});
