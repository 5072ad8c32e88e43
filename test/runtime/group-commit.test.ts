import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createGroupDriver, UNHURRIED } from '../../src/runtime/group-commit.ts';

interface Schema {
  notes: { text: string };
}

let database: DatabaseSync;
let db: Kysely<Schema>;
/** Every transaction statement as SQLite got it. */
let said: string[];
let failCommits: boolean;

beforeEach(async () => {
  database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE notes (text TEXT PRIMARY KEY) STRICT');
  said = [];
  failCommits = false;
  const exec = database.exec.bind(database);
  database.exec = (text: string) => {
    said.push(text);
    if (text === 'COMMIT' && failCommits) throw new Error('the disk is full');
    exec(text);
  };
  db = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => createGroupDriver(database),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
});
afterEach(() => db.destroy());

const commits = () => said.filter((text) => text === 'COMMIT').length;
const write = (text: string) => db.insertInto('notes').values({ text }).execute();
const unit = (text: string, then: () => Promise<void> = async () => undefined) =>
  db.transaction().execute(async (trx) => {
    await trx.insertInto('notes').values({ text }).execute();
    await then();
  });
const stored = async () => (await db.selectFrom('notes').select('text').orderBy('text').execute()).map((r) => r.text);

test('units and single writes that come together share one commit, and each is told only after it', async () => {
  const toldAt: number[] = [];
  const all = ['a', 'b', 'c', 'd'].map((text, i) =>
    (i % 2 ? write(text) : unit(text)).then(() => toldAt.push(commits())),
  );
  await Promise.all(all);
  expect(commits()).toBe(1);
  expect(toldAt).toEqual([1, 1, 1, 1]);
  expect(await stored()).toEqual(['a', 'b', 'c', 'd']);
});

test('a unit that fails takes itself back and nobody else', async () => {
  const failing = unit('b', async () => {
    throw new Error('no');
  });
  const outcomes = await Promise.allSettled([unit('a'), failing, unit('c'), write('c')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
  expect(await stored()).toEqual(['a', 'c']);
});

test('a commit that fails is told to everyone in it, nothing of it is stored, and the next one works', async () => {
  failCommits = true;
  const outcomes = await Promise.allSettled([unit('a'), write('b'), unit('c')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  failCommits = false;
  await unit('d');
  expect(await stored()).toEqual(['d']);
});

test('who reads outside of a unit reads what is committed', async () => {
  const first = unit('a');
  const read = stored().then((texts) => ({ texts, commits: commits() }));
  await first;
  expect(await read).toEqual({ texts: ['a'], commits: 1 });
});

test('a unit that takes its time is not cut in two, and nobody gets in between', async () => {
  const order: string[] = [];
  const slow = unit('a', async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    order.push('slow');
    expect(commits()).toBe(0);
  });
  const after = unit('b', async () => void order.push('after'));
  await Promise.all([slow, after]);
  expect(order).toEqual(['slow', 'after']);
});

test('a flood is made durable in parts, and all of it is', async () => {
  const texts = Array.from({ length: 300 }, (_, i) => `n${1000 + i}`);
  await Promise.all(texts.map((text) => unit(text)));
  expect(await stored()).toEqual(texts);
  expect(commits()).toBeLessThan(10);
});

test('closing makes durable what was under way', async () => {
  let closing: Promise<void> = Promise.resolve();
  await unit('a', async () => {
    closing = db.destroy();
  });
  await closing;
  expect(commits()).toBe(1);
});

test('statements that cannot be part of a transaction are done alone', async () => {
  const first = unit('a');
  await sql`VACUUM`.execute(db);
  await first;
  expect(await stored()).toEqual(['a']);
});

test('what is unhurried counts at once, can be read, and is durable with whatever is written next', async () => {
  await db.transaction().execute(async (trx) => {
    await sql.raw(UNHURRIED).execute(trx);
    await trx.insertInto('notes').values({ text: 'claimed' }).execute();
  });
  expect(await stored()).toEqual(['claimed']);
  expect(commits()).toBe(0);
  await write('begun');
  expect(commits()).toBe(1);
  expect(await stored()).toEqual(['begun', 'claimed']);
});

test('what is unhurried is on the disk soon also where nothing follows', async () => {
  await db.transaction().execute(async (trx) => {
    await sql.raw(UNHURRIED).execute(trx);
    await trx.insertInto('notes').values({ text: 'claimed' }).execute();
  });
  await vi.waitFor(() => expect(commits()).toBe(1));
});

test('what is unhurried waits with those before it: what a dead process had told as committed is all there', async () => {
  const told: string[] = [];
  const hurried = unit('decided').then(() => told.push('decided'));
  const unhurried = db
    .transaction()
    .execute(async (trx) => {
      await sql.raw(UNHURRIED).execute(trx);
      await trx.insertInto('notes').values({ text: 'claimed' }).execute();
    })
    .then(() => told.push('claimed'));
  await Promise.resolve();
  expect(told).toEqual([]);
  await Promise.all([hurried, unhurried]);
  expect(told).toEqual(['decided', 'claimed']);
  expect(commits()).toBe(1);
});

test('a single write that is unhurried is told at once, and on the disk with the next flush', async () => {
  const unhurried = { ...db.insertInto('notes').values({ text: 'a' }).compile() };
  await db.executeQuery({ ...unhurried, sql: `${unhurried.sql} ${UNHURRIED}` });
  expect(commits()).toBe(0);
  await unit('b');
  expect(commits()).toBe(1);
  expect(await stored()).toEqual(['a', 'b']);
});
