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
  // Room for three of them.
  const states = new StateReader(db, sqlite, 12_000);
  const store = createStore(db, sqlite);
  const named = (name: string) => ({
    ...state(),
    service: name,
    freeze: { by: ada, atMs: t0, reason: 'x'.repeat(300) },
  });
  const isRemembered = async (name: string) => {
    const first = await states.load(db, name);
    return (await states.load(db, name))?.state === first?.state;
  };
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await saveState(store, named(name));
  for (const name of ['a', 'b', 'c']) expect(await isRemembered(name)).toBe(true);
  // Read once it pushes nothing out.
  const once = await states.load(db, 'd');
  for (const name of ['a', 'b', 'c']) expect(await isRemembered(name)).toBe(true);
  const again = await states.load(db, 'd');
  expect(again?.state).not.toBe(once?.state);
  expect(again?.state).toEqual(once?.state);
  expect((await states.load(db, 'd'))?.state).toBe(again?.state);
  const b = await states.load(db, 'b');
  expect(await isRemembered('a')).toBe(false);
  expect((await states.all(db)).map((one) => one.service)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  // Going through all of them did not push out what was read last.
  expect((await states.load(db, 'b'))?.state).toBe(b?.state);
  await store.close();
});

it('does not go on remembering what was written elsewhere', async () => {
  const db = await openDatabase(':memory:');
  const states = new StateReader(db, sqlite, 3_500);
  const store = createStore(db, sqlite);
  await saveState(store, state());
  await saveState(store, { ...state(), service: 'another' });
  expect((await states.load(db, service))?.state.clockMs).toBe(t0);
  await saveState(store, state({ clockMs: t0 + 1 }));
  await states.load(db, 'another');
  expect((await states.load(db, service))?.state.clockMs).toBe(t0 + 1);
  expect((await states.load(db, service))?.version).toBe(2);
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
