import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { Alert } from '../../src/domain/state.ts';
import type { Store } from '../../src/ports/store.ts';
import { type Engine, sqlite } from '../../src/runtime/engine.ts';
import { createGroupDriver } from '../../src/runtime/group-commit.ts';
import { migrate } from '../../src/runtime/migrations/index.ts';
import type { Schema } from '../../src/runtime/schema.ts';
import { createStore } from '../../src/runtime/store.ts';
import { alertKey } from './taken.ts';

/** What replicas share is flushed at every commit, as PostgreSQL does it. */
const shared: Engine = { ...sqlite, unhurried: async () => undefined };

/**
 * What is left when everything else is gone: the database, as it was flushed last. A process that has it alone loses what it had not
 * flushed when it dies; replicas share one connection, and what was told as committed stays.
 */
export class SimulatedDisk {
  readonly #database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true });
  readonly #isShared: boolean;
  #power = { isOn: true };
  #db: Kysely<Schema> | null = null;
  #looking: { readonly db: Kysely<Schema>; readonly store: Store } | null = null;
  #timers: StatementSync | null = null;

  constructor(isShared: boolean) {
    this.#isShared = isShared;
  }

  async create(): Promise<void> {
    await migrate(this.#connected(), ':memory:', 0);
  }

  /** A process' own store, which knows nothing of what another one remembered. */
  open(): Store {
    return createStore(this.#connected(), this.#isShared ? shared : sqlite);
  }

  /** A look from outside: one store as long as nobody dies. */
  look(): Store {
    const db = this.#connected();
    if (this.#looking?.db !== db) this.#looking = { db, store: this.open() };
    return this.#looking.store;
  }

  /** The process is gone, and with it what it had not flushed. Where others share the store it goes on without it. */
  cut(): void {
    if (this.#isShared) return;
    this.#power.isOn = false;
    this.#db = null;
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }

  /** Timers for which there really is a job, by service and key. */
  timers(): ReadonlySet<string> {
    this.#timers ??= this.#database.prepare("SELECT service, key FROM jobs WHERE kind = 'timer'");
    const rows = this.#timers.all();
    return new Set(rows.map(({ service, key }) => `${service}/${String(key).replace(/^timer\//, '')}`));
  }

  /** What was accepted and waits to be decided on, by `alertKey`. */
  accepted(): ReadonlySet<string> {
    const rows = this.#database.prepare('SELECT service, alerts FROM accepted_alerts').all();
    return new Set(
      rows.flatMap(({ service, alerts }) =>
        (JSON.parse(String(alerts)) as Alert[]).map((alert) => alertKey(String(service), alert)),
      ),
    );
  }

  close(): void {
    this.#power.isOn = false;
    this.#database.close();
  }

  #connected(): Kysely<Schema> {
    if (this.#db) return this.#db;
    this.#power = { isOn: true };
    const connection = powered(this.#database, this.#power);
    const db = new Kysely<Schema>({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        // Flushed by what is hurried alone: real time must not decide what is lost.
        createDriver: () => createGroupDriver(connection, Number.POSITIVE_INFINITY),
        createIntrospector: (kysely) => new SqliteIntrospector(kysely),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    });
    this.#db = db;
    return db;
  }
}

/** The connection as one process has it: what it was in the midst of when it died does nothing more. */
function powered(database: DatabaseSync, power: { readonly isOn: boolean }): DatabaseSync {
  const check = () => {
    if (!power.isOn) throw new Error('The process that had this connection is gone.');
  };
  const connection = {
    get isOpen() {
      return power.isOn && database.isOpen;
    },
    get isTransaction() {
      return power.isOn && database.isTransaction;
    },
    exec(sql: string) {
      check();
      database.exec(sql);
    },
    close: () => undefined,
    prepare(sql: string) {
      const statement = database.prepare(sql);
      return {
        columns: () => statement.columns(),
        all: (...values: Parameters<typeof statement.all>) => {
          check();
          return statement.all(...values);
        },
        run: (...values: Parameters<typeof statement.run>) => {
          check();
          return statement.run(...values);
        },
      };
    },
  };
  // Of what the driver uses of a connection this is all.
  return connection as unknown as DatabaseSync;
}
