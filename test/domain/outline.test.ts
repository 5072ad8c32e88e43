import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Comparison, Verdict } from '../../src/analysis/types.ts';
import { decide } from '../../src/domain/decide.ts';
import { whatToMeasure } from '../../src/domain/looking.ts';
import { createOutliner } from '../../src/domain/outline.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { canBeQuiet, putOff } from '../../src/domain/quiet.ts';
import type { ServiceState } from '../../src/domain/state.ts';
import { MINUTE, SECOND } from '../support/policy.ts';
import { asked, comparison, firing, type Given, resolved, shadowing, soaking, T0, watched } from './given.ts';

const found: (Partial<Comparison> & { verdict: Verdict })[] = [
  { verdict: 'healthy' },
  { verdict: 'healthy', improved: ['errors'] },
  { verdict: 'healthy', stableVerdict: 'degraded' },
  { verdict: 'healthy', warnings: ['errors'] },
  { verdict: 'healthy', metrics: comparison(0, { verdict: 'inconclusive' }).metrics },
  { verdict: 'inconclusive' },
  { verdict: 'degraded' },
  { verdict: 'degraded', critical: true },
  { verdict: 'no-data', missing: 'Error rate: nothing was read' },
];

/** What may happen to a rollout between two looks; what cannot happen just then is left out. */
const steps: readonly ((g: Given) => unknown)[] = [
  ...found.map((what) => (g: Given) => g.looks(what)),
  // Most of the time all is well.
  ...Array.from({ length: 6 }, () => (g: Given) => g.looks({ verdict: 'healthy' })),
  (g) => g.command({ name: 'hold', forMs: 30 * MINUTE, reason: '' }),
  (g) => g.command({ name: 'resume', reason: '' }),
  (g) => g.command({ name: 'promote', scope: 'step', reason: '' }),
  (g) => g.command({ name: 'freeze', reason: '' }),
  (g) => g.command({ name: 'automation', on: false, reason: '' }),
  (g) => g.shifted(),
  (g) => g.when(firing('ErrorsHigh', { startsAtMs: g.now })),
  (g) => g.when(resolved('ErrorsHigh', { startsAtMs: alertOf(g) }), MINUTE),
  (g) => g.timer('stability'),
];
const beginnings = [soaking, watched, shadowing, asked];

function alertOf({ state }: Given): number {
  return state.alerts.find(({ name }) => name === 'ErrorsHigh')?.startsAtMs ?? T0;
}

/** As the store gives it. */
const stored = (state: ServiceState) => JSON.parse(JSON.stringify(state)) as ServiceState;
const outlineOf = createOutliner();

/** Until when each of these looks would be put off by it; null: it would be kept. */
function putOffBy(state: ServiceState, atMs: number, policy: Policy) {
  return found.map((what) => {
    const numbers = comparison(atMs, what);
    const event = { type: 'measured', lookId: state.look?.id ?? 0, comparison: numbers } as const;
    return putOff(state, numbers, decide(state, event, { now: atMs, policy }));
  });
}

it('an outline of a state comes to the same looks, and puts off the same', () => {
  let looks = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...beginnings),
      fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 12 }),
      fc.constantFrom(0, SECOND, 10 * MINUTE, 40 * MINUTE),
      (begin, walk, laterMs) => {
        const g = begin();
        for (const step of walk) {
          try {
            step(g);
          } catch {
            // There was no such timer, look or shift.
          }
        }
        if (!g.state.look && g.state.timers.look) g.timer('look');
        const { policy } = g;
        const state = stored(g.state);
        if (!canBeQuiet(state)) return;
        const outline = outlineOf(state, policy);
        const atMs = g.now + laterMs;
        expect(canBeQuiet(outline)).toBe(true);
        expect(whatToMeasure(outline, policy, atMs)).toEqual(whatToMeasure(state, policy, atMs));
        if (!state.look) return;
        const next = putOffBy(state, atMs, policy);
        expect(putOffBy(outline, atMs, policy)).toEqual(next);
        looks += next.filter((one) => one !== null).length;
      },
    ),
    { numRuns: 1500, seed: Number(process.env.LASTGOOD_TEST_SEED ?? 20261121) },
  );
  expect(looks).toBeGreaterThan(300);
});

it('outlines hold once what they have in common, and little else', () => {
  const g = watched().looks({ verdict: 'healthy' });
  const [one, other] = [stored(g.state), stored(g.looks({ verdict: 'healthy' }).state)].map((state) =>
    outlineOf(state, g.policy),
  );
  expect(one?.rollout?.comparison?.metrics).toBe(other?.rollout?.comparison?.metrics);
  expect(one?.rollout?.plan.metrics).toBe(g.policy.metrics);
  expect(one?.rollout?.comparison?.metrics.map((metric) => metric.line.length + metric.sentence.length)).toEqual([0]);
  const edited = { ...g.policy, revision: 'r2', metrics: [] };
  expect(outlineOf(stored(g.state), edited).rollout?.plan).toEqual(g.state.rollout?.plan);
});
