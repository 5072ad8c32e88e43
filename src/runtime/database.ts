import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { createGroupDriver } from './group-commit.ts';
import { migrate } from './migrations/index.ts';
import type { Schema } from './schema.ts';

/** The states of a dozen services in a storm are found there; SQLite's own 2 MB had each read anew from the file. */
const PAGES_KEPT_KIB = 8 * 1024;
/** How long a start waits for the process before it to let go of the file. */
const HANDOVER_MS = 1_000;
/** Up to here a look at every page takes a tenth of a second; larger files are believed, and `lastgood audit verify` reads them. */
const MOST_CHECKED_BYTES = 64 * 1024 * 1024;

/**
 * Opens (and creates) the embedded database and brings its schema up. `:memory:` lives as long as the process.
 * The file belongs to one process at a time: a second one is refused with the file's name. The lock is the operating
 * system's, so it is gone with the process however that ends.
 */
export async function openDatabase(path: string): Promise<Kysely<Schema>> {
  const connection = connect(path);
  const db = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => createGroupDriver(connection),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  try {
    await migrate(db, path, Date.now());
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return db;
}

function connect(path: string): DatabaseSync {
  const inMemory = path === ':memory:';
  const file = inMemory ? path : resolve(path);
  let connection: DatabaseSync | null = null;
  try {
    if (!inMemory) mkdirSync(dirname(file), { recursive: true });
    connection = new DatabaseSync(file, { timeout: HANDOVER_MS, enableForeignKeyConstraints: true });
    // Before the first read: in exclusive mode the lock taken then is never given back while the process lives.
    connection.exec('PRAGMA locking_mode = EXCLUSIVE');
    connection.exec('PRAGMA journal_mode = WAL');
    // NORMAL loses acknowledged commits in a power cut.
    connection.exec('PRAGMA synchronous = FULL');
    connection.exec(`PRAGMA cache_size = -${PAGES_KEPT_KIB}`);
    connection.exec('BEGIN EXCLUSIVE');
    connection.exec('COMMIT');
    if (!inMemory && statSync(file).size <= MOST_CHECKED_BYTES) check(connection);
    return connection;
  } catch (error) {
    connection?.close();
    throw new Error(cannotOpen(file, error), { cause: error });
  }
}

/** Throws where the file is damaged, also where nothing would read it for days. */
function check(connection: DatabaseSync): void {
  const found = connection.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  // The code SQLite has for it.
  if (found !== 'ok') throw Object.assign(new Error(String(found)), { errcode: 11 });
}

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html */
function cannotOpen(file: string, error: unknown): string {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  switch (code) {
    case 5:
    case 6:
      return `The database file ${file} is in use by another process. Lastgood runs once a file: stop the other one, or give this one a file of its own.`;
    case 8:
      return `The database file ${file} cannot be written. Give this user write access to it and to its directory.`;
    case 11:
    case 26:
      return `The file ${file} is not a sound SQLite database. Move it away with its -wal file, and restore the last backup (lastgood restore).`;
    default:
      return `The database file ${file} cannot be opened: ${error instanceof Error ? error.message : String(error)}. Check that its directory exists and can be written.`;
  }
}
