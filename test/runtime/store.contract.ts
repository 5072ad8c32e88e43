import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Effect, JournalEntry } from '../../src/domain/effect.ts';
import { initialState } from '../../src/domain/initial.ts';
import type { Alert } from '../../src/domain/state.ts';
import { type Job, type Places, type PutBack, type Store, StoreConflict } from '../../src/ports/store.ts';
import { enqueue, event, newJob, service, t0 } from './support.ts';

/** What every store has to do, whatever database is below it. `open` gives an empty one. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());
    const claim = (nowMs = t0, owner = 'a', limit = 10) => store.jobs.claim({ owner, nowMs, leaseMs: 30_000, limit });
    const one = async (nowMs?: number, owner?: string): Promise<Job> => {
      const [job] = await claim(nowMs, owner);
      if (!job) throw new Error('nothing could be claimed');
      return job;
    };
    const again = (dueAtMs: number) => ({ dueAtMs, problem: null, progress: null });

    describe('units', () => {
      it('commits everything or nothing', async () => {
        const state = initialState(service, t0);
        await expect(
          store.transaction(async (unit) => {
            await unit.insertEvent(event('e1'));
            await unit.save(state, 0);
            await unit.append(service, [entry('one')]);
            await unit.enqueue(newJob());
            throw new Error('lost power');
          }),
        ).rejects.toThrow('lost power');
        expect(await store.load(service)).toBeNull();
        expect(await store.jobs.pending()).toBe(0);
        expect(await store.journal({ service, limit: 9 })).toEqual([]);
        expect(await store.transaction((unit) => unit.insertEvent(event('e1')))).toBe(true);
      });

      it('knows an event it had before', async () => {
        expect(await store.transaction((unit) => unit.insertEvent(event('e1')))).toBe(true);
        expect(await store.transaction((unit) => unit.insertEvent(event('e1')))).toBe(false);
        expect(await store.transaction((unit) => unit.insertEvent(event('e2')))).toBe(true);
      });

      it('forgets event keys from before a moment', async () => {
        await store.transaction((unit) => unit.insertEvent(event('e1')));
        expect(await store.prune(t0)).toBe(0);
        expect(await store.prune(t0 + 1)).toBe(1);
        expect(await store.transaction((unit) => unit.insertEvent(event('e1')))).toBe(true);
      });

      it('forgets them all, however many there are', async () => {
        await store.transaction(async (unit) => {
          for (let n = 0; n < 5_100; n += 1) await unit.insertEvent(event(`many${n}`));
        });
        expect(await store.prune(t0 + 1)).toBe(5_100);
      });

      it('saves a state at the next version and gives it back as it was', async () => {
        const state = { ...initialState(service, t0), sequence: 7 };
        await store.transaction((unit) => unit.save(state, 0));
        expect(await store.load(service)).toEqual({ state, version: 1 });
        await store.transaction((unit) => unit.save({ ...state, sequence: 8 }, 1));
        expect(await store.load(service)).toEqual({ state: { ...state, sequence: 8 }, version: 2 });
        expect(await store.services()).toEqual([{ ...state, sequence: 8 }]);
      });

      it('tries a unit again three times on a conflict, then says so', async () => {
        const state = initialState(service, t0);
        await store.transaction((unit) => unit.save(state, 0));
        let tries = 0;
        const late = (expected: number) =>
          store.transaction(async (unit) => {
            tries += 1;
            await unit.save(state, expected);
          });
        await expect(late(0)).rejects.toThrow(StoreConflict);
        expect(tries).toBe(4);
        await expect(late(7)).rejects.toThrow(StoreConflict);
        expect((await store.load(service))?.version).toBe(1);
      });

      it('gives way to each other: a hundred at once lose no update', async () => {
        await store.transaction((unit) => unit.save(initialState(service, t0), 0));
        await Promise.all(
          Array.from({ length: 100 }, () =>
            store.transaction(async (unit) => {
              const stored = await unit.load(service);
              if (!stored) throw new Error('gone');
              await unit.save({ ...stored.state, sequence: stored.state.sequence + 1 }, stored.version);
            }),
          ),
        );
        expect((await store.load(service))?.state.sequence).toBe(100);
      });

      it('keeps the journal, newest first, and finds it by rollout and degradation', async () => {
        await store.transaction(async (unit) => {
          await unit.append(service, [entry('one', 'r1', null), entry('two', 'r1', 'd1')]);
          await unit.append('other', [entry('three', 'r9', null)]);
        });
        const texts = async (query: Parameters<Store['journal']>[0]) =>
          (await store.journal(query)).map((stored) => stored.entry.text);
        expect(await texts({ service, limit: 9 })).toEqual(['two', 'one']);
        expect(await texts({ service: null, limit: 9 })).toEqual(['three', 'two', 'one']);
        expect(await texts({ service, limit: 1 })).toEqual(['two']);
        expect(await texts({ service, degradationId: 'd1', limit: 9 })).toEqual(['two']);
        expect(await texts({ service, rolloutId: 'r1', limit: 9 })).toEqual(['two', 'one']);
      });
    });

    describe('jobs', () => {
      it('are claimed when due, the most urgent first', async () => {
        await enqueue(
          store,
          newJob({ key: 'late', dueAtMs: t0 + 1 }),
          newJob({ key: 'card', priority: 6, dueAtMs: t0 - 5 }),
          newJob({ key: 'shift', priority: 0 }),
          newJob({ key: 'older', priority: 6, dueAtMs: t0 - 9 }),
        );
        expect((await claim()).map((job) => job.key)).toEqual(['shift', 'older', 'card']);
        expect(await claim()).toEqual([]);
        expect((await claim(t0 + 1)).map((job) => job.key)).toEqual(['late']);
      });

      it('are claimed by kind where there are places only for some, and no more than are free', async () => {
        const report: Effect = { kind: 'report', card: { kind: 'degradation', id: 'd1' } };
        await enqueue(
          store,
          ...Array.from({ length: 5 }, (_, i) => newJob({ key: `timer${i}`, priority: 1, dueAtMs: t0 - 9 })),
          ...Array.from({ length: 5 }, (_, i) => newJob({ key: `report${i}`, priority: 8, effect: report })),
        );
        const take = async (...places: Places[]) =>
          (await store.jobs.claim({ owner: 'a', nowMs: t0, leaseMs: 30_000, limit: 9, places })).map(({ key }) => key);
        const timers = (free: number): Places => ({ kinds: ['timer', 'measure'], free });
        const reports = (free: number): Places => ({ kinds: ['report'], free });
        expect(await take()).toEqual([]);
        expect(await take(reports(1))).toEqual(['report0']);
        expect(await take(timers(2), reports(2))).toEqual(['timer0', 'timer1', 'report1', 'report2']);
        expect(await store.jobs.nextDueMs(['report'])).toBe(t0);
        expect(await store.jobs.nextDueMs(['timer'])).toBe(t0 - 9);
        expect(await store.jobs.nextDueMs(['card'])).toBeNull();
      });

      it('are found behind any number that are more urgent and have no place', async () => {
        const card: Effect = { kind: 'card', card: { kind: 'rollout', id: 'r1' }, urgent: false };
        const timers = Array.from({ length: 50 }, (_, i) => newJob({ key: `timer/${i}`, dueAtMs: t0 - 50 + i }));
        await enqueue(store, ...timers, newJob({ key: 'card', effect: card, priority: 7 }));
        const places: Places[] = [
          { kinds: ['timer'], free: 2 },
          { kinds: ['card'], free: 3 },
        ];
        const jobs = await store.jobs.claim({ owner: 'a', nowMs: t0, leaseMs: 30_000, limit: 5, places });
        expect(jobs.map(({ key }) => key)).toEqual(['timer/0', 'timer/1', 'card']);
      });

      it('go to one of two claimers', async () => {
        await enqueue(store, ...Array.from({ length: 20 }, (_, i) => newJob({ key: `k${i}` })));
        const claims = await Promise.all([claim(t0, 'a', 10), claim(t0, 'b', 10), claim(t0, 'c', 10)]);
        const ids = claims.flat().map((job) => job.id);
        expect(ids).toHaveLength(20);
        expect(new Set(ids).size).toBe(20);
      });

      it('give back the effect and what is known of them', async () => {
        const job = newJob({ key: 'timer/look', lane: 'l', createdAtMs: t0 - 9 });
        await enqueue(store, job);
        const { merge: _, ...asGiven } = job;
        expect(await one()).toMatchObject({ ...asGiven, attempt: 1, progress: null });
      });

      it('say at which version the state is as they are claimed', async () => {
        const version = async () => (await claim(t0, 'a', 1))[0]?.stateVersion;
        for (const key of ['k1', 'k2', 'k3']) await enqueue(store, newJob({ key }));
        expect(await version()).toBeNull();
        const save = (expected: number) =>
          store.transaction((unit) => unit.save(initialState(service, t0 + expected), expected));
        await save(0);
        expect(await version()).toBe(1);
        await save(1);
        expect(await version()).toBe(2);
      });

      it('are taken over when the lease has expired, and the one who lost it records nothing', async () => {
        await enqueue(store, newJob());
        const lost = await one(t0, 'a');
        expect(await claim(t0 + 29_999, 'b')).toEqual([]);
        const held = await one(t0 + 30_000, 'b');
        expect(held).toMatchObject({ id: lost.id, attempt: 2 });
        expect(await store.jobs.complete(lost.lease)).toBe(false);
        expect(await store.jobs.extend(lost.lease, t0 + 99_000)).toBe(false);
        expect(await store.jobs.retry(lost.lease, again(t0))).toBe(false);
        expect(await store.transaction((unit) => unit.complete(lost.lease))).toBe(false);
        expect(await store.transaction((unit) => unit.complete(held.lease))).toBe(true);
        expect(await store.jobs.pending()).toBe(0);
      });

      it('are fenced by the attempt too: the same owner may have lost and regained it', async () => {
        await enqueue(store, newJob());
        const first = await one();
        const second = await one(t0 + 30_000);
        expect(second.lease.owner).toBe(first.lease.owner);
        expect(await store.jobs.complete(first.lease)).toBe(false);
        expect(await store.jobs.complete(second.lease)).toBe(true);
      });

      it('stay with who extends the lease', async () => {
        await enqueue(store, newJob());
        const job = await one();
        expect(await store.jobs.extend(job.lease, t0 + 60_000)).toBe(true);
        expect(await claim(t0 + 59_999, 'b')).toEqual([]);
        expect(await store.jobs.complete(job.lease)).toBe(true);
      });

      it('can all be taken over at once where nobody else lives', async () => {
        await enqueue(store, newJob({ key: 'k' }));
        const lost = await one(t0, 'dead');
        await enqueue(store, newJob({ key: 'k' }));
        await store.jobs.voidLeases();
        expect((await claim(t0, 'b')).map((job) => job.id)).toHaveLength(2);
        expect(await store.jobs.complete(lost.lease)).toBe(false);
      });

      it('come back when a try failed, with what it left', async () => {
        await enqueue(store, newJob());
        const job = await one();
        const next = { dueAtMs: t0 + 500, problem: 'rate limited', progress: '{"polls":1}' };
        expect(await store.jobs.retry(job.lease, next)).toBe(true);
        expect(await claim(t0 + 499)).toEqual([]);
        expect(await one(t0 + 500)).toMatchObject({ id: job.id, attempt: 2, progress: '{"polls":1}' });
      });

      it('are replaced by a newer one with the key, with new attempts', async () => {
        await enqueue(store, newJob({ key: 'timer/look' }));
        await store.jobs.retry((await one()).lease, again(t0));
        await enqueue(
          store,
          newJob({ key: 'timer/look', dueAtMs: t0 + 9 }),
          newJob({ service: 'other', key: 'timer/look' }),
        );
        expect(await store.jobs.pending()).toBe(2);
        expect((await claim()).map((job) => job.service)).toEqual(['other']);
        expect(await one(t0 + 9)).toMatchObject({ service, attempt: 1 });
      });

      it('run again when a newer one came while they ran', async () => {
        await enqueue(store, newJob({ key: 'card/d1', lane: 'chat/d1' }));
        const running = await one();
        await enqueue(store, newJob({ key: 'card/d1', lane: 'chat/d1' }));
        await enqueue(store, newJob({ key: 'card/d1', lane: 'chat/d1' }));
        expect(await claim()).toEqual([]);
        expect(await store.jobs.complete(running.lease)).toBe(true);
        const newer = await one();
        expect(newer.id).not.toBe(running.id);
        expect(newer.attempt).toBe(1);
        expect(await store.jobs.pending()).toBe(1);
      });

      it('give way to a newer one with the key instead of coming back', async () => {
        await enqueue(store, newJob({ key: 'k' }));
        const running = await one();
        await enqueue(store, newJob({ key: 'k', dueAtMs: t0 + 5 }));
        expect(await store.jobs.retry(running.lease, again(t0 + 1))).toBe(true);
        expect(await store.jobs.pending()).toBe(1);
        expect(await one(t0 + 5)).toMatchObject({ attempt: 1 });
      });

      it('that do the same keep the earlier time, the urgency and, once failing, their patience', async () => {
        const card = { key: 'card/d1', merge: true };
        await enqueue(
          store,
          newJob({ ...card, priority: 3, dueAtMs: t0 }),
          newJob({ ...card, priority: 6, dueAtMs: t0 + 250 }),
        );
        const job = await one(t0);
        expect(job).toMatchObject({ priority: 3, dueAtMs: t0 });
        await store.jobs.retry(job.lease, again(t0 + 30_000));
        await enqueue(store, newJob({ ...card, priority: 6, dueAtMs: t0 + 1 }));
        expect(await claim(t0 + 29_999)).toEqual([]);
        expect(await one(t0 + 30_000)).toMatchObject({ attempt: 2, priority: 3, createdAtMs: t0 });
      });

      it('can be taken back while they wait', async () => {
        await enqueue(store, newJob({ key: 'timer/look' }), newJob({ key: 'timer/hold' }));
        await store.transaction((unit) => unit.cancel(service, 'timer/look'));
        expect((await claim()).map((job) => job.key)).toEqual(['timer/hold']);
      });

      it('that are lines of a thread are found while they wait or are said, newest first', async () => {
        const entry = { what: 'question-joined', text: 'more' } as never;
        const line = (more: number) => ({
          kind: 'say' as const,
          card: { kind: 'degradation' as const, id: 'd1' },
          entry,
          more,
        });
        const lane = 'chat/d1';
        await enqueue(
          store,
          newJob({ key: null, lane, effect: line(1) }),
          newJob({ key: 'card/d1', lane, priority: 6 }),
          newJob({ key: 'more/d1', lane, effect: line(2), dueAtMs: t0 + 9 }),
          newJob({ key: null, lane: 'chat/d2', effect: line(3) }),
        );
        await claim();
        const found = (most: number) => store.transaction((unit) => unit.waitingLines(lane, most));
        expect(await found(10)).toEqual([
          { key: 'more/d1', effect: line(2), isRunning: false },
          { key: null, effect: line(1), isRunning: true },
        ]);
        expect(await found(1)).toHaveLength(1);
      });

      it('of one lane run one at a time, in order, also while the first waits for its next try', async () => {
        await enqueue(
          store,
          newJob({ key: 'trigger', lane: 'page/d1', priority: 2 }),
          newJob({ key: 'resolve', lane: 'page/d1', priority: 2 }),
          newJob({ key: 'elsewhere', lane: 'page/d2', priority: 2 }),
        );
        const [trigger, elsewhere] = await claim();
        expect([trigger?.key, elsewhere?.key]).toEqual(['trigger', 'elsewhere']);
        expect(await claim()).toEqual([]);
        await store.jobs.retry(trigger!.lease, again(t0 + 1_000));
        expect(await claim(t0 + 999)).toEqual([]);
        const retried = await one(t0 + 1_000);
        expect(retried.key).toBe('trigger');
        await store.jobs.complete(retried.lease);
        expect((await one(t0 + 1_000)).key).toBe('resolve');
      });

      it('of one lane but another urgency pass what waits, never what runs', async () => {
        await enqueue(store, newJob({ key: 'say', lane: 'chat', priority: 5 }));
        const say = await one();
        await enqueue(store, newJob({ key: 'card', lane: 'chat', priority: 3 }));
        expect(await claim()).toEqual([]);
        await store.jobs.retry(say.lease, again(t0));
        expect((await claim()).map((job) => job.key)).toEqual(['card']);
      });

      it('of a lane whose runner died go on when its lease has expired', async () => {
        await enqueue(store, newJob({ key: 'first', lane: 'l' }), newJob({ key: 'second', lane: 'l' }));
        await one(t0, 'dead');
        expect(await claim(t0 + 29_999, 'b')).toEqual([]);
        expect((await one(t0 + 30_000, 'b')).key).toBe('first');
      });

      it('say when the next can be claimed', async () => {
        expect(await store.jobs.nextDueMs()).toBeNull();
        await enqueue(
          store,
          newJob({ key: 'a', lane: 'l', dueAtMs: t0 + 100 }),
          newJob({ key: 'b', lane: 'l', dueAtMs: t0 }),
        );
        // The second waits behind the first.
        expect(await store.jobs.nextDueMs()).toBe(t0 + 100);
        const job = await one(t0 + 100);
        expect(await store.jobs.nextDueMs()).toBe(t0 + 30_100);
        await store.jobs.complete(job.lease);
        expect(await store.jobs.nextDueMs()).toBe(t0);
      });
    });

    describe('a job that is leased by the unit that puts it in', () => {
      const lease = { owner: 'a', leaseUntilMs: t0 + 30_000, nowMs: t0, kinds: ['timer'] } as const;
      const lane = 'chat/d1';
      const put = (...jobs: ReturnType<typeof newJob>[]) =>
        store.transaction(async (unit) => {
          for (const job of jobs) await unit.enqueue(job);
          return unit.claim(lease);
        });

      it('is as one that was claimed, or there is none where replicas share the store', async () => {
        await store.transaction((unit) => unit.save(initialState(service, t0), 0));
        const job = await put(newJob({ key: 'k', lane }), newJob({ key: 'other' }));
        const rest = await claim(t0, 'b');
        if (!job) {
          expect(rest.map(({ key }) => key)).toEqual(['k', 'other']);
          return;
        }
        expect(rest.map(({ key }) => key)).toEqual(['other']);
        expect(job).toMatchObject({ key: 'k', lane, attempt: 1, progress: null, stateVersion: 1, dueAtMs: t0 });
        const [taken] = await claim(t0 + 30_000, 'b');
        expect(taken).toMatchObject({ id: job.id, key: 'k', attempt: 2 });
        expect(await store.jobs.complete(job.lease)).toBe(false);
      });

      it('ends with its lease', async () => {
        const job = await put(newJob({ key: 'k', lane }));
        const held = job ?? (await one());
        expect(await store.jobs.complete(held.lease)).toBe(true);
        expect(await store.jobs.pending()).toBe(0);
      });

      it('is none where another of its lane waits or runs, whatever its urgency', async () => {
        await enqueue(store, newJob({ lane, priority: 9 }));
        expect(await put(newJob({ lane }))).toBeNull();
        expect(await store.jobs.pending()).toBe(2);
        const running = await one();
        expect(await put(newJob({ lane, priority: 0 }))).toBeNull();
        expect(await store.jobs.complete(running.lease)).toBe(true);
        expect(await store.jobs.pending()).toBe(2);
      });

      it('is none that is not due, of another kind, or without a lane', async () => {
        expect(await put(newJob({ lane, dueAtMs: t0 + 1 }))).toBeNull();
        expect(await put(newJob({ lane: null }))).toBeNull();
        const page: Effect = { kind: 'card', card: { kind: 'degradation', id: 'd2' }, urgent: true };
        expect(await put(newJob({ lane: 'chat/d2', effect: page }))).toBeNull();
      });

      it('is none behind a more urgent one of its lane in the same unit', async () => {
        expect(await put(newJob({ lane, priority: 5 }), newJob({ lane, priority: 5, dueAtMs: t0 + 1 }))).toEqual(
          expect.toSatisfy((job: Job | null) => job === null || job.dueAtMs === t0),
        );
        const behind = newJob({ lane: 'chat/d3', priority: 5 });
        expect(await put(behind, newJob({ lane: 'chat/d3', priority: 4, dueAtMs: t0 + 1 }))).toBeNull();
      });

      it('is not there where the unit fails', async () => {
        await expect(
          store.transaction(async (unit) => {
            await unit.enqueue(newJob({ lane }));
            await unit.claim(lease);
            throw new Error('lost power');
          }),
        ).rejects.toThrow('lost power');
        expect(await store.jobs.pending()).toBe(0);
      });

      it('goes on with the patience of the one it replaces', async () => {
        await enqueue(store, newJob({ key: 'k', lane, merge: true }));
        const failed = await one();
        await store.jobs.retry(failed.lease, again(t0));
        const job = await put(newJob({ key: 'k', lane, merge: true }));
        expect((job ?? (await one(t0, 'b'))).attempt).toBe(2);
      });
    });

    describe('looks that are put off', () => {
      const measure = { kind: 'measure', lookId: 1, stable: 'v41', candidate: 'v42', period: {} } as unknown as Effect;
      const next = (over: Partial<PutBack> = {}): PutBack => ({
        service,
        version: 1,
        dueAtMs: t0 + 30_000,
        progress: '3',
        backstop: { key: 'timer/look', dueAtMs: t0 + 150_000, progress: 'since' },
        ...over,
      });
      const begin = async () => {
        await store.transaction(async (unit) => {
          await unit.save(initialState(service, t0), 0);
          await unit.enqueue(newJob({ key: 'measure', effect: measure }));
          await unit.enqueue(newJob({ key: 'timer/look', dueAtMs: t0 + 60_000 }));
          await unit.enqueue(newJob({ key: 'timer/watch', dueAtMs: t0 + 60_000 }));
          await unit.enqueue(newJob({ service: 'other', key: 'timer/look', dueAtMs: t0 + 60_000 }));
        });
        return one();
      };
      const waiting = async (nowMs: number) =>
        (await claim(nowMs, 'b')).map((job) => [job.service, job.key, job.dueAtMs - t0, job.attempt, job.progress]);

      it('come back as new with what was left, and the timer behind them is moved; nothing else is', async () => {
        const job = await begin();
        expect(await store.jobs.postpone(job.lease, next())).toBe(true);
        expect(await store.jobs.nextDueMs()).toBe(t0 + 30_000);
        expect(await waiting(t0 + 29_999)).toEqual([]);
        expect(await waiting(t0 + 30_000)).toEqual([[service, 'measure', 30_000, 1, '3']]);
        expect(await waiting(t0 + 149_999)).toEqual([
          [service, 'measure', 30_000, 2, '3'],
          [service, 'timer/watch', 60_000, 1, null],
          ['other', 'timer/look', 60_000, 1, null],
        ]);
        expect(await waiting(t0 + 150_000)).toEqual([[service, 'timer/look', 150_000, 1, 'since']]);
        expect((await store.load(service))?.version).toBe(1);
      });

      it('are not where something was decided since', async () => {
        const job = await begin();
        await store.transaction((unit) => unit.save(initialState(service, t0 + 1), 1));
        expect(await store.jobs.postpone(job.lease, next())).toBe(false);
        expect(await store.jobs.nextDueMs()).toBe(t0 + 30_000);
        expect(await store.jobs.extend(job.lease, t0 + 1)).toBe(true);
        expect((await waiting(t0 + 60_000)).map(([, key]) => key)).toContain('timer/look');
      });

      it('are not where a newer one waits, which takes their place', async () => {
        const job = await begin();
        await enqueue(store, newJob({ key: 'measure', effect: measure, dueAtMs: t0 + 5 }));
        expect(await store.jobs.postpone(job.lease, next())).toBe(false);
        expect(await store.jobs.retry(job.lease, again(t0))).toBe(true);
        expect(await waiting(t0 + 5)).toEqual([[service, 'measure', 5, 1, null]]);
      });

      it('are not by who lost the lease', async () => {
        const lost = await begin();
        const job = await one(t0 + 30_000, 'b');
        expect(job.id).toBe(lost.id);
        expect(await store.jobs.postpone(lost.lease, next())).toBe(false);
        expect(await store.jobs.postpone(job.lease, next({ dueAtMs: t0 + 90_000 }))).toBe(true);
      });

      it('have no timer behind them where it fires just now', async () => {
        const job = await begin();
        const places: Places[] = [{ kinds: ['timer'], free: 9 }];
        await store.jobs.claim({ owner: 'b', nowMs: t0 + 60_000, leaseMs: 30_000, limit: 9, places });
        expect(await store.jobs.postpone(job.lease, next({ dueAtMs: t0 + 200_000 }))).toBe(true);
        // Leased since: it fires as it was.
        expect((await waiting(t0 + 90_000)).map(([, key, due]) => [key, due])).toContainEqual(['timer/look', 60_000]);
      });
    });

    describe('the next moment', () => {
      it('of a voided lease is not before its job is due', async () => {
        await enqueue(store, newJob({ dueAtMs: t0 + 500 }));
        await one(t0 + 500);
        await store.jobs.voidLeases();
        expect(await store.jobs.nextDueMs()).toBe(t0 + 500);
      });

      it('does not count an expired lease in whose lane another job runs', async () => {
        await enqueue(store, newJob({ key: 'say', lane: 'chat', priority: 5 }));
        await one(t0, 'dead');
        await enqueue(store, newJob({ key: 'card', lane: 'chat', priority: 3 }));
        const card = await one(t0 + 30_000);
        expect(card.key).toBe('card');
        expect(await claim(t0 + 30_000)).toEqual([]);
        expect(await store.jobs.nextDueMs()).toBe(t0 + 60_000);
      });
    });

    describe('accepted alerts', () => {
      const put = (over: object = {}) =>
        store.accepted.put({ service: 'fraud-scorer', atMs: t0, alerts: [{ fingerprint: 'a' } as never], ...over });
      const ids = async (beforeMs = t0 + 99) => (await store.accepted.list(beforeMs, 9)).map(({ id }) => id);
      it('wait in the order they came, until a unit takes them', async () => {
        const [first, second] = [await put(), await put({ service: 'ranker' })];
        const older = await put({ atMs: t0 - 1 });
        expect(await ids()).toEqual([older, first, second]);
        expect(await ids(t0)).toEqual([older]);
        expect(await store.accepted.list(t0 + 1, 2)).toMatchObject([
          { id: older, service: 'fraud-scorer', atMs: t0 - 1, alerts: [{ fingerprint: 'a' }] },
          { id: first },
        ]);
        expect(await store.transaction((unit) => unit.settle([older, second]))).toEqual(new Set([older, second]));
        expect(await ids()).toEqual([first]);
      });

      it('are taken once, and not at all where the unit fails', async () => {
        const some: number[] = [];
        for (let i = 0; i < 25; i += 1) some.push(await put());
        const failing = store.transaction(async (unit) => {
          await unit.settle(some);
          throw new Error('not this time');
        });
        await expect(failing).rejects.toThrow('not this time');
        const take = () => store.transaction((unit) => unit.settle(some));
        const taken = await Promise.all([take(), take()]);
        expect(taken.map(({ size }) => size).sort()).toEqual([0, 25]);
      });
    });

    describe('messages', () => {
      const address = { channel: 'C1', ts: '1.2' };
      it('know an intent from a post', async () => {
        const book = store.messages;
        expect(await book.get('card/d1')).toBeNull();
        await book.begin('card/d1', t0);
        expect(await book.get('card/d1')).toEqual({ state: 'posting', atMs: t0, address: null, digest: null });
        await book.posted('card/d1', address, 'x');
        await book.posted('card/d1', address, 'y');
        expect(await book.get('card/d1')).toMatchObject({ state: 'posted', address, digest: 'y' });
        await book.forget('card/d1');
        expect(await book.get('card/d1')).toBeNull();
      });

      it('forget old lines, never cards', async () => {
        for (const id of ['card/d1', 'say/x/1', 'unmatched/f/1']) {
          await store.messages.begin(id, t0);
          await store.messages.posted(id, address, 'x');
        }
        await store.prune(t0 + 1);
        expect(await store.messages.get('say/x/1')).toBeNull();
        expect(await store.messages.get('unmatched/f/1')).toBeNull();
        expect(await store.messages.get('card/d1')).not.toBeNull();
      });
    });

    describe('alerts that no policy matches', () => {
      const book = () => store.unmatched;
      const names = async (limit = 10) => (await book().list(limit)).map(({ name }) => name);

      it('are remembered once each, counted, heard of last first', async () => {
        await book().note([unmatchedAlert('a'), unmatchedAlert('b')], t0);
        await book().note([unmatchedAlert('a')], t0 + 1);
        await book().note([unmatchedAlert('a', { status: 'resolved' })], t0 + 2);
        const [a] = await book().list(1);
        const labels = { alertname: 'a', team: 'x' };
        const heard = { firstSeenMs: t0, lastSeenMs: t0 + 2, count: 3 };
        expect(a).toEqual({
          fingerprint: 'f-a',
          name: 'a',
          summary: 'a is bad',
          labels,
          status: 'resolved',
          startsAtMs: t0,
          ...heard,
        });
        expect(await names()).toEqual(['a', 'b']);
        // A copy that comes late does not make it fire again.
        await book().note([unmatchedAlert('a')], t0 + 3);
        expect((await book().list(1))[0]?.status).toBe('resolved');
      });

      it('are a thousand at most: those not heard of for longest go', async () => {
        await book().note([unmatchedAlert('old'), unmatchedAlert('kept')], t0);
        const flood = Array.from({ length: 998 }, (_, index) => unmatchedAlert(`flood-${index}`));
        await book().note(flood, t0 + 2);
        await book().note([unmatchedAlert('kept')], t0 + 3);
        expect((await names(2000)).length).toBe(1000);
        await book().note([unmatchedAlert('new')], t0 + 4);
        const all = await names(2000);
        expect(all.length).toBe(1000);
        expect(all).not.toContain('old');
        expect(all.slice(0, 2)).toEqual(['new', 'kept']);
        await book().note(flood.concat(flood), t0 + 5);
        expect((await names(2000)).length).toBe(1000);
      });

      it('are to be told once a start, the same message until it is told', async () => {
        expect(await book().toTell(t0)).toBeNull();
        await book().note([unmatchedAlert('a'), unmatchedAlert('gone', { status: 'resolved' })], t0);
        const first = await book().toTell(t0);
        expect(first).toMatchObject({ id: `unmatched/f-a/${t0}`, alerts: [{ name: 'a' }] });
        // What comes meanwhile is for the next message; it stays the same also where the first is old by now.
        await book().note([unmatchedAlert('b')], t0 + 1);
        expect(await book().toTell(t0 + 9_999)).toEqual(first);
        await book().told(first?.id ?? '');
        const second = await book().toTell(t0);
        expect(second).toMatchObject({ id: `unmatched/f-b/${t0}`, alerts: [{ name: 'b' }] });
        await book().told(second?.id ?? '');
        await book().note([unmatchedAlert('a'), unmatchedAlert('b')], t0 + 2);
        expect(await book().toTell(t0)).toBeNull();
        await book().note([unmatchedAlert('a', { startsAtMs: t0 + 3 })], t0 + 4);
        expect((await book().toTell(t0))?.id).toBe(`unmatched/f-a/${t0 + 3}`);
      });

      it('are not told where they are old news or over', async () => {
        await book().note([unmatchedAlert('a'), unmatchedAlert('b')], t0);
        expect(await book().toTell(t0 + 1)).toBeNull();
        await book().note([unmatchedAlert('a', { status: 'resolved' })], t0 + 1);
        expect(await book().toTell(t0)).toMatchObject({ alerts: [{ name: 'b' }] });
      });
    });

    it('keeps policies by revision', async () => {
      expect(await store.policies.find(service, 'r1')).toBeNull();
      await store.policies.keep(service, 'r1', 'mode: enforce');
      await store.policies.keep(service, 'r1', 'mode: enforce');
      expect(await store.policies.find(service, 'r1')).toBe('mode: enforce');
      expect(await store.policies.find('other', 'r1')).toBeNull();
    });
  });
}

function unmatchedAlert(name: string, over: Partial<Alert> = {}): Alert {
  const texts = { summary: `${name} is bad`, description: '', generatorUrl: '', runbookUrl: '' };
  const times = { startsAtMs: t0, endsAtMs: null };
  const labels = { alertname: name, team: 'x' };
  return { fingerprint: `f-${name}`, name, severity: 'warning', status: 'firing', labels, ...times, ...texts, ...over };
}

function entry(text: string, rolloutId: string | null = null, degradationId: string | null = null): JournalEntry {
  const actor = { kind: 'policy', id: 'p', name: 'p' } as const;
  const nothing = { from: null, to: null, reason: '', numbers: [], policyRevision: 'rev1' };
  return { atMs: t0, actor, what: 'held', rolloutId, degradationId, text, ...nothing };
}
