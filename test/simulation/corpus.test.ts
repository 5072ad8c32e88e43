import { describe, expect, it } from 'vitest';
import { failureOf } from './report.ts';
import { simulate } from './run.ts';
import { swarmOf } from './swarm.ts';

/** Seeds that once found something, and some that reach what others seldom do. */
const corpus = [
  2, 8, 11, 22, 3002, 5007, 5067, 7046, 274242275, 275479904, 278537636, 280293193, 282828780, 285856960, 310580750,
  310580957, 314268376, 314268540,
];
/** New ones every time, for as long as this: the more machines run the tests, the more is searched. */
const FRESH_MS = 30_000;

describe('the simulation', () => {
  it.each(corpus)('seed %i breaks no rule', async (seed) => {
    const result = await simulate(seed);
    expect(result.broken, failureOf(result)).toEqual([]);
  });

  it('fresh seeds break no rule for half a minute', { timeout: 300_000 }, async () => {
    const beganAt = performance.now();
    let seed = Date.now() % 1_000_000_000;
    do {
      const result = await simulate(seed);
      expect(result.broken, failureOf(result)).toEqual([]);
      seed += 1;
    } while (performance.now() - beganAt < FRESH_MS);
  });

  it('comes to the same by the same seed', async () => {
    const swarm = { stormMs: 3 * 3_600_000, calmMs: 600_000 };
    const lines: string[][] = [[], []];
    for (const told of lines) await simulate(5, { swarm, tell: (line) => told.push(line) });
    expect(lines[0]?.length).toBeGreaterThan(10);
    expect(lines[1]).toEqual(lines[0]);
  });

  it('switches faults on and off by the seed', () => {
    const on = (seed: number) => Object.values(swarmOf(seed).strength).filter((strength) => strength > 0).length;
    const counts = Array.from({ length: 50 }, (_, seed) => on(seed));
    expect(Math.min(...counts)).toBeLessThan(6);
    expect(Math.max(...counts)).toBeGreaterThan(25);
  });
});
