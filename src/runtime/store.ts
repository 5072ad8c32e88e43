import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { JournalEntry } from '../domain/effect.ts';
import type { ServiceState } from '../domain/state.ts';
import {
  type Job,
  type PolicyArchive,
  type Store,
  StoreConflict,
  type StoredEntry,
  type Unit,
  type UnitClaim,
} from '../ports/store.ts';
import { backupDatabase } from './backup.ts';
import { compiled, type Runner } from './compiled.ts';
import { inspectFile } from './damage.ts';
import { openDatabase } from './database.ts';
import { type Engine, sqlite } from './engine.ts';
import { appendToJournal, journalStatements } from './journal/append.ts';
import { createAudit } from './journal/audit.ts';
import type { Schema } from './schema.ts';
import { type KnownState, StateReader, storedOf } from './states.ts';
import { acceptedStatements, createAcceptedBook, settleAccepted } from './store-accepted.ts';
import { changeJobs, completeJob, createJobQueue, type JobChange, jobStatements } from './store-jobs.ts';
import { lineStatement, waitingLines } from './store-lines.ts';
import { createMessageBook } from './store-messages.ts';
import { createDuties, createSettings } from './store-shared.ts';
import { createUnmatchedBook } from './store-unmatched.ts';

/** A conflict with another writer is tried again this often. */
const CONFLICT_RETRIES = 3;
/** A connection that broke is made anew: a server that restarts takes a second or two. */
const RECONNECT_WAITS_MS = [100, 400, 1_000];
/** Decisions come in between. */
const PRUNED_AT_A_TIME = 5_000;
/** Longer keys do not fit into PostgreSQL's indexes, and stand there by their hash. */
const LONGEST_KEY = 500;

/** The embedded store: a file (made where it is missing), or `:memory:`. Refuses a file that another process has open. */
export async function openStore(path: string): Promise<Store> {
  return createStore(await openDatabase(path), sqlite);
}

/** The store on an open database, whichever. */
export function createStore(db: Kysely<Schema>, engine: Engine): Store {
  const states = new StateReader(db, engine);
  const run = engine.runner(db);
  const statements = unitStatements(db, engine);
  const steady = <T extends object>(part: T) => (engine.kind === 'sqlite' ? part : steadied(part, engine));
  return {
    async transaction(work) {
      for (let retries = 0; ; retries += 1) {
        const seen = new Map<string, KnownState>();
        try {
          const result = await engine.unit(db, async (run) => {
            const { unit, end } = createUnit(run, { engine, states, statements }, seen);
            const result = await work(unit);
            await end();
            return result;
          });
          // What a unit reads or writes may never come to be; now it has.
          for (const known of seen.values()) states.remember(known);
          return result;
        } catch (error) {
          if (!(error instanceof StoreConflict || engine.isPassing(error)) || retries >= CONFLICT_RETRIES) throw error;
          if (!(error instanceof StoreConflict)) await waitBefore(retries);
        }
      }
    },
    ...steady(createReading(db, run, states)),
    jobs: steady(createJobQueue(db, engine, statements.jobs)),
    messages: steady(createMessageBook(db, engine)),
    policies: steady(createPolicyArchive(db)),
    unmatched: steady(createUnmatchedBook(db, engine)),
    accepted: steady(createAcceptedBook(db, statements.accepted)),
    duties: steady(createDuties(db)),
    settings: steady(createSettings(db)),
    audit: createAudit(db),
    backup: (file) => backupDatabase(db, engine.kind, file),
    async prune(beforeMs) {
      const events = await pruneEvents(db, beforeMs);
      // Cards and reports are brought to the state for as long as there is one; a line is said once.
      for (const once of ['say/%', 'unmatched/%'])
        await db.deleteFrom('messages').where('id', 'like', once).where('at', '<', beforeMs).execute();
      return events;
    },
    // PostgreSQL's are its own to look after (data checksums).
    inspect: async (signal) => (engine.kind === 'sqlite' ? inspectFile(db, signal) : null),
    close: () => db.destroy(),
  };
}

/** In pieces: a month of events in one statement takes longer than any may. */
async function pruneEvents(db: Kysely<Schema>, beforeMs: number): Promise<number> {
  for (let pruned = 0; ; ) {
    const old = db.selectFrom('events').select('key').where('at', '<', beforeMs).limit(PRUNED_AT_A_TIME);
    const { numDeletedRows } = await db.deleteFrom('events').where('key', 'in', old).executeTakeFirst();
    pruned += Number(numDeletedRows);
    if (Number(numDeletedRows) < PRUNED_AT_A_TIME) return pruned;
  }
}

function createReading(
  db: Kysely<Schema>,
  run: Runner,
  states: StateReader,
): Pick<Store, 'load' | 'services' | 'serviceNames' | 'changes' | 'journal'> {
  return {
    load: (service) => states.load(run, service),
    services: () => states.all(db),
    async serviceNames() {
      const rows = await db.selectFrom('services').select('service').orderBy('service').execute();
      return rows.map(({ service }) => service);
    },
    changes: (known, changed) => states.changes(db, known, changed),
    journal: (query) => journal(db, query),
  };
}

