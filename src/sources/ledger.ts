/**
 * Pairs of numbers, many rows of them in one array, in as few bytes as hold them to the bit: events and exposure of the windows of all
 * arms of a rollout. An array for each would take as much for itself as for what is in it.
 */

type Cells = Uint16Array | Float32Array | Float64Array;

/** Of the counts that fit into two bytes the largest is given up to say NaN. */
const NOTHING = 0xff_ff;
/** Room for as many pairs more, in each row that grows, when all are laid anew. */
const ROOM = 16;
/** Of a typed array itself, with its buffer. */
const OVERHEAD_BYTES = 260;

/** Where a row's pairs are. The ledger's own: nobody else changes it. */
export interface Row {
  at: number;
  /** Pairs in it. */
  length: number;
  /** Pairs there is room for. */
  room: number;
  /** It was added to when it was full, and will be again. */
  grows: boolean;
}

/** Pairs as they were when they were looked at, whatever is added or dropped later. */
export interface PairsView {
  readonly length: number;
  first(index: number): number;
  second(index: number): number;
}

export class Ledger {
  #kind: Kind = 0;
  #cells: Cells = new Uint16Array(0);
  readonly #rows: Row[] = [];

  get bytes(): number {
    return OVERHEAD_BYTES + this.#cells.byteLength;
  }

  /** Begins a row for so many pairs. */
  open(row: Row, pairs: number): void {
    row.length = 0;
    row.room = pairs;
    row.grows = false;
    this.#rows.push(row);
    this.#lay(this.#kind);
  }

  /** Its room is used for others once they are laid anew. */
  close(row: Row): void {
    const index = this.#rows.indexOf(row);
    if (index >= 0) this.#rows.splice(index, 1);
  }

  add(row: Row, first: number, second: number): void {
    const kind = widest(kindFor(first), kindFor(second));
    row.grows ||= row.length === row.room;
    if (kind > this.#kind || row.length === row.room) this.#lay(widest(kind, this.#kind));
    this.#put(2 * (row.at + row.length), first);
    this.#put(2 * (row.at + row.length) + 1, second);
    row.length += 1;
  }

  /** Without the first `count` of them. */
  drop(row: Row, count: number): void {
    row.at += count;
    row.length -= count;
    row.room -= count;
  }

  /** Those in [from, to), as far as there are. */
  view(row: Row, from: number, to: number): PairsView {
    return new View(this.#cells, row.at + from, Math.min(to, row.length) - from);
  }

  /** What was laid before stays as it is: somebody may look at it. In what is laid nothing is written but behind a row's end. */
  #lay(kind: Kind): void {
    const before = this.#cells;
    let pairs = 0;
    for (const row of this.#rows) {
      if (row.grows) row.room = row.length + ROOM;
      pairs += row.room;
    }
    this.#kind = kind;
    this.#cells = KINDS[kind](2 * pairs);
    let at = 0;
    for (const row of this.#rows) {
      for (let i = 0; i < 2 * row.length; i += 1) this.#put(2 * at + i, valueAt(before, 2 * row.at + i));
      row.at = at;
      at += row.room;
    }
  }

  #put(index: number, value: number): void {
    this.#cells[index] = this.#kind === 0 && Number.isNaN(value) ? NOTHING : value;
  }
}

class View implements PairsView {
  readonly #cells: Cells;
  readonly #at: number;
  readonly length: number;

  constructor(cells: Cells, at: number, length: number) {
    this.#cells = cells;
    this.#at = at;
    this.length = length;
  }

  first(index: number): number {
    return valueAt(this.#cells, 2 * (this.#at + index));
  }

  second(index: number): number {
    return valueAt(this.#cells, 2 * (this.#at + index) + 1);
  }
}

function valueAt(cells: Cells, index: number): number {
  if (!(cells instanceof Uint16Array)) return cells[index] ?? Number.NaN;
  // Apart, so that small counts stay small integers.
  const count = cells[index] ?? NOTHING;
  return count === NOTHING ? Number.NaN : count;
}

const KINDS = [
  (size: number) => new Uint16Array(size),
  (size: number) => new Float32Array(size),
  (size: number) => new Float64Array(size),
] as const;
type Kind = 0 | 1 | 2;

/** The narrowest that holds this very number. */
function kindFor(value: number): Kind {
  if (Number.isNaN(value)) return 0;
  if (Number.isInteger(value) && value >= 0 && value < NOTHING && !Object.is(value, -0)) return 0;
  return Object.is(Math.fround(value), value) ? 1 : 2;
}

function widest(a: Kind, b: Kind): Kind {
  return a > b ? a : b;
}
