import { sql } from 'kysely';
import type { Clock } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';
import { postgres } from '../engine.ts';
import { type MigrateOptions, migrate } from '../migrations/index.ts';
import { createStore } from '../store.ts';
import { postgresAddress } from './address.ts';
import { databaseClock } from './clock.ts';
import { type Connected, connect } from './connect.ts';
import { unusable } from './errors.ts';
import { listen } from './notices.ts';

/** A store that other replicas work on too. */
export interface SharedStore {
  readonly store: Store;
  /** The database's time. */
  readonly clock: Clock;
  /** Called when another replica may have left something to do, and when that may have been missed. */
  onNotice(listener: () => void): void;
}

export interface SharedStoreOptions extends Pick<MigrateOptions, 'known'> {
  /** The connection that listens broke; it is made anew. */
  readonly onProblem: (error: unknown) => void;
  /** How long a server is waited for that does not answer; 10 s. */
  readonly patienceMs?: number;
}

/**
 * Opens the store at `url` and brings its schema up; several replicas may do so at once. Closing the store ends everything.
 * @throws with what to do, never with the password, where the database cannot be used.
 */
export async function openPostgresStore(url: string, options: SharedStoreOptions): Promise<SharedStore> {
  const { onProblem } = options;
  const connected = await openPostgres(url, options);
  const { db, client } = connected;
  const clock = await databaseClock({ ask: () => timeOf(connected) });
  const notices = listen(client, onProblem);
  const store = createStore(db, postgres);
  return {
    store: {
      ...store,
      async close() {
        await Promise.all([notices.close(), clock.close()]);
        await store.close();
      },
    },
    clock,
    onNotice: notices.onNotice,
  };
}

/** The database with its schema brought up; `destroy` ends it. */
export async function openPostgres(
  url: string,
  { known, patienceMs }: Omit<SharedStoreOptions, 'onProblem'> = {},
): Promise<Connected> {
  const address = postgresAddress(url);
  const connected = await connect(address, patienceMs);
  try {
    const nowMs = await timeOf(connected);
    await migrate(connected.db, address.name, nowMs, { engine: postgres, ...(known && { known }) });
    return connected;
  } catch (error) {
    await connected.db.destroy();
    if (error instanceof Error && error.message.startsWith('The database ')) throw error;
    throw unusable(address, error);
  }
}

async function timeOf({ db }: Connected): Promise<number> {
  const { rows } = await sql<{ ms: number }>`
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`.execute(db);
  return rows[0]?.ms ?? Number.NaN;
}
