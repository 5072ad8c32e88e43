import type { Expression, ExpressionBuilder, Kysely, SelectQueryBuilder, SqlBool } from 'kysely';
import type { EffectKind } from '../domain/effect.ts';
import { performedKinds, type Schema } from './schema.ts';

type Condition = (eb: ExpressionBuilder<Schema, 'jobs'>) => Expression<SqlBool>;

/** Priorities that jobs have by their kind (application/jobs.ts), rising. One that has another is found as well, only not as fast. */
const usualPriorities: Readonly<Record<string, readonly number[]>> = {
  shift: [0],
  timer: [1],
  measure: [2],
  probe: [2],
  page: [3],
  card: [4, 7],
  silence: [5],
  say: [6],
  report: [8],
} satisfies Record<Exclude<EffectKind, 'cancel_timer'>, readonly number[]>;

/** Of PostgreSQL's integers. */
const LARGEST = 2 ** 31 - 1;

/**
 * Those that wait, apart by what their index (`jobs_waiting`) has together: of one kind and priority the first that are due come first
 * in it, so that few are looked at, however many are due.
 */
export function waitingApart(kinds: readonly string[]): readonly Condition[] {
  return kinds.flatMap((kind) =>
    prioritiesApart(usualPriorities[kind] ?? []).map(
      (priorities): Condition =>
        (eb) =>
          eb.and([eb('owner', 'is', null), eb('kind', '=', kind), priorities(eb)]),
    ),
  );
}

/** Each by itself, and what lies between them. */
function prioritiesApart(usual: readonly number[]): readonly Condition[] {
  const bounds = [-LARGEST, ...usual, LARGEST];
  return bounds.slice(1).flatMap((upper, index): Condition[] => {
    const lower = bounds[index] ?? upper;
    const between: Condition = (eb) => eb.and([eb('priority', '>', lower), eb('priority', '<', upper)]);
    return usual.includes(upper) ? [between, (eb) => eb('priority', '=', upper)] : [between];
  });
}

/** Put together, each with the order and the limit it has by itself. */
export function together<O>(
  db: Kysely<Schema>,
  [first, ...others]: readonly [SelectQueryBuilder<Schema, 'jobs', O>, ...SelectQueryBuilder<Schema, 'jobs', O>[]],
) {
  const whole = (one: SelectQueryBuilder<Schema, 'jobs', O>) => db.selectFrom(one.as('some')).selectAll();
  return others.reduce((all, one) => all.unionAll(whole(one)), whole(first));
}

/** These kinds as a number, a bit each: what they are asked with is put into words once. */
export function shapeOf(kinds: readonly string[]): number {
  return performedKinds.reduce((shape, kind, bit) => (kinds.includes(kind) ? shape + 2 ** bit : shape), 0);
}

export function kindsOf(shape: number): readonly EffectKind[] {
  return performedKinds.filter((_, bit) => Math.floor(shape / 2 ** bit) % 2 === 1);
}
