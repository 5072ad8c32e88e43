import {
  type Expression,
  type ExpressionBuilder,
  type Kysely,
  type Selectable,
  type SqlBool,
  sql,
  type Transaction,
} from 'kysely';
import type { Effect, EffectKind } from '../domain/effect.ts';
import type { Job, JobQueue, Lease, Places } from '../ports/store.ts';
import { atMost, byShape, compiled } from './compiled.ts';
import type { Engine } from './engine.ts';
import { type JobTable, performedKinds, type Schema, STATE_SCHEMA } from './schema.ts';
import { kindsOf, shapeOf, together, waitingApart } from './store-arms.ts';

/** What moves traffic or wakes people has to know after a power cut how often it was tried: only these claims are flushed. */
const flushedKinds: ReadonlySet<string> = new Set(['shift', 'page', 'silence'] satisfies EffectKind[]);
/** What a process that died may have posted for these without a flush is looked for (`beginLeftBehind`). */
export const messageKinds: ReadonlySet<string> = new Set(['card', 'say', 'report'] satisfies EffectKind[]);

/**
 * Due jobs that nobody else is about to take. A lane is locked before its job is taken, and looked at once more then: whoever else
 * took another job of it meanwhile has committed, and is seen.
 */
export async function claim(
  trx: Transaction<Schema>,
  { engine, statements }: { engine: Engine; statements: ClaimStatements },
  { owner, nowMs, leaseMs, limit, places }: Parameters<JobQueue['claim']>[0],
): Promise<readonly Job[]> {
  const kinds = places?.flatMap((place) => place.kinds) ?? performedKinds;
  if (kinds.length === 0) return [];
  const { rows: due } = await trx.executeQuery(statements.due(shapeOf(kinds))(nowMs, limit));
  const placed = placedOf(due.toSorted(mostUrgentFirst), places).slice(0, limit);
  const free = await freeLanes(trx, engine, placed, nowMs);
  const taken = placed.filter(({ lane }) => lane === null || free.delete(lane));
  if (!taken.some(({ kind }) => flushedKinds.has(kind))) await engine.unhurried(trx);
  if (taken.length === 0) return [];
  const ids = taken.map(({ id }) => id);
  const { rows } = await trx.executeQuery(statements.take(ids.length)(owner, nowMs + leaseMs, ...ids));
  return rows.toSorted(mostUrgentFirst).map((row) => toJob(row, owner));
}

/** What is asked of those that are due: only of those that are taken the rest is read. */
type Due = Pick<Selectable<JobTable>, 'id' | 'kind' | 'lane' | 'priority' | 'due_at'>;

type Taken = Selectable<JobTable> & { readonly state_version: number | null };

/** What a claim asks, as it was put into words. */
type ClaimStatements = ReturnType<typeof claimStatements>;

/** By the kinds that are asked for, and how many jobs are taken. */
export function claimStatements(db: Kysely<Schema>, engine: Engine) {
  type Asked = [nowMs: number, limit: number];
  type Take = [owner: string, untilMs: number, ...ids: number[]];
  return {
    due: byShape((shape) =>
      compiled<Asked, Due>(2, (nowMs, limit) => {
        const kinds = kindsOf(shape);
        const some = (apart: (eb: ExpressionBuilder<Schema, 'jobs'>) => Expression<SqlBool>) =>
          engine.leavingTaken(
            db
              .selectFrom('jobs')
              .select(['id', 'kind', 'lane', 'priority', 'due_at'])
              .where(apart)
              .where('due_at', '<=', nowMs)
              .where(isReadable)
              // First: of a lane with thousands of lines only one is left to be asked about further.
              .where((eb) => eb.not(behindAnother(eb)))
              .where((eb) => eb.not(busyLane(eb, nowMs)))
              .orderBy('priority')
              .orderBy('due_at')
              .orderBy('id')
              .limit(atMost(limit)),
          );
        const left = some((eb) =>
          eb.and([eb('lease_until', '<=', nowMs), eb('owner', 'is not', null), eb('kind', 'in', kinds)]),
        );
        return together(db, [left, ...waitingApart(kinds).map(some)]);
      }),
    ),
    take: byShape((ids) =>
      compiled<Take, Taken>(ids + 2, (owner, untilMs, ...id) =>
        db
          .updateTable('jobs')
          .set((eb) => ({ owner, attempt: eb('attempt', '+', 1), lease_until: untilMs }))
          .where('id', 'in', id)
          .returningAll()
          .returning((eb) =>
            eb
              .selectFrom('services')
              .select('version')
              .whereRef('services.service', '=', 'jobs.service')
              .as('state_version'),
          ),
      ),
    ),
  };
}

