import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Owner } from '../../src/sources/heads.ts';
import { Ledger } from '../../src/sources/ledger.ts';
import { bytesFor, Extent, fits, PADDING_BYTES, Packed, write } from '../../src/sources/packed.ts';

const number = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.integer({ min: 2900, max: 3100 }) },
  fc.integer({ min: 0, max: 70_000 }),
  fc.constantFrom(
    0,
    -0,
    Number.NaN,
    0.5,
    2 ** 24 - 2,
    2 ** 24,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53,
    1e300,
    Number.POSITIVE_INFINITY,
  ),
  fc.double(),
);
/** Mostly alike, as the windows of an arm are. */
const numbers = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }),
  fc.array(fc.integer({ min: 2900, max: 3100 }), { maxLength: 40 }),
  fc.array(fc.oneof({ weight: 5, arbitrary: fc.nat(60) }, fc.constant(Number.NaN)), { maxLength: 40 }),
  fc.array(number, { maxLength: 40 }),
);

function frameOf(values: readonly number[]) {
  const extent = new Extent();
  for (const value of values) extent.note(value);
  return extent.frame;
}

describe('packed numbers', () => {
  it('are what was written, to the bit, from any of them on', () => {
    fc.assert(
      fc.property(numbers, fc.nat(10), (values, from) => {
        const frame = frameOf(values);
        expect(values.every((value) => fits(value, frame))).toBe(true);
        const bytes = Buffer.alloc(bytesFor(values.length, frame.bits) + PADDING_BYTES);
        for (const [i, value] of values.entries()) write(bytes, i * frame.bits, frame, value);
        const read = new Packed(bytes, from * frame.bits, frame);
        for (let i = 0; i < values.length - from; i += 1) expect(read.at(i)).toBe(values[i + from]);
      }),
      { seed: 5, numRuns: 2000 },
    );
  });

  it('take no more bits than they differ by', () => {
    expect(frameOf([3000, 3000, 3000])).toEqual({ base: 3000, bits: 0 });
    expect(frameOf([3000, Number.NaN])).toEqual({ base: 3000, bits: 1 });
    expect(frameOf([2900, 3100]).bits).toBe(8);
    expect(frameOf([0, 30]).bits).toBe(5);
    expect(frameOf([0, 2 ** 24 - 2]).bits).toBe(24);
    expect(frameOf([0, 2 ** 24 - 1]).bits).toBe(64);
    expect(frameOf([1, 0.5]).bits).toBe(64);
  });

  it('leave room for a next one that is a little less or a little more', () => {
    const frame = frameOf([2950, 3050]);
    expect(fits(2940, frame) && fits(3060, frame)).toBe(true);
    expect(fits(2000, frame) || fits(4000, frame)).toBe(false);
    expect(fits(Number.NaN, frame)).toBe(true);
  });
});

type Pair = readonly [events: number, exposure: number];

/** The same as plainly as can be. */
interface Plain {
  readonly owner: Owner;
  start: number;
  newest: number;
  pairs: Pair[];
  edges: Pair[];
  isSettled: boolean;
  noGood: boolean;
}

const pairs = fc.array(fc.tuple(number, number), { maxLength: 20 });
const step = fc.record({
  arm: fc.nat(3),
  does: fc.constantFrom('open', 'put', 'put', 'put', 'put', 'drop', 'close', 'look', 'edge', 'newest', 'free'),
  pairs: fc.oneof(
    pairs,
    fc.array(fc.tuple(fc.integer({ min: 20, max: 40 }), fc.integer({ min: 2900, max: 3100 })), { maxLength: 20 }),
  ),
  count: fc.nat(20),
  number,
});

