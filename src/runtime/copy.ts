import { type Kysely, sql, type Transaction } from 'kysely';
import { openDatabase } from './database.ts';
import { postgresAddress } from './postgres/address.ts';
import { openPostgres } from './postgres/open.ts';
import type { Schema } from './schema.ts';

/** Why nothing was copied, and what to do. */
export class CopyRefused extends Error {
  override readonly name = 'CopyRefused';
}

export interface Copied {
  readonly table: string;
  readonly rows: number;
}

export interface CopyOptions {
  /** What lay beside the file, by the name it has in the database (`instance`, `operators`). */
  readonly settings: Readonly<Record<string, string>>;
}

type Row = Readonly<Record<string, unknown>>;
/** One statement takes 65,535 values; a row has less than 20. */
const ROWS_AT_A_TIME = 1_000;
/** Each database has its own. */
const OWN = 'schema_migrations';

/**
 * Copies the store in a SQLite file into an empty PostgreSQL database, in one transaction: all of it is there afterwards, or nothing.
 * What was running when the file was left is due at once. The file is only brought to this version's schema, and stays.
 * @throws {CopyRefused} where the database holds anything, or is not what was written; whatever opening either of them throws.
 */
export async function copyIntoPostgres(
  file: string,
  url: string,
  { settings }: CopyOptions,
): Promise<readonly Copied[]> {
  const source = await openDatabase(file);
  try {
    const target = await openPostgres(url);
    try {
      return await target.db.transaction().execute(async (trx) => {
        const tables = await tablesOf(source);
        await refuseUnlessEmpty(trx, tables, postgresAddress(url).name);
        const copied: Copied[] = [];
        for (const table of tables) copied.push({ table, rows: await copyTable(source, trx, table) });
        for (const [name, value] of Object.entries(settings)) {
          const conflict = trx.insertInto('settings').values({ name, value });
          await conflict.onConflict((c) => c.column('name').doNothing()).execute();
        }
        await goOnCounting(source, trx);
        await verify(trx, copied, settings);
        return copied;
      });
    } finally {
      await target.db.destroy();
    }
  } finally {
    await source.destroy();
  }
}

async function tablesOf(source: Kysely<Schema>): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`.execute(source);
  return rows.map(({ name }) => name).filter((name) => name !== OWN);
}

/** Nobody else writes until the copy stands. */
async function refuseUnlessEmpty(trx: Transaction<Schema>, tables: readonly string[], name: string): Promise<void> {
  await sql`LOCK TABLE ${sql.join(tables.map((table) => sql.table(table)))} IN ACCESS EXCLUSIVE MODE`.execute(trx);
  for (const table of tables) {
    const rows = await countOf(trx, table);
    if (rows === 0) continue;
    throw new CopyRefused(
      `The database ${name} is not empty: its table ${table} has ${rows} rows. Nothing was copied. Give an empty database, before any instance was started on it.`,
    );
  }
}

async function copyTable(source: Kysely<Schema>, trx: Transaction<Schema>, table: string): Promise<number> {
  let copied = 0;
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const { rows } = await sql<Row & { copied_rowid: number }>`
      SELECT rowid AS copied_rowid, * FROM ${sql.table(table)}
      WHERE rowid > ${after} ORDER BY rowid LIMIT ${ROWS_AT_A_TIME}`.execute(source);
    const last = rows.at(-1);
    if (!last) return copied;
    after = last.copied_rowid;
    const values = rows.map(({ copied_rowid: _, ...row }) => (table === 'jobs' ? abandoned(row) : row));
    await (trx as unknown as Kysely<Record<string, Row>>).insertInto(table).values(values).execute();
    copied += values.length;
  }
}

/** Who ran it runs no more. */
function abandoned(job: Row): Row {
  return job.owner === null ? job : { ...job, lease_until: 0 };
}

/** No number is given out twice, also not that of a job that is long done. */
async function goOnCounting(source: Kysely<Schema>, trx: Transaction<Schema>): Promise<void> {
  const { rows } = await sql<{ name: string; seq: number }>`SELECT name, seq FROM sqlite_sequence`.execute(source);
  const columns: Readonly<Record<string, string>> = { jobs: 'id', journal: 'seq', accepted_alerts: 'id' };
  for (const { name, seq } of rows) {
    const column = columns[name];
    if (column === undefined || seq < 1) continue;
    await sql`SELECT setval(pg_get_serial_sequence(${name}, ${column}), ${seq})`.execute(trx);
  }
}

async function verify(
  trx: Transaction<Schema>,
  copied: readonly Copied[],
  settings: CopyOptions['settings'],
): Promise<void> {
  for (const { table, rows } of copied) {
    const expected = table === 'settings' ? rows + Object.keys(settings).length : rows;
    const found = await countOf(trx, table);
    // What lay beside the file may be in it already.
    const isWhole = table === 'settings' ? found >= rows && found <= expected : found === expected;
    if (!isWhole) throw new CopyRefused(`Of ${table} ${found} rows arrived, not ${expected}. Nothing was copied.`);
  }
}

async function countOf(trx: Transaction<Schema>, table: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM ${sql.table(table)}`.execute(trx);
  return Number(rows[0]?.count ?? Number.NaN);
}
