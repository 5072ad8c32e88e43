/**
 * Numbers in a row, in as few bits each as hold them to the bit. Whole ones are kept as what they are above a base, NaN as all bits
 * set, whatever does not fit that way as doubles. What stands in a row is never written again, only behind it: whoever looks at
 * numbers sees them as they were.
 */

/** What has come and what may come in bits, with a byte begun: no more than 31 bits are taken up at once. */
const MOST_BITS = 24;
const DOUBLE_BITS = 64;
const MOST_BASE = 0xff_ff_ff_ff;
/** So many bytes behind its last bit are read with a number. */
export const PADDING_BYTES = 3;

/** How a row's numbers are written. All that is written: eight of them take as many bytes as one takes bits. */
export interface Frame {
  readonly base: number;
  /** Of a number; 0: all are the base. */
  readonly bits: number;
}

export function bytesFor(numbers: number, bits: number): number {
  return Math.ceil((numbers * bits) / 8);
}

/** Which numbers there are to be written. */
export class Extent {
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  #hasNone = false;
  #isWhole = true;

  note(value: number): void {
    if (Number.isNaN(value)) this.#hasNone = true;
    else if (!isCount(value)) this.#isWhole = false;
    else {
      this.#least = Math.min(this.#least, value);
      this.#most = Math.max(this.#most, value);
    }
  }

  /** The narrowest, with as much room below as above: the next number is about as likely to be less as to be more. */
  get frame(): Frame {
    const least = Number.isFinite(this.#least) ? this.#least : 0;
    const range = Math.max(this.#most, least) - least;
    let bits = range === 0 && !this.#hasNone ? 0 : 1;
    while (range > mostAbove(bits) && bits <= MOST_BITS) bits += 1;
    if (!this.#isWhole || bits > MOST_BITS) return { base: 0, bits: DOUBLE_BITS };
    const base = Math.max(0, least - Math.floor((mostAbove(bits) - range) / 2));
    return base > MOST_BASE ? { base: 0, bits: DOUBLE_BITS } : { base, bits };
  }
}

/** Whether it can be written so. */
export function fits(value: number, { base, bits }: Frame): boolean {
  if (bits === DOUBLE_BITS) return true;
  if (Number.isNaN(value)) return bits > 0;
  return isCount(value) && value >= base && value - base <= mostAbove(bits);
}

/** Writes a number where nothing has been written. */
export function write(bytes: Buffer, bitAt: number, { base, bits }: Frame, value: number): void {
  let at = bitAt >>> 3;
  if (bits === DOUBLE_BITS) {
    bytes.writeDoubleLE(value, at);
    return;
  }
  const above = Number.isNaN(value) ? mostAbove(bits) + 1 : value - base;
  for (let rest = above << (bitAt & 7); rest !== 0; rest >>>= 8) {
    bytes[at] = (bytes[at] ?? 0) | (rest & 0xff);
    at += 1;
  }
}

/** A row from one of its numbers on. */
export class Packed {
  readonly #bytes: Buffer;
  readonly #bitAt: number;
  readonly #base: number;
  readonly #bits: number;

  constructor(bytes: Buffer, bitAt: number, { base, bits }: Frame) {
    this.#bytes = bytes;
    this.#bitAt = bitAt;
    this.#base = base;
    this.#bits = bits;
  }

  at(index: number): number {
    const bytes = this.#bytes;
    const bits = this.#bits;
    const bitAt = this.#bitAt + index * bits;
    const at = bitAt >>> 3;
    if (bits === DOUBLE_BITS) return bytes.readDoubleLE(at);
    const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    const high = (bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8);
    const mask = (1 << bits) - 1;
    const above = ((low | (high << 16)) >>> (bitAt & 7)) & mask;
    return above === mask && bits > 0 ? Number.NaN : this.#base + above;
  }
}

/** All bits set say NaN. */
function mostAbove(bits: number): number {
  return bits === 0 ? 0 : (1 << bits) - 2;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
}
