import type { Kysely, Transaction } from 'kysely';
import type { JournalEntry } from '../domain/effect.ts';
import type { ServiceState } from '../domain/state.ts';
import {
  type MessageBook,
  type PolicyArchive,
  type Store,
  StoreConflict,
  type StoredEntry,
  type StoredState,
  type Unit,
} from '../ports/store.ts';
import { openDatabase } from './database.ts';
import { appendToJournal } from './journal/append.ts';
import { createAudit } from './journal/audit.ts';
import type { Schema } from './schema.ts';
import { cancelJob, completeJob, createJobQueue, enqueueJob } from './store-jobs.ts';
import { createUnmatchedBook } from './store-unmatched.ts';

/** A conflict with another writer is tried again this often. */
const CONFLICT_RETRIES = 3;
/** Version of `ServiceState` this code reads and writes. */
const STATE_SCHEMA = 1;

/** The embedded store: a file (made where it is missing), or `:memory:`. Refuses a file that another process has open. */
export async function openStore(path: string): Promise<Store> {
  return createStore(await openDatabase(path));
}

function createStore(db: Kysely<Schema>): Store {
  return {
    async transaction(work) {
      for (let retries = 0; ; retries += 1) {
        try {
          return await db.transaction().execute((trx) => work(createUnit(trx)));
        } catch (error) {
          if (!(error instanceof StoreConflict) || retries >= CONFLICT_RETRIES) throw error;
        }
      }
    },
    load: (service) => load(db, service),
    async services() {
      const rows = await db.selectFrom('services').select(['service', 'state']).orderBy('service').execute();
      return rows.map((row) => readState(row.service, row.state));
    },
    journal: (query) => journal(db, query),
    jobs: createJobQueue(db),
    messages: createMessageBook(db),
    policies: createPolicyArchive(db),
    unmatched: createUnmatchedBook(db),
    audit: createAudit(db),
    async prune(beforeMs) {
      const result = await db.deleteFrom('events').where('at', '<', beforeMs).executeTakeFirst();
      // Cards and reports are brought to the state for as long as there is one; a line is said once.
      for (const once of ['say/%', 'unmatched/%'])
        await db.deleteFrom('messages').where('id', 'like', once).where('at', '<', beforeMs).execute();
      return Number(result.numDeletedRows);
    },
    close: () => db.destroy(),
  };
}

function createUnit(trx: Transaction<Schema>): Unit {
  return {
    async insertEvent({ key, service, event, atMs }) {
      const result = await trx
        .insertInto('events')
        .values({ key, service, type: event.type, at: atMs, payload: JSON.stringify(event) })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .executeTakeFirst();
      return Number(result.numInsertedOrUpdatedRows) > 0;
    },
    load: (service) => load(trx, service),
    save: (state, expectedVersion) => save(trx, state, expectedVersion),
    enqueue: (job) => enqueueJob(trx, job),
    cancel: (service, key) => cancelJob(trx, service, key),
    complete: (lease) => completeJob(trx, lease),
    append: (service, entries) => appendToJournal(trx, service, entries),
  };
}

async function load(db: Kysely<Schema>, service: string): Promise<StoredState | null> {
  const row = await db
    .selectFrom('services')
    .select(['state', 'version'])
    .where('service', '=', service)
    .executeTakeFirst();
  return row ? { state: readState(service, row.state), version: row.version } : null;
}

/** Older shapes are brought up here once there are any. */
function readState(service: string, text: string): ServiceState {
  const state = JSON.parse(text) as ServiceState;
  if (state.schema !== STATE_SCHEMA) {
    throw new Error(
      `The state of ${service} has schema ${String(state.schema)}; this Lastgood reads ${STATE_SCHEMA}. Run the version that wrote it.`,
    );
  }
  return state;
}

async function save(trx: Transaction<Schema>, state: ServiceState, expectedVersion: number): Promise<void> {
  const values = { version: expectedVersion + 1, schema: state.schema, state: JSON.stringify(state) };
  const changed =
    expectedVersion === 0
      ? (
          await trx
            .insertInto('services')
            .values({ service: state.service, ...values })
            .onConflict((conflict) => conflict.column('service').doNothing())
            .executeTakeFirst()
        ).numInsertedOrUpdatedRows
      : (
          await trx
            .updateTable('services')
            .set(values)
            .where('service', '=', state.service)
            .where('version', '=', expectedVersion)
            .executeTakeFirst()
        ).numUpdatedRows;
  if (Number(changed) !== 1) {
    throw new StoreConflict(
      `The state of ${state.service} is no longer at version ${expectedVersion}: somebody was faster.`,
    );
  }
}

async function journal(db: Kysely<Schema>, query: Parameters<Store['journal']>[0]): Promise<readonly StoredEntry[]> {
  let select = db.selectFrom('journal').select(['seq', 'service', 'entry']).orderBy('seq', 'desc').limit(query.limit);
  if (query.service !== null) select = select.where('service', '=', query.service);
  if (query.degradationId !== undefined) select = select.where('degradation_id', '=', query.degradationId);
  if (query.rolloutId !== undefined) select = select.where('rollout_id', '=', query.rolloutId);
  const rows = await select.execute();
  return rows.map((row) => ({
    sequence: row.seq,
    service: row.service,
    entry: JSON.parse(row.entry) as JournalEntry,
  }));
}

function createMessageBook(db: Kysely<Schema>): MessageBook {
  return {
    async get(id) {
      const row = await db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row) return null;
      const address = row.channel !== null && row.ts !== null ? { channel: row.channel, ts: row.ts } : null;
      return { state: row.state === 'posted' ? 'posted' : 'posting', address, digest: row.digest };
    },
    async begin(id, atMs) {
      await db
        .insertInto('messages')
        .values({ id, state: 'posting', channel: null, ts: null, digest: null, at: atMs })
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet({ state: 'posting', channel: null, ts: null, digest: null, at: atMs }),
        )
        .execute();
    },
    async posted(id, address, digest) {
      const values = { state: 'posted', channel: address.channel, ts: address.ts, digest };
      await db
        .insertInto('messages')
        .values({ id, at: 0, ...values })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(values))
        .execute();
    },
    async forget(id) {
      await db.deleteFrom('messages').where('id', '=', id).execute();
    },
  };
}

function createPolicyArchive(db: Kysely<Schema>): PolicyArchive {
  return {
    async keep(service, revision, yaml) {
      await db
        .insertInto('policy_revisions')
        .values({ service, revision, yaml })
        .onConflict((conflict) => conflict.columns(['service', 'revision']).doNothing())
        .execute();
    },
    async find(service, revision) {
      const row = await db
        .selectFrom('policy_revisions')
        .select('yaml')
        .where('service', '=', service)
        .where('revision', '=', revision)
        .executeTakeFirst();
      return row?.yaml ?? null;
    },
  };
}
