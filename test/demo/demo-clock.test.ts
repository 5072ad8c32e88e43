import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDemoClock } from '../../src/demo/time/demo-clock.ts';

const START = Date.parse('2026-11-21T03:00:00Z');
const seeded = { seed: 20261121, numRuns: 200 };

/** Time passes and the factor changes, in any order. */
const history = fc.array(
  fc.record({ passMs: fc.integer({ min: 0, max: 600_000 }), factor: fc.constantFrom(1, 2, 3, 10, 0.5) }),
  { maxLength: 30 },
);

function lived(steps: readonly { passMs: number; factor: number }[]) {
  let wallMs = START;
  const clock = createDemoClock(1, () => wallMs);
  const seen: number[] = [clock.now()];
  for (const { passMs, factor } of steps) {
    wallMs += passMs;
    seen.push(clock.now());
    clock.setFactor(factor);
    seen.push(clock.now());
  }
  return { clock, seen, wallMs };
}

describe('the clock of the demo', () => {
  it('is the wall’s until it is made faster, and then runs that much faster', () => {
    let wallMs = START;
    const clock = createDemoClock(1, () => wallMs);
    wallMs += 5_000;
    expect(clock.now()).toBe(START + 5_000);
    clock.setFactor(3);
    expect(clock.now()).toBe(START + 5_000);
    wallMs += 1_000;
    expect(clock.now()).toBe(START + 8_000);
    clock.setFactor(1);
    wallMs += 1_000;
    expect(clock.now()).toBe(START + 9_000);
  });

  it('never runs backwards, and not at all where the machine’s clock is set back', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { seen } = lived(steps);
        expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      }),
      seeded,
    );
    let wallMs = START;
    const clock = createDemoClock(3, () => wallMs);
    wallMs += 1_000;
    const before = clock.now();
    wallMs -= 60_000;
    expect(clock.now()).toBe(before);
  });

  it('maps every moment there and back, in order', () => {
    fc.assert(
      fc.property(
        history,
        fc.array(fc.integer({ min: -3_600_000, max: 7_200_000 }), { maxLength: 20 }),
        (steps, at) => {
          const { clock } = lived(steps);
          const moments = at.map((ms) => START + ms).sort((a, b) => a - b);
          for (const ms of moments) {
            expect(clock.toWall(clock.toDemo(ms))).toBeCloseTo(ms, 2);
            expect(clock.toDemo(clock.toWall(ms))).toBeCloseTo(ms, 2);
          }
          const mapped = moments.map(clock.toDemo);
          expect(mapped).toEqual(mapped.toSorted((a, b) => a - b));
        },
      ),
      seeded,
    );
  });

  it('has passed the sum of what passed, each at its factor', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { clock, wallMs } = lived(steps);
        let factor = 1;
        let expected = START;
        for (const step of steps) {
          expected += step.passMs * factor;
          factor = step.factor;
        }
        expect(clock.toDemo(wallMs)).toBeCloseTo(expected, 2);
      }),
      seeded,
    );
  });

  it('wakes at the moment that was asked for, also where it is made faster meanwhile', async () => {
    const clock = createDemoClock();
    const at = clock.now() + 30_000;
    const began = Date.now();
    const woken = clock.sleepUntil(at, new AbortController().signal).then(() => clock.now());
    clock.setFactor(1_000);
    expect(await woken).toBeGreaterThanOrEqual(at);
    expect(Date.now() - began).toBeLessThan(25_000);
  });

  it('does not wake too early where it is made slower meanwhile', async () => {
    const clock = createDemoClock(100);
    const at = clock.now() + 5_000;
    const woken = clock.sleepUntil(at, new AbortController().signal).then(() => clock.now());
    clock.setFactor(20);
    expect(await woken).toBeGreaterThanOrEqual(at);
  });

  it('stops sleeping as soon as that is asked for', async () => {
    const clock = createDemoClock();
    const stop = new AbortController();
    const sleeping = clock.sleepUntil(clock.now() + 3_600_000, stop.signal);
    stop.abort();
    await sleeping;
    expect(() => clock.setFactor(0)).toThrow(RangeError);
    expect(() => clock.setFactor(Number.NaN)).toThrow(RangeError);
  });
});
