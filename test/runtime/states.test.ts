import { expect, it } from 'vitest';
import type { Actor } from '../../src/domain/state.ts';
import { openDatabase } from '../../src/runtime/database.ts';
import { sqlite } from '../../src/runtime/engine.ts';
import { StateReader } from '../../src/runtime/states.ts';
import { createStore, openStore } from '../../src/runtime/store.ts';
import { saveState, service, state, t0 } from './support.ts';

const ada: Actor = { kind: 'person', id: 'U1', name: 'Ada' };

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

it('does not read again what it wrote itself, once that is committed', async () => {
  const store = await openStore(':memory:');
  const written = state({ clockMs: t0 + 1 });
  await saveState(store, written);
  expect((await store.transaction((unit) => unit.load(service)))?.state).toBe(written);
  expect((await store.load(service))?.state).toBe(written);
  await store.close();
});

it('forgets the states not used for longest where they are too many, and answers for all of them the same', async () => {
  const db = await openDatabase(':memory:');
  const states = new StateReader(sqlite, 2500);
  const store = createStore(db, sqlite);
  const named = (name: string) => ({
    ...state(),
    service: name,
    freeze: { by: ada, atMs: t0, reason: 'x'.repeat(300) },
  });
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await saveState(store, named(name));
  const first = await states.load(db, 'a');
  expect((await states.load(db, 'a'))?.state).toBe(first?.state);
  for (const name of ['b', 'c', 'd', 'e', 'f']) expect((await states.load(db, name))?.state.service).toBe(name);
  const again = await states.load(db, 'a');
  expect(again?.state).not.toBe(first?.state);
  expect(again?.state).toEqual(first?.state);
  expect((await states.all(db)).map((one) => one.service)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  // Going through all of them did not push out what was read last.
  expect((await states.load(db, 'a'))?.state).toBe(again?.state);
  await store.close();
});

it('lets others have their turn while it reads hundreds', async () => {
  const db = await openDatabase(':memory:');
  const writing = createStore(db, sqlite);
  for (let n = 0; n < 250; n += 1) await saveState(writing, { ...state(), service: `s${n}` });
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const all = await createStore(db, sqlite).services();
  isOver = true;
  expect(new Set(all.map((one) => one.service)).size).toBe(250);
  expect(turns).toBeGreaterThanOrEqual(2);
  await db.destroy();
});