function mostUrgentFirst(a: Due, b: Due): number {
  return a.priority - b.priority || a.due_at - b.due_at || a.id - b.id;
}

/** Those for which there is a place, the first come first. */
function placedOf(due: readonly Due[], places: readonly Places[] | undefined): readonly Due[] {
  if (!places) return due;
  const left = places.map(({ kinds, free }) => ({ kinds: new Set<string>(kinds), free }));
  return due.filter(({ kind }) => {
    const place = left.find(({ kinds }) => kinds.has(kind));
    if (!place || place.free === 0) return false;
    place.free -= 1;
    return true;
  });
}

/** Of the lanes of these jobs, those in which nothing runs now that nobody else can begin anything in them. */
async function freeLanes(
  trx: Transaction<Schema>,
  engine: Engine,
  due: readonly Due[],
  nowMs: number,
): Promise<Set<string>> {
  const lanes = [...new Set(due.flatMap(({ lane }) => lane ?? []))];
  const ours = [...(await engine.takeLanes(trx, lanes))];
  if (ours.length === 0 || engine.kind === 'sqlite') return new Set(ours);
  const busy = await trx
    .selectFrom('jobs')
    .select('lane')
    .where('lane', 'in', ours)
    .where('owner', 'is not', null)
    .where('lease_until', '>', nowMs)
    .execute();
  const running = new Set(busy.map(({ lane }) => lane));
  return new Set(ours.filter((lane) => !running.has(lane)));
}

/** What a newer Lastgood beside us made, and only it can do, is left to it. */
export function isOurs(eb: ExpressionBuilder<Schema, 'jobs'>) {
  return eb.and([eb('jobs.kind', 'in', performedKinds), isReadable(eb)]);
}

/** Its service's state is not one that only a newer Lastgood can read. */
export function isReadable(eb: ExpressionBuilder<Schema, 'jobs'>) {
  // Looked up once for all jobs: most of the time there is none.
  const newer = eb.selectFrom('services').select('service').where('schema', '>', STATE_SCHEMA);
  return eb('jobs.service', 'not in', newer);
}

/** Another job of its lane is running. `nowMs` null: expired leases count as running (their end is looked at by itself). */
export function busyLane(eb: ExpressionBuilder<Schema, 'jobs'>, nowMs: number | null) {
  let other = eb
    .selectFrom('jobs as other')
    .select(sql`1`.as('one'))
    .whereRef('other.lane', '=', 'jobs.lane')
    .whereRef('other.id', '!=', 'jobs.id')
    .where('other.owner', 'is not', null);
  if (nowMs !== null) other = other.where('other.lease_until', '>', nowMs);
  return eb.exists(other);
}

/** An earlier job of its lane and priority is not done. */
export function behindAnother(eb: ExpressionBuilder<Schema, 'jobs'>) {
  return eb.exists(
    eb
      .selectFrom('jobs as earlier')
      .select(sql`1`.as('one'))
      .whereRef('earlier.lane', '=', 'jobs.lane')
      .whereRef('earlier.priority', '=', 'jobs.priority')
      .whereRef('earlier.id', '<', 'jobs.id'),
  );
}

function toJob(row: Taken, owner: string): Job {
  const lease: Lease = { jobId: row.id, owner, attempt: row.attempt };
  return {
    id: row.id,
    service: row.service,
    key: row.key,
    lane: row.lane,
    effect: JSON.parse(row.effect) as Effect,
    dueAtMs: row.due_at,
    priority: row.priority,
    createdAtMs: row.created_at,
    attempt: lease.attempt,
    lease,
    progress: row.progress,
    stateVersion: row.state_version,
  };
}
