/** Pairs of numbers in as few bytes as hold them to the bit: events and exposure of windows that are kept for thousands of rollouts. */

type Column = Uint16Array | Float32Array | Float64Array;

/** Of the counts that fit into two bytes the largest is given up to say NaN. */
const NOTHING = 0xff_ff;
/** Room for as many pairs more when they are laid anew. */
const ROOM = 16;
/** Of a typed array itself, with its buffer. */
const OVERHEAD_BYTES = 260;

export interface Pairs {
  readonly length: number;
  readonly bytes: number;
  /** Those in [from, to) as they are now, whatever is added or dropped later. */
  view(from: number, to: number): PairsView;
  add(first: number, second: number): void;
  /** Without the first `count` of them. */
  drop(count: number): void;
}

export interface PairsView {
  readonly length: number;
  first(index: number): number;
  second(index: number): number;
}

export function createPairs(): Pairs {
  let column: Column = new Uint16Array(0);
  let length = 0;
  const at = (index: number): number => valueAt(column, index);
  const lay = (of: (size: number) => Column, from: number) => {
    const next = of(2 * (length - from + ROOM));
    for (let i = 2 * from; i < 2 * length; i += 1) put(next, i - 2 * from, at(i));
    length -= from;
    column = next;
  };
  return {
    get length() {
      return length;
    },
    get bytes() {
      return OVERHEAD_BYTES + column.byteLength;
    },
    view: (from, to) => {
      // What is laid anew is another one, and in this one nothing is written but behind its end.
      const present = column;
      return {
        length: Math.min(to, length) - from,
        first: (index) => valueAt(present, 2 * (from + index)),
        second: (index) => valueAt(present, 2 * (from + index) + 1),
      };
    },
    add: (first, second) => {
      const needed = widest(columnFor(first), columnFor(second), kindOf(column));
      if (needed !== kindOf(column) || column.length < 2 * (length + 1)) lay(KINDS[needed], 0);
      put(column, 2 * length, first);
      put(column, 2 * length + 1, second);
      length += 1;
    },
    drop: (count) => lay(KINDS[kindOf(column)], count),
  };
}

function valueAt(column: Column, index: number): number {
  const value = column[index] ?? Number.NaN;
  return value === NOTHING && column instanceof Uint16Array ? Number.NaN : value;
}

const KINDS = [
  (size: number) => new Uint16Array(size),
  (size: number) => new Float32Array(size),
  (size: number) => new Float64Array(size),
] as const;
type Kind = 0 | 1 | 2;

function kindOf(column: Column): Kind {
  if (column instanceof Uint16Array) return 0;
  return column instanceof Float32Array ? 1 : 2;
}

/** The narrowest that holds this very number. */
function columnFor(value: number): Kind {
  if (Number.isNaN(value) || (Number.isInteger(value) && value >= 0 && value < NOTHING && !Object.is(value, -0)))
    return 0;
  return Object.is(Math.fround(value), value) ? 1 : 2;
}

function widest(...kinds: readonly Kind[]): Kind {
  return kinds.includes(2) ? 2 : kinds.includes(1) ? 1 : 0;
}

function put(column: Column, index: number, value: number): void {
  column[index] = Number.isNaN(value) && column instanceof Uint16Array ? NOTHING : value;
}
