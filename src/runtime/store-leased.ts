import { type Kysely, type Selectable, sql } from 'kysely';
import type { Job, NewJob, UnitClaim } from '../ports/store.ts';
import { compiled, type RowValues, type Runner } from './compiled.ts';
import type { JobTable, Schema } from './schema.ts';

export type Timing = Pick<Selectable<JobTable>, 'priority' | 'due_at' | 'created_at' | 'attempt' | 'problem'>;

/** A job as a unit puts it in. */
export interface Fresh {
  readonly job: NewJob;
  readonly timing: Timing;
}

export const freshColumns = [
  'service',
  'key',
  'lane',
  'kind',
  'effect',
  'priority',
  'due_at',
  'created_at',
  'attempt',
  'problem',
] as const satisfies readonly (keyof JobTable)[];

/** In the order of the columns. */
export function rowOf({ job, timing }: Fresh): RowValues {
  return [
    job.service,
    job.key,
    job.lane,
    job.effect.kind,
    JSON.stringify(job.effect),
    timing.priority,
    timing.due_at,
    timing.created_at,
    timing.attempt,
    timing.problem,
  ];
}

/** Puts a job in that is leased already, unless there is another one in its lane. Asked with its row, owner, end of its lease, lane. */
export function leasedStatement(db: Kysely<Schema>) {
  const columns = [...freshColumns, 'owner', 'lease_until'] as const;
  return compiled<RowValues, Pick<Selectable<JobTable>, 'id'>>(columns.length + 1, (...slots) => {
    const lane = slots[columns.length];
    return db
      .insertInto('jobs')
      .columns(columns)
      .expression(
        sql`SELECT ${sql.join(slots.slice(0, columns.length))} WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE lane = ${lane})`,
      )
      .returning('id');
  });
}

/** The one that would be claimed first, were there nothing else in its lane. */
export function firstOf(all: readonly Fresh[], { kinds, nowMs }: UnitClaim): Fresh | null {
  const isBefore = (other: Fresh, { job, timing }: Fresh) =>
    other.job.lane === job.lane && other.timing.priority < timing.priority;
  const first = all.find(
    (one) =>
      one.job.lane !== null &&
      kinds.includes(one.job.effect.kind) &&
      one.timing.due_at <= nowMs &&
      !all.some((other) => isBefore(other, one)),
  );
  return first ?? null;
}

/** Null, and nothing is put in: there is another job in its lane. */
export async function insertLeased(
  run: Runner,
  statement: ReturnType<typeof leasedStatement>,
  { job, timing }: Fresh,
  { owner, leaseUntilMs }: UnitClaim,
): Promise<Omit<Job, 'stateVersion'> | null> {
  const attempt = timing.attempt + 1;
  const row = rowOf({ job, timing: { ...timing, attempt } });
  const { rows } = await run.executeQuery(statement(...row, owner, leaseUntilMs, job.lane));
  const [inserted] = rows;
  if (!inserted) return null;
  const { service, key, lane, effect } = job;
  const { priority, due_at: dueAtMs, created_at: createdAtMs } = timing;
  const lease = { jobId: inserted.id, owner, attempt };
  return {
    id: lease.jobId,
    service,
    key,
    lane,
    effect,
    dueAtMs,
    priority,
    createdAtMs,
    attempt,
    lease,
    progress: null,
  };
}
