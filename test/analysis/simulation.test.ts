import { describe, expect, it } from 'vitest';
import { compare } from '../../src/analysis/compare.ts';
import type { CountWindow, Series } from '../../src/analysis/types.ts';
import { type Chance, chance, metric, period, START_MS, samples, settings, WINDOW_MS } from './support.ts';

/** Seeded runs of a rollout, looked at again and again as the product does: how often it is wrong, and how soon it is right. */

interface Run {
  readonly windows: number;
  readonly requestsPerSecond: number;
  readonly candidateShare: number;
  readonly stableRate: (i: number) => number;
  readonly candidateRate: (i: number) => number;
  /** Coefficient of variation of each arm's own rate from window to window. */
  readonly noise: number;
}

function simulate(run: Run, c: Chance): { stable: CountWindow[]; candidate: CountWindow[] } {
  const stable: CountWindow[] = [];
  const candidate: CountWindow[] = [];
  const arm = (rate: number, share: number, endMs: number): CountWindow => {
    const exposure = c.poisson((run.requestsPerSecond * share * WINDOW_MS) / 1000);
    const own = rate * Math.max(0, 1 + run.noise * c.normal());
    return { endMs, events: Math.min(exposure, c.poisson(own * exposure)), exposure };
  };
  for (let i = 0; i < run.windows; i += 1) {
    const endMs = START_MS + (i + 1) * WINDOW_MS;
    // What both arms share (a slow dependency) must cancel.
    const shared = 1 + 0.3 * Math.sin(i / 15);
    stable.push(arm(run.stableRate(i) * shared, 1 - run.candidateShare, endMs));
    candidate.push(arm(run.candidateRate(i) * shared, run.candidateShare, endMs));
  }
  return { stable, candidate };
}

/** Windows until the first look that says degraded, looking every `every` windows; null: never. */
function firstDegraded(run: Run, seed: number, every: number): number | null {
  const { stable, candidate } = simulate(run, chance(seed));
  for (let n = every; n <= run.windows; n += every) {
    const upTo = (windows: CountWindow[]): Series => ({ kind: 'counts', windows: windows.slice(0, n) });
    const result = compare({
      metrics: [metric()],
      settings,
      period: period(n),
      samples: [samples({ stableNow: upTo(stable), candidateNow: upTo(candidate) })],
      hasCandidate: true,
    });
    if (result.verdict === 'degraded') return n;
  }
  return null;
}

const flat = (rate: number) => () => rate;
const seeds = (n: number, from: number) => Array.from({ length: n }, (_, k) => from + k);

describe('two hours without a regression', () => {
  it.each([
    ['100 rps, 30 % noise', 100, 0.3],
    ['10 rps, 30 % noise', 10, 0.3],
    ['100 rps, counting noise alone', 100, 0],
  ])('%s: at most 2 % of 200 runs are called degraded by any of 24 looks', (_name, requestsPerSecond, noise) => {
    const run: Run = {
      windows: 240,
      requestsPerSecond,
      candidateShare: 0.1,
      stableRate: flat(0.02),
      candidateRate: flat(0.02),
      noise,
    };
    const wrong = seeds(200, 1).filter((seed) => firstDegraded(run, seed, 10) !== null);
    expect(wrong.length).toBeLessThanOrEqual(4);
  });
});

describe('regressions', () => {
  const median = (list: (number | null)[]) =>
    list.map((n) => n ?? Number.POSITIVE_INFINITY).toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

  it('2 to 10 % errors at 10 rps are found within ten minutes in nearly every run', () => {
    const run: Run = {
      windows: 40,
      requestsPerSecond: 10,
      candidateShare: 0.5,
      stableRate: flat(0.02),
      candidateRate: flat(0.1),
      noise: 0.1,
    };
    const found = seeds(40, 500).map((seed) => firstDegraded(run, seed, 1));
    expect(found.filter((n) => n !== null && n <= 20).length).toBeGreaterThanOrEqual(38);
    expect(median(found)).toBeLessThanOrEqual(8);
  });

  it('2 to 4 % errors at 100 rps are found within a few minutes', () => {
    const run: Run = {
      windows: 60,
      requestsPerSecond: 100,
      candidateShare: 0.5,
      stableRate: flat(0.02),
      candidateRate: flat(0.04),
      noise: 0.1,
    };
    expect(median(seeds(20, 700).map((seed) => firstDegraded(run, seed, 1)))).toBeLessThanOrEqual(16);
  });

  it('one that begins after an hour is found within the hour', () => {
    const run: Run = {
      windows: 240,
      requestsPerSecond: 20,
      candidateShare: 0.5,
      stableRate: flat(0.02),
      candidateRate: (i) => (i < 120 ? 0.02 : 0.06),
      noise: 0.1,
    };
    const found = seeds(20, 900).map((seed) => firstDegraded(run, seed, 10));
    expect(found.filter((n) => n !== null && n > 120).length).toBeGreaterThanOrEqual(19);
    expect(median(found)).toBeLessThanOrEqual(160);
  });
});
