import type { Migration } from './migration.ts';

/** Alerts that no policy matches: for the operator to find, and for the default channel. */
export const unmatched: Migration = {
  number: 2,
  name: 'unmatched',
  async up(db) {
    await db.schema
      .createTable('unmatched_alerts')
      .addColumn('fingerprint', 'text', (c) => c.primaryKey().notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('summary', 'text', (c) => c.notNull())
      .addColumn('labels', 'text', (c) => c.notNull())
      .addColumn('status', 'text', (c) => c.notNull())
      .addColumn('starts_at', 'bigint', (c) => c.notNull())
      .addColumn('first_seen', 'bigint', (c) => c.notNull())
      .addColumn('last_seen', 'bigint', (c) => c.notNull())
      .addColumn('count', 'integer', (c) => c.notNull())
      .addColumn('message', 'text')
      .addColumn('told', 'integer', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('unmatched_last_seen').on('unmatched_alerts').column('last_seen').execute();
  },
};
