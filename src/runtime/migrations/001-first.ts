import { type ColumnDefinitionBuilder, type Kysely, sql } from 'kysely';
import type { Engine } from '../engine.ts';
import { counted, type Migration } from './migration.ts';

/** The first schema: what is decided, what is to be done, what was said. */
export const first: Migration = {
  number: 1,
  name: 'first',
  async up(db, engine) {
    await state(db, engine);
    await work(db, engine);
    await said(db);
  },
};

/** SQLite gives a number out twice unless it is told not to. */
function once(engine: Engine['kind']) {
  return (c: ColumnDefinitionBuilder) => (engine === 'sqlite' ? c.primaryKey().autoIncrement() : c.primaryKey());
}

async function state(db: Kysely<unknown>, engine: Engine['kind']): Promise<void> {
  await db.schema
    .createTable('services')
    .addColumn('service', 'text', (c) => c.primaryKey().notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('schema', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('events')
    .addColumn('key', 'text', (c) => c.primaryKey().notNull())
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('payload', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('events_at').on('events').column('at').execute();
  await db.schema
    .createTable('journal')
    .addColumn('seq', counted(engine), once(engine))
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('rollout_id', 'text')
    .addColumn('degradation_id', 'text')
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('entry', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('journal_service').on('journal').columns(['service', 'seq']).execute();
  await db.schema.createIndex('journal_rollout').on('journal').columns(['rollout_id', 'seq']).execute();
  await db.schema.createIndex('journal_degradation').on('journal').columns(['degradation_id', 'seq']).execute();
}

async function work(db: Kysely<unknown>, engine: Engine['kind']): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('id', counted(engine), once(engine))
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('key', 'text')
    .addColumn('lane', 'text')
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('effect', 'text', (c) => c.notNull())
    .addColumn('priority', 'integer', (c) => c.notNull())
    .addColumn('due_at', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('attempt', 'integer', (c) => c.notNull())
    .addColumn('owner', 'text')
    .addColumn('lease_until', 'bigint')
    .addColumn('problem', 'text')
    .addColumn('progress', 'text')
    .execute();
  await db.schema
    .createIndex('jobs_one_waiting_a_key')
    .on('jobs')
    .columns(['service', 'key'])
    .unique()
    .where(sql.ref('owner'), 'is', null)
    .execute();
  await db.schema.createIndex('jobs_due').on('jobs').columns(['due_at']).execute();
  await db.schema.createIndex('jobs_lane').on('jobs').columns(['lane', 'priority', 'id']).execute();
}

async function said(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('messages')
    .addColumn('id', 'text', (c) => c.primaryKey().notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('channel', 'text')
    .addColumn('ts', 'text')
    .addColumn('digest', 'text')
    .addColumn('at', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('policy_revisions')
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('revision', 'text', (c) => c.notNull())
    .addColumn('yaml', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('policy_revisions_key', ['service', 'revision'])
    .execute();
}
