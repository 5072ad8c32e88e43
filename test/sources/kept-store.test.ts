import { describe, expect, it } from 'vitest';
import { type ArmName, KeptStore } from '../../src/sources/kept-store.ts';

const MINUTE_MS = 60_000;
const template: ArmName['template'] = { number: 1, queries: () => [] };
const stable: ArmName = { template, role: 'stable', version: 'v1' };

function setUp(mostBytes = 1e6) {
  const clock = { nowMs: 0 };
  const store = new KeptStore(() => clock.nowMs, mostBytes);
  /** A service with one arm of so many windows. */
  const keep = (service: string, windows = 10, name = stable) => {
    const kept = store.of(service, 30_000);
    const arm = store.arm(kept, name);
    kept.forget(arm);
    const frame = { base: 0, bits: 16 };
    kept.open(arm, { start: 0, selectors: 2, room: windows, frames: [frame, frame] });
    for (let i = 0; i < windows; i += 1) kept.put(arm, i, i);
    store.keep(kept, arm, 'settled');
    return kept;
  };
  const isThere = (service: string, name = stable) => {
    const kept = store.of(service, 30_000);
    return kept.state(store.arm(kept, name)) === 'settled';
  };
  return { clock, store, keep, isThere };
}

describe('what is kept of arms', () => {
  it('is of one service, version and role, in windows of one length', () => {
    const { store, keep, isThere } = setUp();
    keep('ranker');
    expect(isThere('ranker')).toBe(true);
    expect(isThere('search')).toBe(false);
    expect(isThere('ranker', { ...stable, version: 'v2' })).toBe(false);
    expect(isThere('ranker', { ...stable, role: 'past' })).toBe(false);
    expect(isThere('ranker', { ...stable, template: { ...template, number: 2 } })).toBe(false);
    const other = store.of('ranker', 60_000);
    expect(other.state(store.arm(other, stable))).toBe('unread');
  });

  it('is read anew after ten minutes, and no sooner', () => {
    const { clock, keep, isThere } = setUp();
    keep('ranker');
    clock.nowMs += 10 * MINUTE_MS - 1;
    expect(isThere('ranker')).toBe(true);
    clock.nowMs += 1;
    expect(isThere('ranker')).toBe(false);
  });

  it('goes where nobody asks for the version any more', () => {
    const { clock, store, keep } = setUp();
    const kept = keep('ranker');
    for (let version = 2; version < 30; version += 1) {
      clock.nowMs += 5 * MINUTE_MS;
      keep('ranker', 10, { ...stable, version: `v${version}` });
    }
    expect(kept.arms).toBeLessThanOrEqual(3);
    expect(kept.bytes).toBeLessThan(700);
    expect(store.of('ranker', 30_000)).toBe(kept);
  });

  it('is no more than there is room for; what is in use is not given up for something new', () => {
    const { clock, store, keep, isThere } = setUp(4500);
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    for (const name of names) keep(name);
    const there = names.filter((name) => isThere(name));
    expect(there.length).toBeGreaterThan(2);
    expect(there.length).toBeLessThan(6);
    expect(there).toEqual(names.slice(0, there.length));
    // Unused for long, they make room for what is new.
    clock.nowMs += 3 * MINUTE_MS;
    keep('new');
    expect(isThere('new')).toBe(true);
    expect(isThere('a')).toBe(false);
    // One that has outgrown the room goes.
    const grown = keep('new', 3000);
    expect(store.isKept(grown)).toBe(false);
    expect(isThere('new')).toBe(false);
  });

  it('takes what its numbers take, and that of each arm', () => {
    const { keep } = setUp();
    const [few, many] = [keep('a', 10).weight, keep('b', 1010).weight];
    expect(many - few).toBe(4000);
    const two = keep('a', 10, { ...stable, role: 'past' });
    const weight = two.weight;
    expect(weight).toBeGreaterThan(few + 80);
    // One count that is not whole makes those of its row take eight bytes each.
    two.put(two.find({ ...stable, role: 'past' }), 0.1, 1);
    expect(two.weight).toBeGreaterThan(weight + 10 * 6);
    // What only few arms have.
    two.noteGhosts(0, [{ labels: { pod: 'a' }, value: 1, selector: 0 }]);
    expect(two.weight).toBeGreaterThan(weight + 10 * 6 + 500);
    two.forget(0);
    expect(two.ghosts(0)).toEqual([]);
  });
});
