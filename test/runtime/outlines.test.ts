import { expect, it } from 'vitest';
import { createOutliner } from '../../src/domain/outline.ts';
import { createOutlines } from '../../src/runtime/performers/outlines.ts';
import { state as asked } from '../slack/states.ts';
import { jobOf } from './fakes.ts';
import { policy, rollout, state, t0 } from './support.ts';

const period = { fromMs: t0, healthyFromMs: t0, restartsAtMs: [], beforeOffsetMs: 0, against: 'stable' } as const;
const effect = { kind: 'measure', lookId: 1, stable: 'v41', candidate: 'v42', period } as const;
const jobAt = (stateVersion: number | null, service?: string) =>
  jobOf(effect, { stateVersion, ...(service === undefined ? {} : { service }) });
const stored = (version: number) => ({ state: state({ rollout: rollout() }), version });

it('an outline stands for its state at that version only, and not for ever', () => {
  const outlines = createOutlines();
  expect(outlines.find(jobAt(3), t0)).toBeNull();
  outlines.keep(stored(3), policy(), t0);
  expect(outlines.find(jobAt(3), t0 + 599_999)).toMatchObject({ version: 3, state: { service: state().service } });
  expect(outlines.find(jobAt(2), t0)).toBeNull();
  expect(outlines.find(jobAt(4), t0)).toBeNull();
  expect(outlines.find(jobAt(null), t0)).toBeNull();
  expect(outlines.find(jobAt(3, 'another'), t0)).toBeNull();
  expect(outlines.find(jobAt(3), t0 + 600_000)).toBeNull();
  outlines.keep(stored(4), policy(), t0 + 600_000);
  expect(outlines.find(jobAt(3), t0 + 600_000)).toBeNull();
  expect(outlines.find(jobAt(4), t0 + 600_000)).toMatchObject({ version: 4 });
});

it('what is found is the outline to the letter, and its plan is one and the same from look to look', () => {
  const outlines = createOutlines();
  const state = asked();
  outlines.keep({ state, version: 7 }, policy(), t0);
  const [first, second] = [1, 2].map(() => outlines.find(jobAt(7, state.service), t0)?.state);
  expect(state.degradation?.comparison?.metrics.length).toBeGreaterThan(0);
  expect(JSON.stringify(first)).toBe(JSON.stringify(createOutliner()(state, policy())));
  expect(first?.rollout?.plan).toBeDefined();
  expect(second?.rollout?.plan).toBe(first?.rollout?.plan);
});
