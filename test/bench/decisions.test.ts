import { describe, expect, it } from 'vitest';
import { brokenPromises } from './goals.ts';
import { FULL_RUNS, optionsOf, QUICK_RUNS } from './options.ts';
import { bench, tasksOf } from './pool.ts';
import { scenarios } from './scenarios.ts';
import { quantileOf, wilson } from './statistics.ts';
import { type ScenarioSummary, summariseMethod } from './summary.ts';
import { plainPaint, tableOf, terminalPaint } from './table.ts';

describe("Wilson's interval", () => {
  // Newcombe 1998, Statistics in Medicine 17:857–872, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('%d of %d: %d to %d', (hits, of, low, high) => {
    expect(wilson(hits, of).low).toBeCloseTo(low, 4);
    expect(wilson(hits, of).high).toBeCloseTo(high, 4);
  });

  it('says nothing without runs', () => expect(wilson(0, 0)).toEqual({ low: 0, high: 1 }));
});

describe('summaries', () => {
  it('quantiles are of all runs, what was never found at the end', () => {
    expect(quantileOf([3, 1, 2, Number.POSITIVE_INFINITY], 0.5)).toBe(2);
    expect(quantileOf([3, 1, 2, Number.POSITIVE_INFINITY], 0.9)).toBe(Number.POSITIVE_INFINITY);
  });

  it('an alarm before the regression is a false one', () => {
    const s = summariseMethod('m', [61, 70, 30, null], 60);
    expect(s).toMatchObject({ wrong: 0.25, found: 0.5, medianDelay: 10, p90Delay: null });
  });

  it('without a regression every alarm is false', () => {
    const s = summariseMethod('m', [61, null, null, null], Number.POSITIVE_INFINITY);
    expect(s).toMatchObject({ wrong: 0.25, found: null, medianDelay: null });
  });

  const summary = (wrongRuns: number, runs: number, promised: boolean): ScenarioSummary => ({
    scenario: 's',
    kind: 'errors',
    perSecond: 100,
    sort: 'healthy',
    twin: null,
    inReadme: false,
    promised,
    runs,
    methods: [
      summariseMethod(
        'Lastgood',
        Array.from({ length: runs }, (_, i) => (i < wrongRuns ? 5 : null)),
        Infinity,
      ),
    ],
  });

  it.each([
    [10, 1000, true, false],
    [11, 1000, true, true],
    [11, 1000, false, false],
    [1, 60, true, false],
    [2, 60, true, true],
  ])('%d wrong of %d, promised %s: broken %s', (wrong, runs, promised, broken) => {
    expect(brokenPromises([summary(wrong, runs, promised)])).toHaveLength(broken ? 1 : 0);
  });

  it('the table names what is broken, in colours only where they are wanted', () => {
    const text = tableOf([summary(11, 1000, true)], 1, plainPaint);
    expect(text).toContain('Missed:\n    s: 1.1 (0.6–2.0)');
    expect(text).not.toContain('\u001b');
    expect(tableOf([summary(11, 1000, true)], 1, terminalPaint)).toContain('\u001b[31m');
  });
});

describe('the command', () => {
  it('has its defaults, and refuses what makes no sense', () => {
    expect(optionsOf([])).toMatchObject({ seed: 1, runs: FULL_RUNS, json: null });
    expect(optionsOf(['--quick', '--seed', '7'])).toMatchObject({ seed: 7, runs: QUICK_RUNS });
    expect(() => optionsOf(['--runs', 'many'])).toThrow('--runs must be a whole number from 1 to 100000, is many');
    expect(() => optionsOf(['--fast'])).toThrow('--fast');
  });

  it('runs every scenario as often as its share says', () => {
    const tasks = tasksOf({ seed: 1, runs: 100 });
    for (const s of scenarios) {
      const runs = tasks.filter((t) => t.scenario === s.name).reduce((sum, t) => sum + t.to - t.from, 0);
      expect(runs).toBe(Math.max(2, Math.round(100 * s.runsShare)));
    }
  });

  it('prints the same table for the same seed, whatever the number of workers, and another for another', async () => {
    const names = ['1 rps', 'noise CV 0.5', '2→4 %, 10 rps', 'accuracy 98→95 %, 1 label/s', 'latency +20 %, 10 rps'];
    const only = scenarios.filter((s) => names.includes(s.name));
    expect(only).toHaveLength(names.length);
    const table = async (seed: number, workers: number) =>
      tableOf(await bench({ seed, runs: 6, workers, only }), seed, plainPaint).replace(/seed \d+/, '');
    const one = await table(5, 1);
    expect(await table(5, 2)).toBe(one);
    expect(await table(6, 1)).not.toBe(one);
  }, 120_000);
});
