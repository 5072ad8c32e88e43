import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Kysely, sql } from 'kysely';
import type { Settings } from '../ports/store.ts';
import { openDatabase } from './database.ts';
import type { Schema } from './schema.ts';
import { createSettings } from './store-shared.ts';

/** Why nothing was backed up or restored, and what to do. */
export class BackupRefused extends Error {
  override readonly name = 'BackupRefused';
}

const withPgDump =
  'PostgreSQL is backed up with its own tools: pg_dump --format=custom --file=lastgood.dump "$DATABASE_URL", and back with pg_restore --dbname=… into an empty database. `lastgood audit verify` shows afterwards that the journal is whole.';

/**
 * Writes a copy of the database as it is at one moment into a new file, while the instance runs: decisions wait meanwhile (half a
 * second for 100 MB). The file is whole and on disk when this resolves.
 * @throws {BackupRefused} where the file is there already, or the database is not SQLite's.
 */
export async function backupDatabase(db: Kysely<Schema>, kind: 'sqlite' | 'postgres', file: string): Promise<void> {
  if (kind === 'postgres') throw new BackupRefused(withPgDump);
  if (existsSync(file)) throw new BackupRefused(`${file} is there already, and was left as it is: name another file.`);
  try {
    await sql`VACUUM INTO ${file}`.execute(db);
  } catch (error) {
    throw new BackupRefused(
      `The backup could not be written to ${file}: ${error instanceof Error ? error.message : String(error)}. Check that its directory exists, can be written and has room.`,
      { cause: error },
    );
  }
  flush(file);
}

type Mark = (store: { readonly settings: Settings }) => Promise<void>;

interface Counts {
  readonly services: number;
  readonly journalEntries: number;
  readonly jobs: number;
}

export interface BackupContents extends Counts {
  /** The installation's name; null: the backup was made by a version that kept it in a file beside the database only. */
  readonly instance: string | null;
}

/**
 * Puts a backup in the place of a database that is missing or empty.
 * @param mark leaves word for the instance that starts on it, before it is in its place.
 * @throws {BackupRefused} where the backup is not sound, or the database holds anything or is in use. Nothing is changed then.
 */
export async function restoreDatabase(backup: string, database: string, mark: Mark): Promise<BackupContents> {
  const contents = contentsOfBackup(resolve(backup));
  const target = resolve(database);
  if (existsSync(target)) {
    const held = await contentsOfTarget(target);
    const total = held.services + held.journalEntries + held.jobs;
    if (total > 0) {
      throw new BackupRefused(
        `${target} holds ${inWords(held)}, and was left as it is. To go back to the backup all the same, move it away first (with its -wal file, if there is one).`,
      );
    }
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${target}${suffix}`, { force: true });
  } else if (existsSync(`${target}-wal`)) {
    throw new BackupRefused(
      `${target}-wal is there without its database: move it away first, it belongs to another one.`,
    );
  }
  const fresh = `${target}.restoring`;
  rmSync(fresh, { force: true });
  copyFileSync(backup, fresh);
  await marked(fresh, mark);
  flush(fresh);
  renameSync(fresh, target);
  return contents;
}

/** It is brought to this version's schema too: one that a newer version wrote is refused before it is in its place. */
async function marked(file: string, mark: Mark): Promise<void> {
  const db = await openDatabase(file);
  try {
    await mark({ settings: createSettings(db) });
  } finally {
    await db.destroy();
  }
}

/** `3 services, 120 journal entries and 4 jobs` */
export function inWords({ services, journalEntries, jobs }: Counts): string {
  const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;
  return `${count(services, 'service', 'services')}, ${count(journalEntries, 'journal entry', 'journal entries')} and ${count(jobs, 'job', 'jobs')}`;
}

function contentsOfBackup(file: string): BackupContents {
  if (!existsSync(file)) throw new BackupRefused(`There is no file ${file}.`);
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    const verdict = database.prepare('PRAGMA integrity_check').get();
    if (verdict?.integrity_check !== 'ok') throw new Error(String(verdict?.integrity_check));
    const count = (table: string) => Number(database?.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0);
    const instance = nameIn(database);
    return { services: count('services'), journalEntries: count('journal'), jobs: count('jobs'), instance };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BackupRefused(`${file} is not a sound backup of Lastgood: ${why}. Take another one.`, { cause: error });
  } finally {
    database?.close();
  }
}

/** Backups of before there were settings can be restored as well. */
function nameIn(database: DatabaseSync): string | null {
  const table = database.prepare(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'settings'`).get();
  if (table === undefined) return null;
  const row = database.prepare(`SELECT value FROM settings WHERE name = 'instance'`).get();
  return row === undefined ? null : String(row.value);
}

/** Opened as an instance would: where one runs, this fails. */
async function contentsOfTarget(file: string): Promise<Counts> {
  const db = await openDatabase(file).catch((error: unknown) => {
    throw new BackupRefused(error instanceof Error ? error.message : String(error), { cause: error });
  });
  try {
    const count = async (table: 'services' | 'journal' | 'jobs') => {
      const row = await db
        .selectFrom(table)
        .select((eb) => eb.fn.countAll().as('n'))
        .executeTakeFirstOrThrow();
      return Number(row.n);
    };
    return { services: await count('services'), journalEntries: await count('journal'), jobs: await count('jobs') };
  } finally {
    await db.destroy();
  }
}

function flush(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
