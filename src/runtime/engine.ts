import { CompiledQuery, type Kysely, type SelectQueryBuilder, sql, type Transaction } from 'kysely';
import type { Runner } from './compiled.ts';
import { inUnit, UNHURRIED } from './group-commit.ts';
import { isPassing } from './postgres/errors.ts';
import { tellEveryone } from './postgres/notices.ts';
import type { Schema } from './schema.ts';

/** What the two databases do differently, in one place. Everything else is one schema and the same statements. */
export interface Engine {
  readonly kind: 'sqlite' | 'postgres';
  /** Statements that are in words already, each by itself. */
  runner(db: Kysely<Schema>): Runner;
  /** A transaction of statements that are in words already. */
  unit<T>(db: Kysely<Schema>, work: (run: Runner) => Promise<T>): Promise<T>;
  /** Rows that are read to be written: whoever comes second waits, and reads what the first one wrote. */
  forUpdate<T extends keyof Schema, O>(query: SelectQueryBuilder<Schema, T, O>): SelectQueryBuilder<Schema, T, O>;
  /** Rows that somebody else is about to take are left to him. */
  leavingTaken<T extends keyof Schema, O>(query: SelectQueryBuilder<Schema, T, O>): SelectQueryBuilder<Schema, T, O>;
  /** Takes the lanes that nobody else is taking a job of, until the end of the transaction; answers which. */
  takeLanes(trx: Transaction<Schema>, lanes: readonly string[]): Promise<ReadonlySet<string>>;
  /** One at a time, until the end of the transaction. */
  inTurn(trx: Transaction<Schema>, name: string): Promise<void>;
  /** Tells every replica at the commit that there may be something to do. */
  notify(run: Runner): Promise<void>;
  /** What this transaction says may be lost with the machine's power, not with the process: what follows makes it durable as well. */
  unhurried(trx: Transaction<Schema>): Promise<void>;
  /** The same of a statement that stands by itself. */
  unhurriedly<R>(query: CompiledQuery<R>): CompiledQuery<R>;
  /** Another try may well succeed. */
  isPassing(error: unknown): boolean;
}

const unhurried = CompiledQuery.raw(UNHURRIED);

/** One process with one connection: every transaction is alone. */
export const sqlite: Engine = {
  kind: 'sqlite',
  // What kysely puts around each statement takes longer than to run it.
  runner: (db) => ({
    executeQuery: (query) => db.getExecutor().provideConnection((connection) => connection.executeQuery(query)),
  }),
  unit: (db, work) => db.getExecutor().provideConnection((connection) => inUnit(connection, work)),
  forUpdate: (query) => query,
  leavingTaken: (query) => query,
  takeLanes: async (_trx, lanes) => new Set(lanes),
  inTurn: async () => undefined,
  notify: async () => undefined,
  async unhurried(trx) {
    await trx.executeQuery(unhurried);
  },
  unhurriedly: (query) => ({ ...query, sql: `${query.sql} ${UNHURRIED}` }),
  isPassing: () => false,
};

/** PostgreSQL's advisory locks have numbers: the first half says that they are ours, and of which kind. */
const lanesLock = 0x6c67_0001;
const turnsLock = 0x6c67_0002;

export const postgres: Engine = {
  kind: 'postgres',
  runner: (db) => db,
  unit: (db, work) => db.transaction().execute(work),
  forUpdate: (query) => query.forUpdate(),
  leavingTaken: (query) => query.forUpdate().skipLocked(),
  async takeLanes(trx, lanes) {
    if (lanes.length === 0) return new Set();
    const { rows } = await sql<{ lane: string; taken: boolean }>`
      SELECT lane, pg_try_advisory_xact_lock(${lanesLock}, hashtext(lane)) AS taken
      FROM unnest(${sql.val([...lanes])}::text[]) AS lane`.execute(trx);
    return new Set(rows.filter(({ taken }) => taken).map(({ lane }) => lane));
  },
  async inTurn(trx, name) {
    await sql`SELECT pg_advisory_xact_lock(${turnsLock}, hashtext(${name}))`.execute(trx);
  },
  async notify(run) {
    await run.executeQuery(CompiledQuery.raw(tellEveryone));
  },
  // Others have to see who took what.
  unhurried: async () => undefined,
  unhurriedly: (query) => query,
  isPassing,
};
