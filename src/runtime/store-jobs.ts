import { type ExpressionBuilder, type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { EffectKind } from '../domain/effect.ts';
import type { JobQueue, Lease, NewJob, PutBack } from '../ports/store.ts';
import type { Engine } from './engine.ts';
import { type JobTable, performedKinds, type Schema } from './schema.ts';
import { behindAnother, busyLane, claim, claimStatements, isOurs } from './store-claims.ts';

/** Every statement about jobs. Leases are fenced by owner and attempt: who lost one changes nothing. */
export function createJobQueue(db: Kysely<Schema>, engine: Engine): JobQueue {
  const statements = claimStatements(db, engine);
  return {
    claim: (request) => db.transaction().execute((trx) => claim(trx, { engine, statements }, request)),
    async extend(lease, untilMs) {
      const result = await held(db.updateTable('jobs').set({ lease_until: untilMs }), lease).executeTakeFirst();
      return Number(result.numUpdatedRows) === 1;
    },
    complete: (lease) => completeJob(db, lease),
    retry: (lease, next) => db.transaction().execute((trx) => retry(trx, lease, next)),
    postpone: (lease, next) => db.transaction().execute((trx) => postpone(trx, engine, lease, next)),
    nextDueMs: (kinds) => nextDueMs(db, kinds ?? performedKinds),
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

export async function enqueueJob(trx: Transaction<Schema>, job: NewJob): Promise<void> {
  const replaced = job.key === null ? undefined : await takeWaiting(trx, job.service, job.key);
  const fresh = {
    priority: job.priority,
    due_at: job.dueAtMs,
    created_at: job.createdAtMs,
    attempt: 0,
    problem: null as string | null,
  };
  await trx
    .insertInto('jobs')
    .values({
      service: job.service,
      key: job.key,
      lane: job.lane,
      kind: job.effect.kind,
      effect: JSON.stringify(job.effect),
      owner: null,
      lease_until: null,
      progress: null,
      ...(job.merge && replaced ? merged(replaced, fresh) : fresh),
    })
    .execute();
}

type Timing = Pick<Selectable<JobTable>, 'priority' | 'due_at' | 'created_at' | 'attempt' | 'problem'>;

function merged(replaced: Timing, fresh: Timing): Timing {
  const priority = Math.min(replaced.priority, fresh.priority);
  if (replaced.attempt === 0) return { ...fresh, priority, due_at: Math.min(replaced.due_at, fresh.due_at) };
  return { ...replaced, priority, due_at: Math.max(replaced.due_at, fresh.due_at) };
}

async function takeWaiting(trx: Transaction<Schema>, service: string, key: string): Promise<Timing | undefined> {
  return trx
    .deleteFrom('jobs')
    .where('service', '=', service)
    .where('key', '=', key)
    .where('owner', 'is', null)
    .returning(['priority', 'due_at', 'created_at', 'attempt', 'problem'])
    .executeTakeFirst();
}

export async function cancelJob(trx: Transaction<Schema>, service: string, key: string): Promise<void> {
  await takeWaiting(trx, service, key);
}

export async function completeJob(db: Kysely<Schema>, lease: Lease): Promise<boolean> {
  const result = await held(db.deleteFrom('jobs'), lease).executeTakeFirst();
  return Number(result.numDeletedRows) === 1;
}

interface Conditional {
  where(column: 'id' | 'owner' | 'attempt', operator: '=', value: string | number): this;
}
/** Narrows a statement to the job this lease still holds. */
function held<Q extends Conditional>(statement: Q, lease: Lease): Q {
  return statement.where('id', '=', lease.jobId).where('owner', '=', lease.owner).where('attempt', '=', lease.attempt);
}

async function retry(trx: Transaction<Schema>, lease: Lease, next: Parameters<JobQueue['retry']>[1]): Promise<boolean> {
  const job = await held(trx.selectFrom('jobs').select(['service', 'key']), lease).executeTakeFirst();
  if (!job) return false;
  if (job.key !== null) {
    const newer = await trx
      .selectFrom('jobs')
      .select('id')
      .where('service', '=', job.service)
      .where('key', '=', job.key)
      .where('owner', 'is', null)
      .executeTakeFirst();
    if (newer) return completeJob(trx, lease);
  }
  const { dueAtMs, problem, progress } = next;
  const waiting = { owner: null, lease_until: null, due_at: dueAtMs, problem, progress };
  // Somebody else may have taken it over since it was looked at.
  const result = await held(trx.updateTable('jobs').set(waiting), lease).executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

async function postpone(trx: Transaction<Schema>, engine: Engine, lease: Lease, next: PutBack): Promise<boolean> {
  await engine.unhurried(trx);
  const { service, version, dueAtMs, progress, backstop } = next;
  // Whoever decides about the service waits until this is done, or has done so before.
  const state = trx.selectFrom('services').select('version').where('service', '=', service);
  const present = await engine.forUpdate(state).executeTakeFirst();
  if (present?.version !== version) return false;
  const waiting = { owner: null, lease_until: null, attempt: 0, due_at: dueAtMs, problem: null, progress };
  const result = await held(trx.updateTable('jobs').set(waiting), lease)
    .where((eb) => eb.not(hasNewer(eb)))
    .executeTakeFirst();
  if (Number(result.numUpdatedRows) !== 1) return false;
  await trx
    .updateTable('jobs')
    .set({ due_at: backstop.dueAtMs, progress: backstop.progress })
    .where('service', '=', service)
    .where('key', '=', backstop.key)
    .where('owner', 'is', null)
    .execute();
  return true;
}

/** One with the same key was put in while this one ran. */
function hasNewer(eb: ExpressionBuilder<Schema, 'jobs'>) {
  return eb.exists(
    eb
      .selectFrom('jobs as newer')
      .select(sql`1`.as('one'))
      .whereRef('newer.service', '=', 'jobs.service')
      .whereRef('newer.key', '=', 'jobs.key')
      .where('newer.owner', 'is', null),
  );
}

async function nextDueMs(db: Kysely<Schema>, kinds: readonly EffectKind[]): Promise<number | null> {
  const waiting = await db
    .selectFrom('jobs')
    .select('due_at as at')
    .where('owner', 'is', null)
    .where(isOurs)
    .where('kind', 'in', kinds)
    .where((eb) => eb.not(behindAnother(eb)))
    .where((eb) => eb.not(busyLane(eb, null)))
    // In the order of their index: the first one that can be claimed ends the search, however many wait behind it.
    .orderBy('due_at')
    .limit(1)
    .executeTakeFirst();
  const leased = await db
    .selectFrom('jobs')
    .select((eb) => eb.fn.min(laterOfLeaseAndDue(eb)).as('at'))
    .where('owner', 'is not', null)
    .where(isOurs)
    .where('kind', 'in', kinds)
    .where((eb) => eb.not(laneRunsLonger(eb)))
    .executeTakeFirst();
  const moments = [waiting?.at, leased?.at].filter((at) => at !== null && at !== undefined);
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
