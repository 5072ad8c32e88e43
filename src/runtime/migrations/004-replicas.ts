import type { Migration } from './migration.ts';

/** What several replicas of one installation agree on; and which programs may work on a schema newer than they know. */
export const replicas: Migration = {
  number: 4,
  name: 'replicas',
  async up(db) {
    await db.schema.alterTable('schema_migrations').addColumn('needs', 'integer').execute();
    await db.schema
      .createTable('duties')
      .addColumn('duty', 'text', (c) => c.primaryKey().notNull())
      .addColumn('owner', 'text', (c) => c.notNull())
      .addColumn('until', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('settings')
      .addColumn('name', 'text', (c) => c.primaryKey().notNull())
      .addColumn('value', 'text', (c) => c.notNull())
      .execute();
  },
};
