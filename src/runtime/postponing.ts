import { type ExpressionBuilder, type Kysely, sql, type Transaction } from 'kysely';
import type { Lease, PutBack } from '../ports/store.ts';
import { compiled } from './compiled.ts';
import type { Engine } from './engine.ts';
import type { Schema } from './schema.ts';

/** In one unit: thousands of looks end quietly, one in each round of the event loop while there are some. */
const MOST_TOGETHER = 32;

interface Waiting {
  readonly lease: Lease;
  readonly next: PutBack;
  readonly resolve: (done: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** `JobQueue.postpone`. In an embedded database those that follow each other closely are one unit. */
export function createPostponing(
  db: Kysely<Schema>,
  engine: Engine,
): (lease: Lease, next: PutBack) => Promise<boolean> {
  const statements = statementsOf(db, engine);
  const postponeAll = (all: readonly Pick<Waiting, 'lease' | 'next'>[]) =>
    db.transaction().execute(async (trx) => {
      await engine.unhurried(trx);
      const done: boolean[] = [];
      for (const { lease, next } of all) done.push(await postpone(trx, statements, lease, next));
      return done;
    });
  // Others would wait for as many services at a time, and each for the others.
  if (engine.kind !== 'sqlite') return async (lease, next) => (await postponeAll([{ lease, next }]))[0] ?? false;

  let waiting: Waiting[] = [];
  const end = () => {
    const all = waiting;
    waiting = [];
    postponeAll(all).then(
      (done) => {
        for (const [index, { resolve }] of all.entries()) resolve(done[index] ?? false);
      },
      (error: unknown) => {
        for (const { reject } of all) reject(error);
      },
    );
  };
  /** Once nobody came for a round. */
  const endSoon = (known: number) =>
    setImmediate(() => {
      if (waiting.length > known && waiting.length < MOST_TOGETHER) endSoon(waiting.length);
      else end();
    });
  return (lease, next) =>
    new Promise((resolve, reject) => {
      waiting.push({ lease, next, resolve, reject });
      if (waiting.length === 1) endSoon(1);
    });
}

type Statements = ReturnType<typeof statementsOf>;

/** Said at each look of thousands: put into words once. */
function statementsOf(db: Kysely<Schema>, engine: Engine) {
  type PutBackValues = [dueAtMs: number, progress: string | null, id: number, owner: string, attempt: number];
  type Backstop = [dueAtMs: number, progress: string, service: string, key: string];
  return {
    // Whoever decides about the service waits until this is done, or has done so before.
    version: compiled<[service: string], { version: number }>(1, (service) =>
      engine.forUpdate(db.selectFrom('services').select('version').where('service', '=', service)),
    ),
    putBack: compiled<PutBackValues, unknown>(5, (due_at, progress, id, owner, attempt) =>
      db
        .updateTable('jobs')
        .set({ owner: null, lease_until: null, attempt: 0, due_at, problem: null, progress })
        .where('id', '=', id)
        .where('owner', '=', owner)
        .where('attempt', '=', attempt)
        .where((eb) => eb.not(hasNewer(eb))),
    ),
    moveBackstop: compiled<Backstop, unknown>(4, (due_at, progress, service, key) =>
      db
        .updateTable('jobs')
        .set({ due_at, progress })
        .where('service', '=', service)
        .where('key', '=', key)
        .where('owner', 'is', null),
    ),
  };
}

async function postpone(
  trx: Transaction<Schema>,
  { version, putBack, moveBackstop }: Statements,
  { jobId, owner, attempt }: Lease,
  { service, version: decidedBy, dueAtMs, progress, backstop }: PutBack,
): Promise<boolean> {
  const [present] = (await trx.executeQuery(version(service))).rows;
  if (present?.version !== decidedBy) return false;
  const { numAffectedRows } = await trx.executeQuery(putBack(dueAtMs, progress, jobId, owner, attempt));
  if (Number(numAffectedRows) !== 1) return false;
  await trx.executeQuery(moveBackstop(backstop.dueAtMs, backstop.progress, service, backstop.key));
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
