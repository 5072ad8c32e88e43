import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import { first } from './001-first.ts';
import { unmatched } from './002-unmatched.ts';
import { journalChain } from './003-journal-chain.ts';
import type { Migration } from './migration.ts';

const migrations: readonly Migration[] = [first, unmatched, journalChain];

/**
 * Brings the database to the schema this code knows, all steps in one transaction.
 * Throws where a newer Lastgood wrote it: reading on with old code could undo decisions.
 */
export async function migrate(db: Kysely<Schema>, name: string, atMs: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.schema
      .createTable('schema_migrations')
      .ifNotExists()
      .addColumn('number', 'integer', (c) => c.primaryKey().notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .execute();
    const rows = await trx.selectFrom('schema_migrations').select('number').execute();
    const done = new Set(rows.map((row) => row.number));
    const known = Math.max(...migrations.map((m) => m.number));
    const newest = Math.max(0, ...done);
    if (newest > known) {
      throw new Error(
        `The database ${name} was written by a newer Lastgood (schema ${newest}; this one knows ${known}). ` +
          'Nothing was changed. Run the newer version, or start with another database file.',
      );
    }
    for (const migration of migrations) {
      if (done.has(migration.number)) continue;
      await migration.up(trx as unknown as Kysely<unknown>);
      await trx
        .insertInto('schema_migrations')
        .values({ number: migration.number, name: migration.name, at: atMs })
        .execute();
    }
  });
}
