import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import type { Runner } from './compiled.ts';

/** Statements kept prepared; there are about fifty different ones. */
const MAX_PREPARED = 200;
/** Units that one flush to the disk makes durable: more would only make the first of them wait. */
const MOST_UNITS = 64;
/** What may share a commit with others outside of a unit. */
const WRITES = /^(insert|update|delete)\b/i;

/** Said in a unit, or at the end of a statement outside of one: it need not be on the disk before it counts. It is with the next flush. */
export const UNHURRIED = '-- unhurried';
/** What need not be on the disk at once is there after this, where nothing else is flushed before. */
const UNHURRIED_MS = 100;

/** One who uses the database: from its turn until it gives the turn on. */
interface User extends DatabaseConnection {
  phase: 'plain' | 'unit' | 'over';
  hasTurn: boolean;
  isUnhurried: boolean;
  unit<T>(work: (run: Runner) => Promise<T>): Promise<T>;
}

interface Awaiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One connection, given to one user after the other in the order they asked. A commit waits for the disk, and nothing else can be
 * done meanwhile: so units that come in the same turn of the event loop are savepoints of one transaction, and one flush makes all
 * of them durable. Each is told that it is committed only after that; what fails takes only itself back. Who reads outside of a
 * unit reads what is committed, or what nobody waits for.
 *
 * What is unhurried is told at once, unless somebody before it waits: so all that a process which dies can lose is unhurried, and
 * nothing that was told as committed was decided on what is lost.
 */
export function createGroupDriver(database: DatabaseSync, unhurriedMs = UNHURRIED_MS): Driver {
  return new GroupDriver(database, unhurriedMs);
}

/** Work as one unit, on one of the driver's connections. */
export function inUnit<T>(connection: DatabaseConnection, work: (run: Runner) => Promise<T>): Promise<T> {
  return (connection as User).unit(work);
}

class GroupDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #prepare: (sql: string) => Prepared;
  readonly #waiting: (() => void)[] = [];
  /** Told when the transaction under way is on the disk; null: there is none. */
  #group: Awaiting[] | null = null;
  #scheduled: NodeJS.Immediate | null = null;
  /** For what is unhurried. */
  #later: NodeJS.Timeout | null = null;
  #busy = false;
  readonly #unhurriedMs: number;

  constructor(database: DatabaseSync, unhurriedMs: number) {
    this.#database = database;
    this.#unhurriedMs = unhurriedMs;
    this.#prepare = preparing(database);
  }

  async init(): Promise<void> {
    // It is open already.
  }

  async acquireConnection(): Promise<User> {
    if (!this.#busy) this.#busy = true;
    else await new Promise<void>((turn) => this.#waiting.push(turn));
    const user: User = {
      phase: 'plain',
      hasTurn: true,
      isUnhurried: false,
      executeQuery: (query) => this.#execute(user, query),
      unit: (work) => this.#unit(user, work),
      // biome-ignore lint/correctness/useYield: the interface wants a generator; nothing here is read in streams.
      streamQuery: async function* () {
        throw new Error('Queries are not streamed from SQLite.');
      },
    };
    return user;
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    this.#handOn(connection as User);
  }

  async #unit<T>(user: User, work: (run: Runner) => Promise<T>): Promise<T> {
    await this.beginTransaction(user);
    try {
      const result = await work({
        executeQuery: (query) => {
          if (user.phase !== 'unit') throw new Error('The unit is over: nothing more can be done in it.');
          return this.#execute(user, query);
        },
      });
      await this.commitTransaction(user);
      return result;
    } catch (error) {
      await this.rollbackTransaction(user);
      throw error;
    }
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    this.#open();
    this.#database.exec('SAVEPOINT unit');
    (connection as User).phase = 'unit';
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const user = connection as User;
    this.#database.exec('RELEASE unit');
    user.phase = 'over';
    await this.#durable(user);
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    const user = connection as User;
    // Its commit failed, and everything with it.
    if (user.phase !== 'unit') return;
    user.phase = 'over';
    if (this.#lost()) return;
    this.#database.exec('ROLLBACK TO unit');
    this.#database.exec('RELEASE unit');
    if (this.#group?.length === 0) this.#flush();
  }

  async destroy(): Promise<void> {
    await this.acquireConnection();
    this.#flush();
    if (this.#database.isOpen) this.#database.close();
  }

  async #execute<R>(user: User, { sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    if (sql === UNHURRIED) {
      user.isUnhurried = true;
      return { rows: [] };
    }
    const { statement, reads, isUnhurried } = this.#prepare(sql);
    const values = parameters as readonly SQLInputValue[];
    const isAlone = user.phase !== 'unit';
    const shares = isAlone && !reads && WRITES.test(sql);
    if (shares) {
      this.#open();
      user.isUnhurried = isUnhurried;
    }
    // What nobody waits for may be read before it is on the disk.
    else if (isAlone && !(reads && this.#group?.length === 0)) this.#flush();
    if (reads) return { rows: statement.all(...values) as R[] };
    try {
      const { changes } = statement.run(...values);
      if (shares) await this.#durable(user);
      return { rows: [], numAffectedRows: BigInt(changes) };
    } catch (error) {
      if (shares && !this.#lost() && this.#group?.length === 0) this.#flush();
      throw error;
    }
  }

  /** IMMEDIATE: a unit that will write takes the write lock at once and cannot fail half-way for want of it. */
  #open(): void {
    if (this.#group) return;
    this.#database.exec('BEGIN IMMEDIATE');
    this.#group = [];
  }

  /** Resolves when what was done so far is on the disk; the next one has its turn meanwhile. */
  #durable(user: User): Promise<void> {
    const waits = !user.isUnhurried || this.#group?.length !== 0;
    const durable = waits
      ? new Promise<void>((resolve, reject) => {
          this.#group?.push({ resolve, reject });
        })
      : Promise.resolve();
    if ((this.#group?.length ?? 0) >= MOST_UNITS) this.#flush();
    else if (waits) this.#scheduled ??= setImmediate(() => this.#flushWhenFree());
    else if (Number.isFinite(this.#unhurriedMs))
      this.#later ??= setTimeout(() => this.#flushWhenFree(), this.#unhurriedMs);
    this.#handOn(user);
    return durable;
  }

  /** Who is in the middle of a unit gets to its end first. */
  #flushWhenFree(): void {
    this.#scheduled = null;
    this.#later = null;
    if (this.#busy) this.#waiting.unshift(() => this.#flushAndHandOn());
    else this.#flush();
  }

  #flushAndHandOn(): void {
    this.#flush();
    this.#next();
  }

  #flush(): void {
    const group = this.#group;
    if (!group) return;
    this.#group = null;
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#scheduled = null;
    if (this.#later) clearTimeout(this.#later);
    this.#later = null;
    try {
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { resolve } of group) resolve();
  }

  /** Out of room or out of order, SQLite takes the whole transaction back: then nobody in it was committed. */
  #lost(): boolean {
    if (this.#database.isTransaction) return false;
    const group = this.#group ?? [];
    this.#group = null;
    for (const { reject } of group)
      reject(new Error('SQLite took the whole transaction back; nothing of it is stored.'));
    return true;
  }

  #handOn(user: User): void {
    if (!user.hasTurn) return;
    user.hasTurn = false;
    this.#next();
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#busy = false;
  }
}

interface Prepared {
  readonly statement: StatementSync;
  readonly reads: boolean;
  readonly isUnhurried: boolean;
}

function preparing(database: DatabaseSync): (sql: string) => Prepared {
  const prepared = new Map<string, Prepared>();
  return (sql) => {
    const known = prepared.get(sql);
    if (known) return known;
    if (prepared.size >= MAX_PREPARED) prepared.clear();
    const statement = database.prepare(sql);
    const fresh = { statement, reads: statement.columns().length > 0, isUnhurried: sql.endsWith(UNHURRIED) };
    prepared.set(sql, fresh);
    return fresh;
  };
}
