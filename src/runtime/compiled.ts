import type { CompiledQuery } from 'kysely';

/** Stands for a value until the statement is run. */
class Slot {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
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
