import { expect, it } from 'vitest';
import { createLookAtTarget } from '../../src/application/look-at-target.ts';
import type { DomainEvent, Observed } from '../../src/domain/event.ts';
import { initialState } from '../../src/domain/initial.ts';
import { begun } from '../../src/domain/served.ts';
import type { ServiceState } from '../../src/domain/state.ts';
import { policy } from '../support/policy.ts';

const NOW = 1_000_000;

function lookout(state: ServiceState, shown: Partial<Observed>) {
  const delivered: DomainEvent[] = [];
  const asked: (readonly string[] | undefined)[] = [];
  const observed: Observed = {
    stable: 'v41',
    candidate: null,
    exposurePercent: 0,
    ready: {},
    revision: null,
    ...shown,
  };
  const target = {
    kind: 'fake',
    steps: 'any' as const,
    landingMs: 0,
    shift: async () => undefined,
    observe: async (_signal: AbortSignal, versions?: readonly string[]) => {
      asked.push(versions);
      return observed;
    },
  };
  const look = createLookAtTarget({
    store: { load: async () => ({ state, version: 1 }) },
    clock: { now: () => NOW, sleepUntil: async () => undefined },
    policies: { all: () => [policy()], get: () => policy(), at: async () => policy() },
    targets: () => target,
    deliver: async (_service, event) => {
      delivered.push(event);
      return { ok: true, text: '', duplicate: false };
    },
  });
  return { look: () => look('fraud-scorer', AbortSignal.timeout(1_000)), delivered, asked };
}

const idle = initialState('fraud-scorer', 0);

it('delivers what serves where nothing was known, and nothing once it is', async () => {
  const first = lookout(idle, {});
  expect(await first.look()).toMatchObject({ stable: 'v41' });
  expect(first.delivered).toMatchObject([{ type: 'seen', askedAtMs: NOW, observed: { stable: 'v41' } }]);
  const again = lookout({ ...idle, served: [begun({ id: 'v41' }, 1)] }, {});
  await again.look();
  expect(again.delivered).toEqual([]);
});

it('does not disturb a shift in flight', async () => {
  const shift = {
    id: 's1',
    split: { stable: 'v41', candidate: 'v42', exposurePercent: 10 },
    orderedAtMs: 1,
    next: null,
  };
  const { look, asked } = lookout({ ...idle, shift }, { exposurePercent: 50 });
  expect(await look()).toBeNull();
  expect(asked).toEqual([]);
});