/** The same, each call tried again where what broke is broken no more. All of them may be done twice. */
function steadied<T extends object>(part: T, engine: Engine): T {
  const again =
    (call: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]) => {
      for (let retries = 0; ; retries += 1) {
        try {
          return await call(...args);
        } catch (error) {
          if (!engine.isPassing(error) || retries >= CONFLICT_RETRIES) throw error;
          await waitBefore(retries);
        }
      }
    };
  return Object.fromEntries(Object.entries(part).map(([name, call]) => [name, again(call)])) as T;
}

function waitBefore(retry: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RECONNECT_WAITS_MS[retry] ?? 0));
}

/** What is said in nearly every unit, put into words once. */
function unitStatements(db: Kysely<Schema>, engine: Engine) {
  type Event = [key: string, service: string, type: string, atMs: number, payload: string];
  return {
    jobs: jobStatements(db),
    lines: lineStatement(db, engine),
    accepted: acceptedStatements(db),
    journal: journalStatements(db, engine),
    insertEvent: compiled<Event, unknown>(5, (key, service, type, at, payload) =>
      db
        .insertInto('events')
        .values({ key, service, type, at, payload })
        .onConflict((conflict) => conflict.column('key').doNothing()),
    ),
    insertState: compiled<[service: string, version: number, schema: number, state: string], unknown>(
      4,
      (service, version, schema, state) =>
        db
          .insertInto('services')
          .values({ service, version, schema, state })
          .onConflict((conflict) => conflict.column('service').doNothing()),
    ),
    updateState: compiled<[version: number, schema: number, state: string, service: string, expected: number], unknown>(
      5,
      (version, schema, state, service, expected) =>
        db
          .updateTable('services')
          .set({ version, schema, state })
          .where('service', '=', service)
          .where('version', '=', expected),
    ),
  };
}

type UnitStatements = ReturnType<typeof unitStatements>;

interface UnitParts {
  readonly engine: Engine;
  readonly states: StateReader;
  readonly statements: UnitStatements;
}

/** `end` does what was put off until the unit's end. */
function createUnit(
  run: Runner,
  { engine, states, statements }: UnitParts,
  seen: Map<string, KnownState>,
): { unit: Unit; end: () => Promise<unknown> } {
  let isTold = false;
  let changes: JobChange[] = [];
  // A decision changes half a dozen jobs: they are changed together.
  const end = async (request: UnitClaim | null = null): Promise<Omit<Job, 'stateVersion'> | null> => {
    const some = changes;
    changes = [];
    const job = some.length > 0 ? await changeJobs(run, statements.jobs, some, request) : null;
    if (!isTold && some.some((change) => 'enqueue' in change)) {
      await engine.notify(run);
      isTold = true;
    }
    return job;
  };
  const unit: Unit = {
    async insertEvent({ key, service, event, atMs }) {
      const query = statements.insertEvent(boundedKey(key), service, event.type, atMs, JSON.stringify(event));
      return Number((await run.executeQuery(query)).numAffectedRows) > 0;
    },
    async load(service) {
      const known = seen.get(service) ?? (await states.loadToWrite(run, service));
      if (known) seen.set(service, known);
      return storedOf(known);
    },
    async save(state, expectedVersion) {
      const text = states.texts.of(state);
      await save(run, statements, { state, text, expectedVersion });
      seen.set(state.service, states.knownAs(state, expectedVersion + 1, text));
    },
    async enqueue(job) {
      changes.push({ enqueue: job });
    },
    async cancel(service, key) {
      changes.push({ cancel: { service, key } });
    },
    async waitingLines(lane, most) {
      await end();
      return waitingLines(run, statements.lines, lane, most);
    },
    async complete(lease) {
      await end();
      return completeJob(run, statements.jobs, lease);
    },
    settle: (ids) => settleAccepted(run, statements.accepted, ids),
    append: (service, entries) => appendToJournal(run, statements.journal, service, entries),
    async claim(request) {
      // Replicas would have to take the lane first; they claim what they find.
      const job = await end(engine.kind === 'sqlite' ? request : null);
      return job && { ...job, stateVersion: (await unit.load(job.service))?.version ?? null };
    },
  };
  return { unit, end };
}

function boundedKey(key: string): string {
  return key.length <= LONGEST_KEY ? key : `sha256/${createHash('sha256').update(key).digest('base64url')}`;
}

async function save(
  run: Runner,
  { insertState, updateState }: UnitStatements,
  saved: { state: ServiceState; text: string; expectedVersion: number },
): Promise<void> {
  const { state, text, expectedVersion } = saved;
  const { service, schema } = state;
  const query =
    expectedVersion === 0
      ? insertState(service, 1, schema, text)
      : updateState(expectedVersion + 1, schema, text, service, expectedVersion);
  if (Number((await run.executeQuery(query)).numAffectedRows) !== 1) {
    throw new StoreConflict(`The state of ${service} is no longer at version ${expectedVersion}: somebody was faster.`);
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
