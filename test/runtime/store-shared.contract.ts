import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { initialState } from '../../src/domain/initial.ts';
import type { Job, Store, StoredState } from '../../src/ports/store.ts';
import { enqueue, event, newJob, service, t0 } from './support.ts';

/** What every store has to do for those who share it, and with whatever is put into it. `open` gives an empty one. */
export function sharedStoreContract(name: string, open: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    it('takes one of many copies of an event that come in one instant', async () => {
      const copies = Array.from({ length: 20 }, () => store.transaction((unit) => unit.insertEvent(event('e1'))));
      expect((await Promise.all(copies)).filter((isFirst) => isFirst)).toHaveLength(1);
    });

    it('tells keys of any length apart', async () => {
      const long = 'x'.repeat(10_000);
      const insert = (key: string) => store.transaction((unit) => unit.insertEvent(event(key)));
      expect(await insert(`${long}a`)).toBe(true);
      expect(await insert(`${long}b`)).toBe(true);
      expect(await insert(`${long}a`)).toBe(false);
    });

    it('gives back big states and strange characters as they were', async () => {
      const strange = 'Ünïcode 🚀 "quoted" \\ \u0000 \u2028 \ud800 end';
      const reason = `${strange}${'0123456789'.repeat(300_000)}`;
      const by = { kind: 'person', id: 'U1', name: strange } as const;
      const state = { ...initialState(service, t0), freeze: { by, atMs: t0, reason, untilMs: null } };
      await store.transaction((unit) => unit.save(state as never, 0));
      expect(await store.load(service)).toEqual({ state: JSON.parse(JSON.stringify(state)), version: 1 });
    });

    it('takes alerts with characters that no text of a database has', async () => {
      const alert = {
        fingerprint: 'f\u0000',
        name: 'a\u0000b',
        summary: '\u0000',
        labels: { alertname: 'a\u0000b' },
        status: 'firing',
        severity: 'warning',
        startsAtMs: t0,
        endsAtMs: null,
        url: null,
      } as const;
      await store.unmatched.note([alert as never], t0);
      await store.unmatched.note([alert as never], t0 + 1);
      const [noted] = await store.unmatched.list(9);
      expect(noted).toMatchObject({ count: 2, labels: { alertname: 'a\u0000b' } });
    });

    it('never lets two of a lane run at a time, nor one twice, however many claim at once', async () => {
      const jobs = Array.from({ length: 120 }, (_, n) =>
        newJob({ key: `k${n}`, lane: `lane${n % 6}`, priority: n % 3 }),
      );
      await enqueue(store, ...jobs);
      const running = new Map<string, number>();
      const done: number[] = [];
      const work = async (owner: string): Promise<void> => {
        while (done.length < jobs.length) {
          const claimed = await store.jobs.claim({ owner, nowMs: t0, leaseMs: 30_000, limit: 4 });
          for (const job of claimed) begin(job);
          await Promise.all(claimed.map((job) => end(job)));
        }
      };
      const begin = ({ lane, id }: Job) => {
        expect(running.get(lane ?? '')).toBeUndefined();
        running.set(lane ?? '', id);
      };
      const end = async (job: Job): Promise<void> => {
        await store.jobs.extend(job.lease, t0 + 60_000);
        running.delete(job.lane ?? '');
        done.push(job.id);
        expect(await store.jobs.complete(job.lease)).toBe(true);
      };
      await Promise.all(['a', 'b', 'c', 'd'].map(work));
      expect(new Set(done).size).toBe(jobs.length);
      expect(await store.jobs.pending()).toBe(0);
    });

    it('leaves alone what a newer Lastgood made for itself', async () => {
      await enqueue(store, newJob({ key: 'strange', effect: { kind: 'teleport' } as never }));
      const newer = { ...initialState('newer', t0), schema: 2 };
      await store.transaction(async (unit) => {
        await unit.save(newer as never, 0);
        await unit.enqueue(newJob({ service: 'newer', key: 'theirs' }));
      });
      await enqueue(store, newJob({ key: 'ours' }));
      const claimed = await store.jobs.claim({ owner: 'a', nowMs: t0, leaseMs: 30_000, limit: 9 });
      expect(claimed.map(({ key }) => key)).toEqual(['ours']);
      await store.jobs.complete(claimed[0]!.lease);
      expect(await store.jobs.nextDueMs()).toBeNull();
      expect(await store.jobs.pending()).toBe(2);
    });

    it('gives a duty to one, until its lease is over or it is let go', async () => {
      const hold = (owner: string, nowMs: number) => store.duties.hold('tell', { owner, nowMs, leaseMs: 10_000 });
      const asked = await Promise.all(['a', 'b', 'c'].map((owner) => hold(owner, t0)));
      expect(asked.filter((isHeld) => isHeld)).toHaveLength(1);
      const holder = ['a', 'b', 'c'][asked.indexOf(true)] ?? '';
      const other = holder === 'a' ? 'b' : 'a';
      expect(await hold(holder, t0 + 9_000)).toBe(true);
      expect(await hold(other, t0 + 18_999)).toBe(false);
      expect(await hold(other, t0 + 19_000)).toBe(true);
      expect(await hold(holder, t0 + 19_001)).toBe(false);
      await store.duties.release('tell', holder);
      expect(await hold(holder, t0 + 19_002)).toBe(false);
      await store.duties.release('tell', other);
      expect(await hold(holder, t0 + 19_003)).toBe(true);
      expect(await store.duties.hold('ask', { owner: other, nowMs: t0, leaseMs: 1 })).toBe(true);
    });

    it('names the duties whose holders let them run out, until somebody has taken and ended them', async () => {
      const hold = (duty: string, owner: string, nowMs: number) =>
        store.duties.hold(duty, { owner, nowMs, leaseMs: 10_000 });
      await hold('page/a', 'a', t0);
      await hold('page/b', 'b', t0 + 5_000);
      await hold('tell', 'a', t0);
      expect(await store.duties.lapsed('page/', t0 + 9_999)).toEqual([]);
      expect(await store.duties.lapsed('page/', t0 + 10_000)).toEqual(['page/a']);
      const taken = await Promise.all(['c', 'd'].map((owner) => hold('page/a', owner, t0 + 10_000)));
      expect(taken.filter((isHeld) => isHeld)).toHaveLength(1);
      expect(await store.duties.lapsed('page/', t0 + 10_000)).toEqual([]);
      await store.duties.release('page/a', taken[0] ? 'c' : 'd');
      expect(await store.duties.lapsed('page/', t0 + 60_000)).toEqual(['page/b']);
    });

    it('tells the states that are not at the version that is known, and names the others', async () => {
      const states = ['a', 'b', 'c'].map((name) => initialState(name, t0));
      for (const state of states) await store.transaction((unit) => unit.save(state, 0));
      const told: StoredState[] = [];
      const tell = (stored: StoredState) => told.push(stored);
      expect(await store.changes(() => null, tell)).toEqual([]);
      expect(told.splice(0).toSorted(byService)).toEqual(states.map((state) => ({ state, version: 1 })));
      const [a] = states;
      if (!a) throw new Error('There is none.');
      await store.transaction((unit) => unit.save({ ...a, clockMs: t0 + 1 }, 1));
      const known = new Map([
        ['a', 1],
        ['b', 1],
      ]);
      expect(await store.changes((name) => known.get(name) ?? null, tell)).toEqual(['b']);
      told.sort(byService);
      expect(told.map(({ state, version }) => [state.service, state.clockMs - t0, version])).toEqual([
        ['a', 1, 2],
        ['c', 0, 1],
      ]);
    });

    it('settles on one name, whoever asks', async () => {
      const { settings } = store;
      expect(await settings.get('instance')).toBeNull();
      const names = await Promise.all(['a', 'b', 'c'].map((name) => settings.settle('instance', name)));
      expect(new Set(names).size).toBe(1);
      expect(await settings.get('instance')).toBe(names[0]);
      await settings.set('instance', 'other');
      expect(await settings.get('instance')).toBe('other');
    });
  });
}

function byService(a: StoredState, b: StoredState): number {
  return a.state.service < b.state.service ? -1 : 1;
}
