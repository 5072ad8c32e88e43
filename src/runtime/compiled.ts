import { type CompiledQuery, type Insertable, type Kysely, type QueryResult, sql } from 'kysely';
import type { Schema } from './schema.ts';

/** Rows that one statement takes: each number of them is a statement of its own, and kept prepared. */
const ROWS_AT_A_TIME = 10;

/** Stands for a value until the statement is run. */
class Slot {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** What statements are run in: the database, or a unit of it. */
export interface Runner {
  executeQuery<R>(query: CompiledQuery<R>): Promise<QueryResult<R>>;
}

type Slots<V extends readonly unknown[]> = { readonly [I in keyof V]: V[I] };

/** A statement put into words once, and run with other values each time: where it is short, finding the words takes longest. */
export type Compiled<V extends readonly unknown[], R> = (...values: V) => CompiledQuery<R>;

/** `build` gets as many stand-ins as there are values; it may put them wherever values go, and nothing else may change. */
export function compiled<V extends readonly unknown[], R>(
  count: V['length'],
  build: (...slots: Slots<V>) => { compile(): CompiledQuery<R> },
): Compiled<V, R> {
  const slots = Array.from({ length: count }, (_, index) => new Slot(index));
  const query = build(...(slots as unknown as Slots<V>)).compile();
  return (...values) => ({
    ...query,
    parameters: query.parameters.map((parameter) => (parameter instanceof Slot ? values[parameter.index] : parameter)),
  });
}

/** One of each kind, made when it is first asked for. */
export function byShape<T>(make: (shape: number) => T): (shape: number) => T {
  const made = new Map<number, T>();
  return (shape) => {
    const known = made.get(shape) ?? make(shape);
    made.set(shape, known);
    return known;
  };
}

/** So many at a time as one statement takes. */
export function pieces<T>(items: readonly T[]): readonly T[][] {
  const count = Math.ceil(items.length / ROWS_AT_A_TIME);
  return Array.from({ length: count }, (_, index) => items.slice(index * ROWS_AT_A_TIME, (index + 1) * ROWS_AT_A_TIME));
}

/**
 * So many rows at most, for `limit`. SQLite plans a statement anew whenever a bare value is bound to its limit, which takes twenty
 * times as long as to run it; what it would have to work out it leaves alone.
 */
export function atMost(rows: number | Slot) {
  return sql<number>`${rows} + 0`;
}

type Value = string | number | null;
/** The values of one row, in the order of the columns. */
export type RowValues = readonly Value[];

/** Inserts rows in their order, several with one statement. Columns that are not named get what the table gives them. */
export function insertsOf<T extends keyof Schema>(
  table: T,
  db: Kysely<Schema>,
  columns: readonly (keyof Insertable<Schema[T]> & string)[],
): (run: Runner, rows: readonly RowValues[]) => Promise<void> {
  const insert = byShape((rows) =>
    compiled<Value[], unknown>(rows * columns.length, (...slots) => {
      const row = (index: number) =>
        Object.fromEntries(columns.map((column, place) => [column, slots[index * columns.length + place]]));
      return db.insertInto(table).values(Array.from({ length: rows }, (_, index) => row(index)) as never);
    }),
  );
  return async (run, rows) => {
    for (const some of pieces(rows)) await run.executeQuery(insert(some.length)(...some.flat()));
  };
}
