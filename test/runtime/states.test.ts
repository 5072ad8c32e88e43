import { expect, it } from 'vitest';
import { openStore } from '../../src/runtime/store.ts';
import { saveState, service, state, t0 } from './support.ts';

it('reads a state that has not changed once, and one that has anew', async () => {
  const store = await openStore(':memory:');
  await saveState(store, state());
  const first = await store.load(service);
  expect((await store.load(service))?.state).toBe(first?.state);
  expect((await store.services())[0]).toBe(first?.state);
  await saveState(store, state({ clockMs: t0 + 1 }));
  expect((await store.load(service))?.state.clockMs).toBe(t0 + 1);
  expect((await store.services()).map(({ clockMs }) => clockMs)).toEqual([t0 + 1]);
  await store.close();
});

it('does not remember what a unit wrote that was given up, also where the unit read it back', async () => {
  const store = await openStore(':memory:');
  await saveState(store, state());
  const given = store.transaction(async (unit) => {
    const before = await unit.load(service);
    await unit.save(state({ clockMs: t0 + 99 }), before?.version ?? 0);
    expect((await unit.load(service))?.state.clockMs).toBe(t0 + 99);
    throw new Error('given up');
  });
  await expect(given).rejects.toThrow('given up');
  // Another reaches the same version with something else.
  await saveState(store, state({ clockMs: t0 + 1 }));
  expect((await store.load(service))?.state.clockMs).toBe(t0 + 1);
  expect((await store.transaction((unit) => unit.load(service)))?.state.clockMs).toBe(t0 + 1);
  await store.close();
});
