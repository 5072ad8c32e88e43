/** The head of an arm in the ledger: numbers at places of their own, the same in each. */

/** Where a number stands in a head, and how many bytes it takes. */
export interface Field {
  readonly at: number;
  readonly bytes: number;
}

export const HEAD = {
  template: { at: 0, bytes: 4 },
  version: { at: 4, bytes: 2 },
  role: { at: 6, bytes: 1 },
  state: { at: 7, bytes: 1 },
  flags: { at: 8, bytes: 1 },
  selectors: { at: 9, bytes: 1 },
  readAt: { at: 10, bytes: 6 },
  start: { at: 16, bytes: 6 },
  /** Behind the start. */
  newest: { at: 22, bytes: 3 },
  /** Where its row is; 0: nowhere yet. */
  row: { at: 25, bytes: 4 },
  /** Pairs of the row that were dropped, that are there, and that there is room for in all. */
  dropped: { at: 29, bytes: 3 },
  length: { at: 32, bytes: 3 },
  room: { at: 35, bytes: 3 },
  /** How events and exposure are written. */
  base: [
    { at: 38, bytes: 4 },
    { at: 42, bytes: 4 },
  ],
  bits: [
    { at: 46, bytes: 1 },
    { at: 47, bytes: 1 },
  ],
} as const satisfies Record<string, Field | readonly [Field, Field]>;
export const HEAD_BYTES = 48;
/** Their number has one byte. */
export const MOST_SELECTORS = 0xff;

export const ROLES = ['stable', 'past', 'candidate'] as const;
export type Role = (typeof ROLES)[number];

/** `free`: there is no arm, another may have its place. `other`: it is none that can be counted on from. */
export const STATES = ['free', 'unread', 'settled', 'other'] as const;
export type ArmState = (typeof STATES)[number];

/** What is true of an arm or is not. `busy`: it is being read; two who went on with one would count it twice. */
export const FLAG_BITS = { busy: 1, noGood: 2 } as const;
export type Flag = keyof typeof FLAG_BITS;

/** Whose an arm is, in numbers: of the template its own, of the version one that whoever keeps the arm can tell the name of. */
export interface Owner {
  readonly template: number;
  readonly version: number;
  readonly role: Role;
}

/** Dozens are read for each arm of each look: a loop takes half of what the buffer's own way takes. */
export function numberIn(cells: Buffer, arm: number, { at, bytes }: Field): number {
  const first = arm * HEAD_BYTES + at;
  let number = 0;
  for (let k = first + bytes - 1; k >= first; k -= 1) number = 256 * number + (cells[k] ?? 0);
  return number;
}

/** Throws where it does not fit. */
export function put(cells: Buffer, arm: number, { at, bytes }: Field, value: number): void {
  cells.writeUIntLE(value, arm * HEAD_BYTES + at, bytes);
}
