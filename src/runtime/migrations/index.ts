import type { Kysely, Transaction } from 'kysely';
import { type Engine, sqlite } from '../engine.ts';
import type { Schema } from '../schema.ts';
import { first } from './001-first.ts';
import { unmatched } from './002-unmatched.ts';
import { journalChain } from './003-journal-chain.ts';
import { replicas } from './004-replicas.ts';
import { leasedJobs } from './005-leased-jobs.ts';
import { acceptedAlerts } from './006-accepted-alerts.ts';
import { waitingJobs } from './007-waiting-jobs.ts';
import type { Migration } from './migration.ts';

/** In order, without gaps. */
export const migrations: readonly Migration[] = [
  first,
  unmatched,
  journalChain,
  replicas,
  leasedJobs,
  acceptedAlerts,
  waitingJobs,
];
/** From here on a migration says whom it leaves behind. */
const saysNeeds = replicas.number;

export interface MigrateOptions {
  readonly engine?: Engine;
  /** Those this program knows; the real ones unless a test is about another version. */
  readonly known?: readonly Migration[];
}

/**
 * Brings the database to the schema this code knows, all steps in one transaction, one replica at a time. A newer schema that leaves
 * this code room is worked on as it is.
 * Throws where a newer Lastgood wrote it and says that this one cannot: reading on with old code could undo decisions.
 */
export async function migrate(
  db: Kysely<Schema>,
  name: string,
  atMs: number,
  { engine = sqlite, known = migrations }: MigrateOptions = {},
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await engine.inTurn(trx, 'migrate');
    await trx.schema
      .createTable('schema_migrations')
      .ifNotExists()
      .addColumn('number', 'integer', (c) => c.primaryKey().notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .execute();
    const done = await numbersDone(trx);
    const newest = Math.max(0, ...done);
    const knows = Math.max(...known.map((migration) => migration.number));
    const needed = newest > knows ? await neededOf(trx, newest) : 0;
    if (needed > knows) {
      throw new Error(
        `The database ${name} was written by a newer Lastgood (schema ${newest}, which needs ${needed}; this one knows ${knows}). ` +
          'Nothing was changed. Run the newer version, or start with another database.',
      );
    }
    for (const migration of known) {
      if (done.has(migration.number)) continue;
      await migration.up(trx as unknown as Kysely<unknown>, engine.kind);
      const { number, needs } = migration;
      const row = { number, name: migration.name, at: atMs };
      const isSaid = number >= saysNeeds;
      await trx
        .insertInto('schema_migrations')
        .values(isSaid ? { ...row, needs: needs ?? saysNeeds } : (row as typeof row & { needs: null }))
        .execute();
    }
  });
}

async function numbersDone(trx: Transaction<Schema>): Promise<ReadonlySet<number>> {
  const rows = await trx.selectFrom('schema_migrations').select('number').execute();
  return new Set(rows.map((row) => row.number));
}

/** Only a program that knows `needs` can have written a schema newer than this. */
async function neededOf(trx: Transaction<Schema>, newest: number): Promise<number> {
  const rows = await trx.selectFrom('schema_migrations').select(['number', 'needs']).execute();
  return Math.max(...rows.map(({ number, needs }) => needs ?? (number > saysNeeds ? newest : 0)));
}
