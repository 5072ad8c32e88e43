import { expect, it } from 'vitest';
import { createOutlines } from '../../src/runtime/performers/outlines.ts';
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
