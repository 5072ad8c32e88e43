import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import type { Schema } from '../schema.ts';
import type { PostgresAddress } from './address.ts';
import { isConnectionLost, unusable } from './errors.ts';

/** With the one that listens, what one replica takes of `max_connections` at most. */
const MOST_CONNECTIONS = 10;
const CONNECT_MS = 4_000;
/** No statement of ours takes longer than some milliseconds; waiting for a lock counts. */
const STATEMENT_MS = 8_000;
/**
 * Who begins a unit and then stops moving (frozen, or cut off from us) holds its service's row: PostgreSQL ends it after this, so
 * that others can take over. Nothing of ours waits in the middle of a unit.
 */
const IDLE_IN_UNIT_MS = 3_000;
/** Our side of the same limit: a connection that says nothing any more is given up. */
const SILENT_MS = 10_000;
/** How long a start waits for a server that is starting too. */
const PATIENCE_MS = 10_000;
const ASK_AGAIN_MS = 500;
const OLDEST = 13;

/** A pool, and a way to connections of one's own. */
export interface Connected {
  readonly db: Kysely<Schema>;
  /** Not connected yet. */
  client(): pg.Client;
}

/**
 * Looks whether the server can be used, waiting a little for one that is just starting, and makes the pool. A broken connection is
 * replaced when the next one is asked for.
 * @throws with what to do, where it cannot be used.
 */
export async function connect(address: PostgresAddress, patienceMs = PATIENCE_MS): Promise<Connected> {
  const settings = await look(address, patienceMs);
  const config = { ...clientConfig(address), ...settings };
  const pool = new pg.Pool({
    ...config,
    max: MOST_CONNECTIONS,
    idleTimeoutMillis: 60_000,
    query_timeout: SILENT_MS,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_UNIT_MS,
  });
  // Whoever uses a connection is told by his own statement that it broke; without listeners Node would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return {
    db: new Kysely<Schema>({ dialect: new PostgresDialect({ pool: guarded(pool) }) }),
    client: () => new pg.Client(config),
  };
}

function clientConfig(address: PostgresAddress): pg.ClientConfig {
  const { host, port, user, password, database, ssl } = address;
  return {
    host,
    port,
    user,
    password,
    database,
    ssl,
    application_name: 'lastgood',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    types: { getTypeParser: parserOf },
  };
}

/** Numbers of 64 bits are moments and counters here, far below where JavaScript's numbers end being exact. */
function parserOf(oid: number, format?: 'text' | 'binary') {
  if (oid === pg.types.builtins.INT8) return Number;
  return pg.types.getTypeParser(oid, format as 'text');
}

async function look(address: PostgresAddress, patienceMs: number): Promise<Pick<pg.ClientConfig, 'options'>> {
  for (let leftMs = patienceMs; ; leftMs -= ASK_AGAIN_MS) {
    try {
      return await lookOnce(address);
    } catch (error) {
      if (error instanceof TooOld || !isConnectionLost(error) || leftMs <= 0) throw unusable(address, error);
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

class TooOld extends Error {}

async function lookOnce(address: PostgresAddress): Promise<Pick<pg.ClientConfig, 'options'>> {
  const client = new pg.Client(clientConfig(address));
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: number; sync: string }>(
      `SELECT current_setting('server_version_num')::int AS version, current_setting('synchronous_commit') AS sync`,
    );
    const [found] = rows;
    const major = Math.floor((found?.version ?? 0) / 10_000);
    if (major < OLDEST) throw new TooOld(`it is version ${major}; Lastgood needs ${OLDEST} or newer.`);
    // What is acknowledged must be on disk, whatever the database is set to otherwise.
    const sync = found?.sync === 'off' ? ' -c synchronous_commit=on' : '';
    return { options: `-c default_transaction_isolation=read\\ committed${sync}` };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What Kysely gets: a connection that broke while it was used is never handed out again. */
function guarded(pool: pg.Pool): PostgresPool {
  return {
    async connect() {
      const client = await pool.connect();
      let broken: Error | null = null;
      const query = async (text: string, values: readonly unknown[]) => {
        try {
          return await client.query(text, values.map(storable));
        } catch (error) {
          if (isConnectionLost(error)) broken = error as Error;
          throw error;
        }
      };
      const release = () => client.release(broken ?? undefined);
      return { query, release } as unknown as PostgresPoolClient;
    },
    end: () => pool.end(),
  };
}

/** PostgreSQL's texts hold every character but NUL, which others' labels may have: its picture stands for it. */
function storable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\u2400') : value;
}
