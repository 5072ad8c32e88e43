import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { openDatabase } from '../../src/runtime/database.ts';
import { sqlite } from '../../src/runtime/engine.ts';
import { createStore } from '../../src/runtime/store.ts';
import { StoreTrouble, tellingTrouble, troubleOf } from '../../src/runtime/trouble.ts';
import { enqueue, event, newJob } from './support.ts';

const file = '/data/lastgood.db';
let directory: string;
let database: Awaited<ReturnType<typeof openDatabase>>;
let store: Store;
let nowMs: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lastgood-trouble-'));
  database = await openDatabase(join(directory, 'lastgood.db'));
  nowMs = 0;
  store = tellingTrouble(createStore(database, sqlite), file, { now: () => nowMs });
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

const pragma = (name: string, value: string | number) => sql.raw(`PRAGMA ${name} = ${value}`).execute(database);
const large = () => store.policies.keep('s', `r${nowMs}`, 'x'.repeat(200_000));

describe('a database without space', () => {
  it('says so in words, also to who only asks how it does, until there is space again', async () => {
    await enqueue(store, newJob());
    expect(await store.jobs.pending()).toBe(1);
    await pragma('max_page_count', 1);
    await expect(large()).rejects.toThrow(`The disk of the database ${file} is full. Free space there;`);
    for (let i = 0; i < 3; i += 1) await expect(store.jobs.pending()).rejects.toThrow(StoreTrouble);
    // What is there can still be read, and what was refused is not half there.
    expect(await store.policies.find('s', 'r0')).toBeNull();
    await pragma('max_page_count', 1_000_000);
    expect(await store.jobs.pending()).toBe(1);
    await large();
    expect(await store.policies.find('s', 'r0')).toHaveLength(200_000);
  });

  it('is found out within a quarter of a minute where nobody writes', async () => {
    expect(await store.jobs.pending()).toBe(0);
    await pragma('max_page_count', 1);
    const fill = (n: number) =>
      sql`INSERT INTO settings (name, value) VALUES (${`fill${n}`}, ${'x'.repeat(2_000)})`.execute(database);
    for (let n = 0; (await fill(n).catch(() => null)) !== null; n += 1);
    nowMs += 15_000;
    await expect(store.jobs.pending()).rejects.toThrow('is full');
  });
});

it('a database that may only be read says so, and a unit in it leaves nothing behind', async () => {
  await pragma('query_only', 'ON');
  await expect(store.transaction((unit) => unit.insertEvent(event('e1')))).rejects.toThrow(
    `The database ${file} can only be read. Give this user write access`,
  );
  await expect(store.jobs.pending()).rejects.toThrow('can only be read');
  await pragma('query_only', 'OFF');
  expect(await store.jobs.pending()).toBe(0);
  expect(await store.transaction((unit) => unit.insertEvent(event('e1')))).toBe(true);
});

it.each([
  [10, /disk below .* fails/],
  [522, /disk below .* fails/],
  [11, /is damaged.*lastgood restore/],
  [267, /is damaged/],
  [26, /is damaged/],
  [14, /cannot be opened any more/],
])('SQLite code %i is told in words', (errcode, words) => {
  expect(troubleOf(Object.assign(new Error('raw'), { errcode }), file)?.message).toMatch(words);
});

it('what is no trouble of the database stays what it is', async () => {
  const mistake = new TypeError('of ours');
  await expect(
    store.transaction(async () => {
      throw mistake;
    }),
  ).rejects.toBe(mistake);
  expect(troubleOf(Object.assign(new Error('constraint'), { errcode: 19 }), file)).toBeNull();
});
