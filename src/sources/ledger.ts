import {
  type ArmState,
  type Field,
  FLAG_BITS,
  type Flag,
  HEAD,
  HEAD_BYTES,
  numberIn,
  type Owner,
  put,
  ROLES,
  STATES,
} from './heads.ts';
import { bytesFor, Extent, type Frame, fits, PADDING_BYTES, Packed, write } from './packed.ts';

/**
 * What is kept of the arms of one service, all in one array: first a head for each arm, of the same length, then a row for each that
 * has windows. With an object for each arm, and an array for each of its columns, thousands of services would take three times as much.
 *
 * A row is where its windows end, selector by selector, then events, then exposure. Of the latter two nothing is written but behind
 * their end, and when all are laid anew the array before stays as it is: somebody may look at it.
 */

/** Of one selector, where the windows end: how many series have a value there, and its sum. */
const EDGE_BYTES = 11;
const SUM_AT = 3;

/** Room for as many pairs more, in a row that is begun, and in those that are full but for so many when all are laid anew. */
const MORE_ROOM = 16;
const NEARLY_FULL = 1;
/** Rows are cut where whole bytes end. */
const CUT = 8;
/** Of a buffer itself: measured. */
const OVERHEAD_BYTES = 260;

/** Of events and of exposure. */
export type Frames = readonly [Frame, Frame];

export interface NewRow {
  readonly start: number;
  readonly selectors: number;
  /** So many pairs are there to be put into it. */
  readonly room: number;
  readonly frames: Frames;
}

/** Arms are called by their number. Moments are points of the grid: whole windows since 1970. */
export class Ledger {
  #cells = Buffer.alloc(0);
  #arms = 0;

  /** What it takes. */
  get bytes(): number {
    return OVERHEAD_BYTES + this.#cells.length;
  }

  /** Numbers of arms are below this. */
  get arms(): number {
    return this.#arms;
  }

