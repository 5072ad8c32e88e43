import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { expect, test } from 'vitest';
import { atMost, compiled } from '../../src/runtime/compiled.ts';
import { sqlite } from '../../src/runtime/engine.ts';
import { createGroupDriver } from '../../src/runtime/group-commit.ts';
import { migrate } from '../../src/runtime/migrations/index.ts';
import type { Schema } from '../../src/runtime/schema.ts';
import { createStore } from '../../src/runtime/store.ts';

function connect(database: DatabaseSync): Kysely<Schema> {
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => createGroupDriver(database),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

test('what every turn of the worker asks is planned once: no limit is a bare value', async () => {
  const database = new DatabaseSync(':memory:');
  const db = connect(database);
  await migrate(db, ':memory:', 0);
  const asked: string[] = [];
  const prepare = database.prepare.bind(database);
  database.prepare = (text: string) => {
    asked.push(text);
    return prepare(text);
  };
  const store = createStore(db, sqlite);
  await store.jobs.claim({ owner: 'w1', nowMs: 1, leaseMs: 1, limit: 10, places: [{ kinds: ['card'], free: 1 }] });
  await store.jobs.nextDueMs();
  await store.transaction((unit) => unit.waitingLines('lane', 3));
  await store.accepted.list(1, 3);
  expect(asked.filter((text) => /\blimit\b/.test(text))).toHaveLength(4);
  expect(asked.filter((text) => /\blimit \?(?! \+ 0)/.test(text))).toEqual([]);
  await db.destroy();
});

test('a limit is kept also where it is given each time the statement is run', async () => {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE services (service TEXT PRIMARY KEY) STRICT');
  for (const service of ['a', 'b', 'c']) database.prepare('INSERT INTO services VALUES (?)').run(service);
  const db = connect(database);
  const some = compiled<[number], { service: string }>(1, (most) =>
    db.selectFrom('services').select('service').orderBy('service').limit(atMost(most)),
  );
  for (const most of [1, 2, 0, 3]) expect((await db.executeQuery(some(most))).rows).toHaveLength(most);
  await db.destroy();
});
