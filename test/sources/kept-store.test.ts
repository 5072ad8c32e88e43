import { describe, expect, it } from 'vitest';
import { type ArmName, KeptStore } from '../../src/sources/kept-store.ts';
import { SettledArm } from '../../src/sources/settled.ts';

const MINUTE_MS = 60_000;
const template: ArmName['template'] = { queries: () => [] };
const stable: ArmName = { template, role: 'stable', version: 'v1' };

function setUp(mostBytes = 1e6) {
  const clock = { nowMs: 0 };
  const store = new KeptStore(() => clock.nowMs, mostBytes);
  /** A service with one arm of so many windows. */
  const keep = (service: string, windows = 10, name = stable) => {
    const kept = store.of(service, 30_000);
    const arm = store.arm(kept, name);
    const settled = new SettledArm(0, false);
    kept.ledger.open(settled, windows);
    for (let i = 0; i < windows; i += 1) kept.ledger.add(settled, i, i);
    store.keep(kept, arm, settled);
    return kept;
  };
  const isThere = (service: string, name = stable) => store.arm(store.of(service, 30_000), name).settled !== null;
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
    expect(isThere('ranker', { ...stable, template: { queries: () => [] } })).toBe(false);
    expect(store.arm(store.of('ranker', 60_000), stable).settled).toBe(null);
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
    expect(kept.arms.length).toBeLessThanOrEqual(3);
    expect(kept.ledger.bytes).toBeLessThan(600);
    expect(store.of('ranker', 30_000)).toBe(kept);
  });

  it('is no more than there is room for; what is in use is not given up for something new', () => {
    const { clock, store, keep, isThere } = setUp(5000);
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
    expect(two.weight).toBeGreaterThan(few + 200);
    // Counts that need more than two bytes take more, all of them.
    const [arm] = two.arms;
    if (arm?.settled instanceof SettledArm) two.ledger.add(arm.settled, 0.1, 1);
    expect(two.weight).toBeGreaterThan(few + 200 + 20 * 16);
  });
});