describe('a ledger of arms', () => {
  it('says of each what was put in, to the bit, whatever is done to the others; what was looked at stays as it was', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ledger = new Ledger();
        const arms = new Map<number, { arm: number; plain: Plain }>();
        const looked: { read: () => Pair[]; showed: Pair[] }[] = [];
        for (const one of steps) {
          const known = arms.get(one.arm);
          if (known === undefined) arms.set(one.arm, begin(ledger, one));
          else if (one.does === 'free') {
            ledger.close(known.arm);
            ledger.setState(known.arm, 'free', 0);
            arms.delete(one.arm);
          } else if (one.does === 'look') looked.push(look(ledger, known, one.count));
          else change(ledger, known, one);
          for (const each of arms.values()) expect(told(ledger, each.arm)).toEqual(each.plain);
          for (const { read, showed } of looked) expect(read()).toEqual(showed);
        }
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it('takes a handful of bytes for a window, and lets go of what was dropped', () => {
    const ledger = new Ledger();
    const arm = ledger.add({ template: 0, version: 1, role: 'past' }, 0);
    const frames = [
      { base: 0, bits: 6 },
      { base: 2900, bits: 8 },
    ] as const;
    const before = ledger.bytes;
    ledger.open(arm, { start: 0, selectors: 2, room: 1000, frames });
    // With room for 16 more.
    expect(ledger.bytes - before).toBe(22 + 762 + 1016);
    for (let i = 0; i < 1000; i += 1) ledger.put(arm, i % 50, 2950);
    ledger.drop(arm, 900);
    for (let i = 0; i < 17; i += 1) ledger.put(arm, 1, 2950);
    expect(ledger.length(arm)).toBe(117);
    expect(ledger.bytes - before).toBeLessThan(22 + 1.75 * 140);
  });
});

interface Step {
  readonly arm: number;
  readonly does: string;
  readonly pairs: readonly Pair[];
  readonly count: number;
  readonly number: number;
}

function begin(ledger: Ledger, { arm: k, count }: Step): { arm: number; plain: Plain } {
  const owner: Owner = { template: k, version: count, role: k % 2 === 0 ? 'stable' : 'candidate' };
  const arm = ledger.add(owner, 1_795_220_400_000 + count);
  const plain = { owner, start: 0, newest: 0, pairs: [], edges: [], isSettled: false, noGood: false };
  return { arm, plain };
}

function change(ledger: Ledger, { arm, plain }: { arm: number; plain: Plain }, { does, pairs, count, number }: Step) {
  if (does === 'open') {
    ledger.close(arm);
    const frames = [frameOf(pairs.map(([events]) => events)), frameOf(pairs.map(([, exposure]) => exposure))] as const;
    ledger.open(arm, { start: 59_840_000 + count, selectors: 2, room: pairs.length, frames });
    for (const [events, exposure] of pairs) ledger.put(arm, events, exposure);
    ledger.setState(arm, 'settled', 1_795_220_400_000 + plain.owner.version);
    ledger.mark(arm, 'noGood', count % 2 === 0);
    const start = 59_840_000 + count;
    const edges: Pair[] = [
      [0, 0],
      [0, 0],
    ];
    Object.assign(plain, { start, newest: start, pairs: [...pairs], edges, isSettled: true, noGood: count % 2 === 0 });
  } else if (does === 'close') {
    ledger.close(arm);
    Object.assign(plain, {
      pairs: [],
      edges: [],
      isSettled: false,
      start: ledger.start(arm),
      newest: ledger.newest(arm),
    });
  } else if (!plain.isSettled) return;
  else if (does === 'put') {
    for (const [events, exposure] of pairs) ledger.put(arm, events, exposure);
    plain.pairs.push(...pairs);
  } else if (does === 'drop') {
    const gone = Math.min(count, plain.pairs.length);
    ledger.drop(arm, gone);
    plain.pairs.splice(0, gone);
    plain.start += gone;
    plain.newest = Math.max(plain.newest, plain.start);
  } else if (does === 'edge') {
    ledger.setEdge(arm, count % 2, count, number);
    plain.edges[count % 2] = [count, number];
  } else if (does === 'newest') {
    ledger.noteNewest(arm, plain.start + count);
    plain.newest = Math.max(plain.newest, plain.start + count);
  }
}

function look(ledger: Ledger, { arm, plain }: { arm: number; plain: Plain }, count: number) {
  const from = Math.min(count, plain.pairs.length);
  const [events, exposure] = [ledger.column(arm, 'events', from), ledger.column(arm, 'exposure', from)];
  const showed = plain.pairs.slice(from);
  return { read: () => showed.map((_, i): Pair => [events.at(i), exposure.at(i)]), showed };
}

/** All that the ledger says of an arm. Of an edge it only says whether it is one. */
function told(ledger: Ledger, arm: number) {
  const length = ledger.length(arm);
  const [events, exposure] = [ledger.column(arm, 'events', 0), ledger.column(arm, 'exposure', 0)];
  return {
    owner: expect.toSatisfy((owner: Owner) => ledger.isOf(arm, owner) && ledger.hasVersion(owner.version)),
    start: ledger.start(arm),
    newest: ledger.newest(arm),
    pairs: Array.from({ length }, (_, i): Pair => [events.at(i), exposure.at(i)]),
    edges: expect.toSatisfy((edges: Pair[]) =>
      edges.every(([there, sum], k) => ledger.isEdge(arm, k, there, sum) !== Number.isNaN(sum)),
    ),
    isSettled: ledger.state(arm) === 'settled',
    noGood: ledger.is(arm, 'noGood'),
  };
}
