import { type ExpressionBuilder, type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { EffectKind } from '../domain/effect.ts';
import type { Job, JobQueue, Lease, NewJob, UnitClaim } from '../ports/store.ts';
import { atMost, byShape, compiled, insertsOf, pieces, type Runner } from './compiled.ts';
import type { Engine } from './engine.ts';
import { createPostponing } from './postponing.ts';
import { type JobTable, performedKinds, type Schema } from './schema.ts';
import { kindsOf, shapeOf, together } from './store-arms.ts';
import { behindAnother, busyLane, claim, claimStatements, isOurs, isReadable } from './store-claims.ts';
import {
  type Fresh,
  firstOf,
  freshColumns,
  insertLeased,
  leasedStatement,
  rowOf,
  type Timing,
} from './store-leased.ts';

/** Every statement about jobs. Leases are fenced by owner and attempt: who lost one changes nothing. */
export function createJobQueue(db: Kysely<Schema>, engine: Engine, jobs: JobStatements): JobQueue {
  const statements = claimStatements(db, engine);
  const moments = momentStatements(db);
  return {
    claim: (request) => db.transaction().execute((trx) => claim(trx, { engine, statements }, request)),
    async extend(lease, untilMs) {
      const result = await held(db.updateTable('jobs').set({ lease_until: untilMs }), lease).executeTakeFirst();
      return Number(result.numUpdatedRows) === 1;
    },
    complete: (lease) => completeJob(db, jobs, lease),
    retry: (lease, next) => db.transaction().execute((trx) => retry(trx, jobs, lease, next)),
    postpone: createPostponing(db, engine),
    nextDueMs: (kinds) => nextDueMs(db, moments, kinds ?? performedKinds),
    async pending() {
      const row = await db
        .selectFrom('jobs')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },
    async voidLeases() {
      await db.updateTable('jobs').set({ lease_until: 0 }).where('owner', 'is not', null).execute();
    },
  };
}

/** What a unit changes about the jobs that wait. */
export type JobChange = { readonly enqueue: NewJob } | { readonly cancel: { service: string; key: string } };

export type JobStatements = ReturnType<typeof jobStatements>;

/** What is said to the jobs in every commit, put into words once. */
export function jobStatements(db: Kysely<Schema>) {
  type Held = [id: number, owner: string, attempt: number];
  type Waiting = [service: string, ...keys: string[]];
  return {
    complete: compiled<Held, unknown>(3, (id, owner, attempt) =>
      db.deleteFrom('jobs').where('id', '=', id).where('owner', '=', owner).where('attempt', '=', attempt),
    ),
    held: compiled<Held, Pick<Selectable<JobTable>, 'service' | 'key'>>(3, (jobId, owner, attempt) =>
      held(db.selectFrom('jobs').select(['service', 'key']), { jobId, owner, attempt }),
    ),
    newer: compiled<[service: string, key: string], Pick<Selectable<JobTable>, 'id'>>(2, (service, key) =>
      db
        .selectFrom('jobs')
        .select('id')
        .where('service', '=', service)
        .where('key', '=', key)
        .where('owner', 'is', null),
    ),
    putBack: compiled<[dueAtMs: number, problem: string | null, progress: string | null, ...Held], unknown>(
      6,
      (due_at, problem, progress, jobId, owner, attempt) =>
        held(db.updateTable('jobs').set({ owner: null, lease_until: null, due_at, problem, progress }), {
          jobId,
          owner,
          attempt,
        }),
    ),
    takeWaiting: byShape((keys) =>
      compiled<Waiting, Timing & { key: string | null }>(keys + 1, (service, ...key) =>
        db
          .deleteFrom('jobs')
          .where('service', '=', service)
          .where('key', 'in', key)
          .where('owner', 'is', null)
          .returning(['key', 'priority', 'due_at', 'created_at', 'attempt', 'problem']),
      ),
    ),
    insert: insertsOf('jobs', db, freshColumns),
    insertLeased: leasedStatement(db),
  };
}

/**
 * Does what these changes come to one after the other; a job with a key replaces the one that waits under it. Answers the one of them
 * that is leased at once, where that is asked for.
 */
export async function changeJobs(
  run: Runner,
  statements: JobStatements,
  changes: readonly JobChange[],
  request: UnitClaim | null,
): Promise<Omit<Job, 'stateVersion'> | null> {
  const waiting = await takeWaiting(run, statements, changes);
  const fresh = new Map<string, Fresh>();
  for (const [index, change] of changes.entries()) {
    if ('cancel' in change) {
      const name = nameOf(change.cancel.service, change.cancel.key);
      waiting.delete(name);
      fresh.delete(name);
      continue;
    }
    const job = change.enqueue;
    const name = job.key === null ? `#${index}` : nameOf(job.service, job.key);
    const replaced = fresh.get(name)?.timing ?? waiting.get(name);
    // At the end: jobs are begun in the order they were put in.
    fresh.delete(name);
    fresh.set(name, { job, timing: timingOf(job, replaced) });
  }
  const all = [...fresh.values()];
  const first = request && firstOf(all, request);
  const leased = first && (await insertLeased(run, statements.insertLeased, first, request));
  const others = leased ? all.filter((one) => one !== first) : all;
  await statements.insert(run, others.map(rowOf));
  return leased;
}

/** Takes out whatever waits under the keys of these changes. */
async function takeWaiting(
  run: Runner,
  statements: JobStatements,
  changes: readonly JobChange[],
): Promise<Map<string, Timing>> {
  const keys = new Map<string, Set<string>>();
  for (const change of changes) {
    const { service, key } = 'cancel' in change ? change.cancel : change.enqueue;
    if (key === null) continue;
    const ofService = keys.get(service) ?? new Set();
    keys.set(service, ofService.add(key));
  }
  const waiting = new Map<string, Timing>();
  for (const [service, ofService] of keys) {
    for (const some of pieces([...ofService])) {
      const { rows } = await run.executeQuery(statements.takeWaiting(some.length)(service, ...some));
      for (const { key, ...timing } of rows) waiting.set(nameOf(service, key ?? ''), timing);
    }
  }
  return waiting;
}

/** Services' names have no slash in them. */
function nameOf(service: string, key: string): string {
  return `${service}/${key}`;
}

function timingOf(job: NewJob, replaced: Timing | undefined): Timing {
  const fresh = {
    priority: job.priority,
    due_at: job.dueAtMs,
    created_at: job.createdAtMs,
    attempt: 0,
    problem: null,
  };
  return job.merge && replaced ? merged(replaced, fresh) : fresh;
}

function merged(replaced: Timing, fresh: Timing): Timing {
  const priority = Math.min(replaced.priority, fresh.priority);
  if (replaced.attempt === 0) return { ...fresh, priority, due_at: Math.min(replaced.due_at, fresh.due_at) };
  return { ...replaced, priority, due_at: Math.max(replaced.due_at, fresh.due_at) };
}

export async function completeJob(run: Runner, statements: JobStatements, lease: Lease): Promise<boolean> {
  const query = statements.complete(lease.jobId, lease.owner, lease.attempt);
  return Number((await run.executeQuery(query)).numAffectedRows) === 1;
}

interface Conditional {
  where(column: 'id' | 'owner' | 'attempt', operator: '=', value: string | number): this;
}
/** Narrows a statement to the job this lease still holds. */
function held<Q extends Conditional>(statement: Q, lease: Lease): Q {
  return statement.where('id', '=', lease.jobId).where('owner', '=', lease.owner).where('attempt', '=', lease.attempt);
}

async function retry(
  trx: Transaction<Schema>,
  jobs: JobStatements,
  { jobId, owner, attempt }: Lease,
  { dueAtMs, problem, progress }: Parameters<JobQueue['retry']>[1],
): Promise<boolean> {
  const [job] = (await trx.executeQuery(jobs.held(jobId, owner, attempt))).rows;
  if (!job) return false;
  if (job.key !== null) {
    const [newer] = (await trx.executeQuery(jobs.newer(job.service, job.key))).rows;
    if (newer) return completeJob(trx, jobs, { jobId, owner, attempt });
  }
  // Somebody else may have taken it over since it was looked at.
  const query = jobs.putBack(dueAtMs, problem, progress, jobId, owner, attempt);
  return Number((await trx.executeQuery(query)).numAffectedRows) === 1;
}

/** By the kinds that are asked for, or how many they are. Asked whenever there is nothing to do, so put into words once. */
function momentStatements(db: Kysely<Schema>) {
  /** In the order of an index: the first one that can be claimed ends the search, however many wait behind it. */
  const firstOf = (kind: EffectKind) =>
    db
      .selectFrom('jobs')
      .select('due_at as at')
      .where('owner', 'is', null)
      .where('kind', '=', kind)
      .where(isReadable)
      .where((eb) => eb.not(behindAnother(eb)))
      .where((eb) => eb.not(busyLane(eb, null)))
      .orderBy('due_at')
      .limit(atMost(1));
  return {
    waiting: byShape((shape) =>
      // Each kind by itself: thousands that are due, and for which there is no place, hide no other.
      compiled<[], { at: number }>(0, () => {
        const [first, ...others] = kindsOf(shape).map(firstOf);
        if (!first) throw new Error('The next job of no kind was asked for.');
        return together(db, [first, ...others]);
      }),
    ),
    leased: byShape((kinds) =>
      compiled<EffectKind[], { at: number | null }>(kinds, (...kind) =>
        db
          .selectFrom('jobs')
          .select((eb) => eb.fn.min(laterOfLeaseAndDue(eb)).as('at'))
          .where('owner', 'is not', null)
          .where(isOurs)
          .where('kind', 'in', kind)
          .where((eb) => eb.not(laneRunsLonger(eb))),
      ),
    ),
  };
}

async function nextDueMs(
  db: Kysely<Schema>,
  { waiting, leased }: ReturnType<typeof momentStatements>,
  kinds: readonly EffectKind[],
): Promise<number | null> {
  if (kinds.length === 0) return null;
  const { rows: first } = await db.executeQuery(waiting(shapeOf(kinds))());
  const { rows: running } = await db.executeQuery(leased(kinds.length)(...kinds));
  const moments = [...first, ...running].flatMap(({ at }) => at ?? []);
  return moments.length === 0 ? null : Math.min(...moments);
}

/** A lease can end before its job is due: when it is voided and the machine's clock was set back. */
function laterOfLeaseAndDue(eb: ExpressionBuilder<Schema, 'jobs'>) {
  return eb.case().when('lease_until', '<', eb.ref('due_at')).then(eb.ref('due_at')).else(eb.ref('lease_until')).end();
}

/** Its lease expired, and another job of the lane was begun since. */
function laneRunsLonger(eb: ExpressionBuilder<Schema, 'jobs'>) {
  return eb.exists(
    eb
      .selectFrom('jobs as other')
      .select(sql`1`.as('one'))
      .whereRef('other.lane', '=', 'jobs.lane')
      .whereRef('other.lease_until', '>', 'jobs.lease_until'),
  );
}