  /** A new arm's number. */
  add(owner: Owner, readAtMs: number): number {
    let arm = 0;
    while (arm < this.#arms && this.state(arm) !== 'free') arm += 1;
    if (arm === this.#arms) this.#lay(this.#arms + 1);
    this.#cells.fill(0, arm * HEAD_BYTES, (arm + 1) * HEAD_BYTES);
    this.#set(arm, HEAD.template, owner.template);
    this.#set(arm, HEAD.version, owner.version);
    this.#set(arm, HEAD.role, ROLES.indexOf(owner.role));
    this.setState(arm, 'unread', readAtMs);
    return arm;
  }

  isOf(arm: number, { template, version, role }: Owner): boolean {
    return (
      this.#get(arm, HEAD.template) === template &&
      this.#get(arm, HEAD.version) === version &&
      ROLES[this.#get(arm, HEAD.role)] === role &&
      this.state(arm) !== 'free'
    );
  }

  /** Whether there is an arm of this version. */
  hasVersion(version: number): boolean {
    for (let arm = 0; arm < this.#arms; arm += 1) {
      if (this.#get(arm, HEAD.version) === version && this.state(arm) !== 'free') return true;
    }
    return false;
  }

  state(arm: number): ArmState {
    return STATES[this.#get(arm, HEAD.state)] ?? 'free';
  }

  setState(arm: number, state: ArmState, readAtMs: number): void {
    this.#set(arm, HEAD.state, STATES.indexOf(state));
    this.#set(arm, HEAD.readAt, readAtMs);
  }

  readAtMs(arm: number): number {
    return this.#get(arm, HEAD.readAt);
  }

  is(arm: number, flag: Flag): boolean {
    return (this.#get(arm, HEAD.flags) & FLAG_BITS[flag]) !== 0;
  }

  mark(arm: number, flag: Flag, isSo: boolean): void {
    const others = this.#get(arm, HEAD.flags) & ~FLAG_BITS[flag];
    this.#set(arm, HEAD.flags, isSo ? others | FLAG_BITS[flag] : others);
  }

  /** The point before the first window. */
  start(arm: number): number {
    return this.#get(arm, HEAD.start);
  }

  length(arm: number): number {
    return this.#get(arm, HEAD.length);
  }

  /** The point at which the windows end. */
  end(arm: number): number {
    return this.start(arm) + this.length(arm);
  }

  /** The last point at which a series appeared that had not been there; the start, where that was before it. */
  newest(arm: number): number {
    return this.start(arm) + this.#get(arm, HEAD.newest);
  }

  noteNewest(arm: number, point: number): void {
    if (point > this.newest(arm)) this.#set(arm, HEAD.newest, point - this.start(arm));
  }

  /** Begins a row, of an arm that has none. */
  open(arm: number, { start, selectors, room, frames }: NewRow): void {
    this.#set(arm, HEAD.newest, 0);
    this.#set(arm, HEAD.start, start);
    this.#set(arm, HEAD.selectors, selectors);
    this.#set(arm, HEAD.room, room + MORE_ROOM);
    this.#lay(this.#arms, { arm, frames });
  }

  /** Keeps nothing of what was read. Its room is used for others once they are laid anew. */
  close(arm: number): void {
    for (const field of [HEAD.row, HEAD.dropped, HEAD.length, HEAD.room, HEAD.selectors]) this.#set(arm, field, 0);
    this.#set(arm, HEAD.state, STATES.indexOf('unread'));
  }

  /** Adds a pair of events and exposure. */
  put(arm: number, events: number, exposure: number): void {
    const length = this.length(arm);
    const isFull = this.#get(arm, HEAD.dropped) + length === this.#get(arm, HEAD.room);
    let frames = this.#frames(arm);
    if (!fits(events, frames[0]) || !fits(exposure, frames[1])) {
      frames = [this.#frameWith(arm, 0, events), this.#frameWith(arm, 1, exposure)];
      this.#lay(this.#arms, { arm, frames });
    } else if (isFull) this.#lay(this.#arms);
    const index = this.#get(arm, HEAD.dropped) + length;
    write(this.#cells, 8 * this.#columnAt(arm, 0) + index * frames[0].bits, frames[0], events);
    write(this.#cells, 8 * this.#columnAt(arm, 1) + index * frames[1].bits, frames[1], exposure);
    this.#set(arm, HEAD.length, length + 1);
  }

  /** Without the first `count` pairs, which moves the start. */
  drop(arm: number, count: number): void {
    this.#set(arm, HEAD.newest, Math.max(0, this.#get(arm, HEAD.newest) - count));
    this.#set(arm, HEAD.start, this.start(arm) + count);
    this.#set(arm, HEAD.dropped, this.#get(arm, HEAD.dropped) + count);
    this.#set(arm, HEAD.length, this.length(arm) - count);
  }

  /** From a window on, as they are now, whatever is added or dropped later. */
  column(arm: number, of: 'events' | 'exposure', from: number): Packed {
    return this.#column(arm, of === 'events' ? 0 : 1, from);
  }

  #column(arm: number, column: 0 | 1, from: number): Packed {
    const frame = this.#frame(arm, column);
    const bitAt = 8 * this.#columnAt(arm, column) + (this.#get(arm, HEAD.dropped) + from) * frame.bits;
    return new Packed(this.#cells, bitAt, frame);
  }

  /** Whether a selector's series are the same where the windows end. */
  isEdge(arm: number, selector: number, there: number, sum: number): boolean {
    if (selector >= this.#get(arm, HEAD.selectors)) return false;
    const at = this.#get(arm, HEAD.row) + EDGE_BYTES * selector;
    return this.#cells.readUIntLE(at, SUM_AT) === there && this.#cells.readDoubleLE(at + SUM_AT) === sum;
  }

  setEdge(arm: number, selector: number, there: number, sum: number): void {
    const at = this.#get(arm, HEAD.row) + EDGE_BYTES * selector;
    this.#cells.writeUIntLE(there, at, SUM_AT);
    this.#cells.writeDoubleLE(sum, at + SUM_AT);
  }

  /** One that holds what is there and another number. */
  #frameWith(arm: number, column: 0 | 1, value: number): Frame {
    const frame = this.#frame(arm, column);
    if (fits(value, frame)) return frame;
    const [numbers, extent] = [this.#column(arm, column, 0), new Extent()];
    for (let i = 0; i < this.length(arm); i += 1) extent.note(numbers.at(i));
    extent.note(value);
    return extent.frame;
  }

  /** Lays all anew, with heads for so many arms, and perhaps the pairs of one of them in other frames. */
  #lay(arms: number, change: { readonly arm: number; readonly frames: Frames } | null = null): void {
    let size = arms * HEAD_BYTES + PADDING_BYTES;
    for (let arm = 0; arm < this.#arms; arm += 1) {
      const [events, exposure] = arm === change?.arm ? change.frames : [null, null];
      const room = this.#roomLaid(arm);
      size += EDGE_BYTES * this.#get(arm, HEAD.selectors);
      size += bytesFor(room, events?.bits ?? this.#get(arm, HEAD.bits[0]));
      size += bytesFor(room, exposure?.bits ?? this.#get(arm, HEAD.bits[1]));
    }
    const cells = Buffer.alloc(size);
    this.#cells.copy(cells, 0, 0, this.#arms * HEAD_BYTES);
    let at = arms * HEAD_BYTES;
    for (let arm = 0; arm < this.#arms; arm += 1) {
      if (this.#get(arm, HEAD.selectors) > 0)
        at = this.#layRow(arm, cells, at, arm === change?.arm ? change.frames : null);
    }
    this.#cells = cells;
    this.#arms = arms;
  }

  /** Lays an arm's row at a place of other cells; answers where it ends. */
  #layRow(arm: number, cells: Buffer, rowAt: number, frames: Frames | null): number {
    const [room, cut] = [this.#roomLaid(arm), this.#cut(arm)];
    const edges = EDGE_BYTES * this.#get(arm, HEAD.selectors);
    const from = this.#get(arm, HEAD.row);
    if (from > 0) this.#cells.copy(cells, rowAt, from, from + edges);
    let at = rowAt + edges;
    for (const column of [0, 1] as const) {
      const frame = frames?.[column] ?? null;
      if (frame === null) this.#copyColumn(arm, column, cells, at);
      else this.#rewriteColumn(arm, column, cells, at, frame);
      at += bytesFor(room, frame?.bits ?? this.#get(arm, HEAD.bits[column]));
    }
    put(cells, arm, HEAD.row, rowAt);
    put(cells, arm, HEAD.room, room);
    put(cells, arm, HEAD.dropped, this.#get(arm, HEAD.dropped) - cut);
    return at;
  }

  #copyColumn(arm: number, column: 0 | 1, cells: Buffer, at: number): void {
    const bits = this.#get(arm, HEAD.bits[column]);
    const from = this.#columnAt(arm, column);
    const until = this.#get(arm, HEAD.dropped) + this.length(arm);
    this.#cells.copy(cells, at, from + bytesFor(this.#cut(arm), bits), from + bytesFor(until, bits));
  }

  #rewriteColumn(arm: number, column: 0 | 1, cells: Buffer, at: number, frame: Frame): void {
    const numbers = this.#column(arm, column, 0);
    const first = this.#get(arm, HEAD.dropped) - this.#cut(arm);
    for (let i = 0; i < this.length(arm); i += 1) {
      write(cells, 8 * at + (first + i) * frame.bits, frame, numbers.at(i));
    }
    put(cells, arm, HEAD.base[column], frame.base);
    put(cells, arm, HEAD.bits[column], frame.bits);
  }

  /** Dropped pairs that need no place once all are laid anew. */
  #cut(arm: number): number {
    const dropped = this.#get(arm, HEAD.dropped);
    return dropped - (dropped % CUT);
  }

  /** Those that are as good as full get more: rows of one look grow together. */
  #roomLaid(arm: number): number {
    const room = this.#get(arm, HEAD.room);
    const filled = this.#get(arm, HEAD.dropped) + this.length(arm);
    return (room > 0 && room - filled <= NEARLY_FULL ? filled + MORE_ROOM : room) - this.#cut(arm);
  }

  #get(arm: number, field: Field): number {
    return numberIn(this.#cells, arm, field);
  }

  #set(arm: number, field: Field, value: number): void {
    put(this.#cells, arm, field, value);
  }

  #frame(arm: number, column: 0 | 1): Frame {
    return { base: this.#get(arm, HEAD.base[column]), bits: this.#get(arm, HEAD.bits[column]) };
  }

  #frames(arm: number): Frames {
    return [this.#frame(arm, 0), this.#frame(arm, 1)];
  }

  #columnAt(arm: number, column: 0 | 1): number {
    const events = this.#get(arm, HEAD.row) + EDGE_BYTES * this.#get(arm, HEAD.selectors);
    return column === 0 ? events : events + bytesFor(this.#get(arm, HEAD.room), this.#get(arm, HEAD.bits[0]));
  }
}
