import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { beforeEach, expect, it } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { sqlite } from '../../src/runtime/engine.ts';
import { createGroupDriver } from '../../src/runtime/group-commit.ts';
import { migrate } from '../../src/runtime/migrations/index.ts';
import type { Schema } from '../../src/runtime/schema.ts';
import { createStore } from '../../src/runtime/store.ts';

const t0 = Date.UTC(2026, 10, 21, 12);
const id = 'card/d1';
const address = { channel: 'C1', ts: '1.0' };
let store: Store;
let commits: number;
let failCommits: boolean;

beforeEach(async () => {
  const database = new DatabaseSync(':memory:');
  const exec = database.exec.bind(database);
  commits = 0;
  failCommits = false;
  database.exec = (text: string) => {
    if (text === 'COMMIT' && failCommits) throw new Error('the disk is full');
    if (text === 'COMMIT') commits += 1;
    exec(text);
  };
  const db = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      // What is unhurried is on the disk with what is not.
      createDriver: () => createGroupDriver(database, Number.POSITIVE_INFINITY),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  await migrate(db, ':memory:', t0);
  store = createStore(db, sqlite);
  return () => store.close();
});

async function claimed() {
  await store.transaction((unit) =>
    unit.enqueue({
      service: 'fraud-scorer',
      key: null,
      lane: 'chat/d1',
      merge: false,
      effect: { kind: 'card', card: { kind: 'degradation', id: 'd1' }, urgent: true },
      dueAtMs: t0,
      priority: 4,
      createdAtMs: t0,
    }),
  );
  const [job] = await store.jobs.claim({ owner: 'w', nowMs: t0, leaseMs: 1000, limit: 1 });
  if (!job) throw new Error('Nothing was claimed.');
  return job;
}

it('where a message of a job stands is on the disk with the end of its job, in one flush for both', async () => {
  const job = await claimed();
  const before = commits;
  await store.messages.begin(id, t0, 'unhurried');
  await store.messages.posted(id, address, 'x', 'unhurried');
  expect(commits).toBe(before);
  expect(await store.messages.get(id)).toMatchObject({ state: 'posted', address, digest: 'x' });
  expect(await store.jobs.complete(job.lease)).toBe(true);
  expect(commits).toBe(before + 1);
  expect(await store.messages.get(id)).toMatchObject({ state: 'posted', address, digest: 'x' });
});

it('is known although the commit that was to say so failed: the job that is left posts nothing a second time', async () => {
  const job = await claimed();
  await store.messages.begin(id, t0, 'unhurried');
  failCommits = true;
  await store.messages.posted(id, address, 'x', 'unhurried');
  await expect(store.jobs.complete(job.lease)).rejects.toThrow('the disk is full');
  failCommits = false;
  expect(await store.jobs.pending()).toBe(1);
  expect(await store.messages.get(id)).toMatchObject({ state: 'posted', address, digest: 'x' });
});

it('what was refused is not known any more, also before that is on the disk', async () => {
  await store.messages.begin(id, t0);
  const before = commits;
  await store.messages.forget(id, 'unhurried');
  expect(await store.messages.get(id)).toBeNull();
  expect(commits).toBe(before);
});

it('a post that is begun anew is remembered as begun then', async () => {
  await store.messages.begin(id, t0, 'unhurried');
  await store.messages.begin(id, t0 + 60_000);
  expect(await store.messages.get(id)).toMatchObject({ state: 'posting', atMs: t0 + 60_000 });
});
