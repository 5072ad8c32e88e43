import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { migrate } from './migrations/index.ts';
import type { Schema } from './schema.ts';

/** How long a start waits for the process before it to let go of the file. */
const HANDOVER_MS = 1_000;
/** Statements kept prepared; there are about fifty different ones. */
const MAX_PREPARED = 200;

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
      createDriver: () => createDriver(connection),
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
    connection.exec('BEGIN EXCLUSIVE');
    connection.exec('COMMIT');
    return connection;
  } catch (error) {
    connection?.close();
    throw new Error(cannotOpen(file, error), { cause: error });
  }
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
      return `The file ${file} is not a sound SQLite database. Restore it from a backup, or start with another file.`;
    default:
      return `The database file ${file} cannot be opened: ${error instanceof Error ? error.message : String(error)}. Check that its directory exists and can be written.`;
  }
}

/** One connection, given to one user after the other in the order they asked. */
function createDriver(database: DatabaseSync): Driver {
  const connection = createConnection(database);
  let busy = false;
  const waiting: (() => void)[] = [];
  const acquire = async () => {
    if (!busy) busy = true;
    else await new Promise<void>((turn) => waiting.push(turn));
    return connection;
  };
  return {
    init: async () => undefined,
    acquireConnection: acquire,
    releaseConnection: async () => {
      const next = waiting.shift();
      if (next) next();
      else busy = false;
    },
    // IMMEDIATE: a unit that will write takes the write lock at once and cannot fail half-way for want of it.
    beginTransaction: async () => database.exec('BEGIN IMMEDIATE'),
    commitTransaction: async () => database.exec('COMMIT'),
    rollbackTransaction: async () => {
      if (database.isTransaction) database.exec('ROLLBACK');
    },
    destroy: async () => {
      await acquire();
      if (database.isOpen) database.close();
    },
  };
}

function createConnection(database: DatabaseSync): DatabaseConnection {
  const prepared = new Map<string, { statement: StatementSync; reads: boolean }>();
  const prepare = (sql: string) => {
    const known = prepared.get(sql);
    if (known) return known;
    if (prepared.size >= MAX_PREPARED) prepared.clear();
    const statement = database.prepare(sql);
    const fresh = { statement, reads: statement.columns().length > 0 };
    prepared.set(sql, fresh);
    return fresh;
  };
  return {
    executeQuery: async <R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> => {
      const { statement, reads } = prepare(sql);
      const values = parameters as readonly SQLInputValue[];
      if (reads) return { rows: statement.all(...values) as R[] };
      const { changes } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes) };
    },
    // biome-ignore lint/correctness/useYield: the interface wants a generator; nothing here is read in streams.
    streamQuery: async function* () {
      throw new Error('Queries are not streamed from SQLite.');
    },
  };
}
