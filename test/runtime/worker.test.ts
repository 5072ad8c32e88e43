import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Effect } from '../../src/domain/effect.ts';
import type { DomainEvent } from '../../src/domain/event.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Job, NewJob, Store } from '../../src/ports/store.ts';
import type { Outcome, Performer, Performers } from '../../src/runtime/performers/performer.ts';
import { openStore } from '../../src/runtime/store.ts';
import { createWorker, type Worker, type WorkerParts } from '../../src/runtime/worker.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';
import { append, entry } from './audit.contract.ts';
import { enqueue, newJob, recordingTelemetry, service, t0 } from './support.ts';

type Perform = (job: Job, signal: AbortSignal) => Promise<Outcome>;
const done: Outcome = { kind: 'done' };
const timerEvent: DomainEvent = { type: 'timer', key: 'look', epoch: 1 };

let store: Store;
let clock: VirtualClock;
let workers: Worker[];
let recorded: { key: string | null; event: DomainEvent; atMs: number }[];
let told: ReturnType<typeof recordingTelemetry>;

beforeEach(async () => {
  store = await openStore(':memory:');
  clock = virtualClock(t0);
  workers = [];
  recorded = [];
  told = recordingTelemetry();
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop(0)));
  await store.close();
});

/** Every kind of effect is performed by `perform`; outcomes are recorded the way the application does it. */
async function work(perform: Perform, over: Partial<WorkerParts> = {}, retry: Partial<Performer<Effect>> = {}) {
  const performer: Performer<Effect> = {
    limitMs: 10_000,
    retry: { firstMs: 1_000, capMs: 8_000, giveUpAfterMs: 60_000 },
    perform: (_effect, job, signal) => perform(job, signal),
    givenUp: (_effect, reason) => ({
      type: 'page_failed',
      degradationId: 'd1',
      action: 'trigger',
      reason,
    }),
    ...retry,
  };
  const performers = Object.fromEntries(
    ['shift', 'timer', 'measure', 'page', 'card', 'say', 'report'].map((kind) => [kind, performer]),
  ) as unknown as Performers;
  const worker = createWorker({
    store,
    performers,
    clock,
    telemetry: told.telemetry,
    owner: `w${workers.length}`,
    alone: true,
    random: () => 0,
    recorder: {
      record: (job, event) =>
        store.transaction(async (unit) => {
          if (!(await unit.complete(job.lease))) return false;
          recorded.push({ key: job.key, event, atMs: clock.now() });
          return true;
        }),
    },
    ...over,
  });
  workers.push(worker);
  await worker.start();
  return worker;
}

describe('the journal', () => {
  it('is let go of after its retention, once a day, and not where none is set', async () => {
    const dayMs = 86_400_000;
    for (const day of [0, 10, 20]) await append(store, service, entry(`day ${day}`, { atMs: t0 + day * dayMs }));
    clock = virtualClock(t0 + 35 * dayMs);
    const kept = async () => (await store.journal({ service, limit: 9 })).map(({ entry: { text } }) => text);
    await (await work(async () => done)).settled();
    expect(await kept()).toHaveLength(3);
    const worker = await work(async () => done, { journalKeptMs: 30 * dayMs });
    await worker.settled();
    expect(await kept()).toEqual(['day 20', 'day 10']);
    await clock.advance(6 * dayMs, () => worker.settled());
    await worker.settled();
    expect(await kept()).toEqual(['day 20']);
  });
});

describe('the worker', () => {
  it('fires a timer at its moment, once', async () => {
    await enqueue(store, newJob({ key: 'timer/look', dueAtMs: t0 + 90_000 }));
    const worker = await work(async () => ({ kind: 'event', event: timerEvent }));
    await clock.advance(89_999, () => worker.settled());
    expect(recorded).toEqual([]);
    await clock.advance(3_600_000, () => worker.settled());
    expect(recorded).toEqual([{ key: 'timer/look', event: timerEvent, atMs: t0 + 90_000 }]);
    expect(told.performed).toMatchObject([{ kind: 'timer', outcome: 'done', lateMs: 0 }]);
    expect(await store.jobs.pending()).toBe(0);
  });

  it('fires three thousand timers of one instant, each once', async () => {
    await enqueue(
      store,
      ...Array.from({ length: 3_000 }, (_, i) => newJob({ key: `timer/${i}`, dueAtMs: t0 + 1_000 })),
    );
    const worker = await work(async () => ({ kind: 'event', event: timerEvent }));
    await clock.advance(1_000, () => worker.settled());
    expect(recorded).toHaveLength(3_000);
    expect(new Set(recorded.map(({ key }) => key)).size).toBe(3_000);
  });

  it('looks anew when woken', async () => {
    const seen: (string | null)[] = [];
    const worker = await work(async (job) => {
      seen.push(job.key);
      return done;
    });
    await worker.settled();
    await enqueue(store, newJob({ key: 'now' }));
    await worker.settled();
    expect(seen).toEqual(['now']);
  });

  it('runs no more at a time than it may, and no two of a lane', async () => {
    const running = new Set<Job>();
    let most = 0;
    const perform: Perform = async (job) => {
      for (const other of running) expect(other.lane === null || other.lane !== job.lane).toBe(true);
      running.add(job);
      most = Math.max(most, running.size);
      await new Promise((resolve) => setImmediate(resolve));
      running.delete(job);
      return done;
    };
    const jobs = Array.from({ length: 40 }, (_, i) => newJob({ lane: i % 2 ? `lane${i % 5}` : null }));
    await enqueue(store, ...jobs);
    const worker = await work(perform, { concurrency: 4 });
    await worker.settled();
    expect(await store.jobs.pending()).toBe(0);
    expect(most).toBe(4);
  });

  it('tries again with doubling waits, and never before Retry-After', async () => {
    const tries: number[] = [];
    await enqueue(store, newJob());
    const worker = await work(async (job) => {
      tries.push(clock.now() - t0);
      if (job.attempt === 3) throw new PortError('retryable', '429', { retryAfterMs: 20_000 });
      if (job.attempt < 6) throw new PortError('retryable', 'busy');
      return done;
    });
    await clock.advance(60_000, () => worker.settled());
    expect(tries).toEqual([0, 1_000, 3_000, 23_000, 31_000, 39_000]);
    expect(await store.jobs.pending()).toBe(0);
  });

  it('takes up to half of the wait off by chance', async () => {
    const tries: number[] = [];
    await enqueue(store, newJob());
    const failing: Perform = async () => {
      tries.push(clock.now() - t0);
      throw new PortError('retryable', 'busy');
    };
    const worker = await work(failing, { random: () => 1 });
    await clock.advance(1_500, () => worker.settled());
    expect(tries).toEqual([0, 500, 1_500]);
  });

  it('gives up when its time is over, and tells the decisions', async () => {
    await enqueue(store, newJob({ key: 'page' }));
    const worker = await work(async () => {
      throw new PortError('ambiguous', 'PagerDuty did not answer.');
    });
    await clock.advance(120_000, () => worker.settled());
    expect(recorded).toMatchObject([{ event: { type: 'page_failed', reason: 'PagerDuty did not answer.' } }]);
    expect(recorded[0]?.atMs).toBeLessThanOrEqual(t0 + 60_000);
    expect(await store.jobs.pending()).toBe(0);
  });

  it('gives up at once what will never work', async () => {
    await enqueue(store, newJob());
    const worker = await work(async () => {
      throw new PortError('permanent', 'invalid routing key');
    });
    await worker.settled();
    expect(recorded).toMatchObject([{ atMs: t0, event: { type: 'page_failed', reason: 'invalid routing key' } }]);
    expect(told.problems).toEqual([expect.stringContaining('was given up: invalid routing key')]);
  });

  it('tries again what was refused for good where somebody may put it right', async () => {
    await enqueue(store, newJob());
    let tries = 0;
    const perform: Perform = async () => {
      tries += 1;
      if (tries < 3) throw new PortError('permanent', 'not_in_channel');
      return done;
    };
    const retry = { firstMs: 1_000, capMs: 8_000, giveUpAfterMs: null, permanentMs: 300_000 };
    const worker = await work(perform, {}, { retry });
    await clock.advance(299_999, () => worker.settled());
    expect(tries).toBe(1);
    await clock.advance(600_000, () => worker.settled());
    expect([tries, await store.jobs.pending()]).toEqual([3, 0]);
    expect(told.problems).toEqual([]);
  });

  it('lets nothing but the telemetry know where there is nothing to decide', async () => {
    await enqueue(store, newJob());
    const failing: Perform = async () => {
      throw new PortError('permanent', 'channel_not_found');
    };
    const worker = await work(failing, {}, { givenUp: () => null });
    await worker.settled();
    expect(recorded).toEqual([]);
    expect(told.problems).toHaveLength(1);
    expect(await store.jobs.pending()).toBe(0);
  });

  it('survives a mistake in a performer, and says so', async () => {
    await enqueue(store, newJob());
    const worker = await work(async (job) => {
      if (job.attempt === 1) throw new TypeError('undefined is not a function');
      return done;
    });
    await clock.advance(1_000, () => worker.settled());
    expect(told.problems).toEqual([expect.stringContaining('undefined is not a function')]);
    expect(await store.jobs.pending()).toBe(0);
  });

  it('puts back what is not there yet, with what it knows', async () => {
    await enqueue(store, newJob());
    const worker = await work(async (job) =>
      job.progress === null
        ? { kind: 'again', atMs: clock.now() + 5_000, problem: null, progress: 'ordered' }
        : { kind: 'event', event: { type: 'shifted', shiftId: job.progress, exposurePercent: 0, uncertain: false } },
    );
    await clock.advance(5_000, () => worker.settled());
    expect(recorded).toMatchObject([{ atMs: t0 + 5_000, event: { shiftId: 'ordered' } }]);
  });

  it('does again what was done but could not be recorded', async () => {
    await enqueue(store, newJob({ key: 'k' }));
    let fails = 3;
    const record: WorkerParts['recorder']['record'] = async (job, event) => {
      fails -= 1;
      if (fails >= 0) throw new Error('disk full');
      recorded.push({ key: job.key, event, atMs: clock.now() });
      return store.jobs.complete(job.lease);
    };
    const worker = await work(async () => ({ kind: 'event', event: timerEvent }), { recorder: { record } });
    await clock.advance(60_000, () => worker.settled());
    expect(recorded).toHaveLength(1);
    expect(told.problems).toHaveLength(3);
  });

  it('keeps the lease of what runs long', async () => {
    const hold = Promise.withResolvers<Outcome>();
    await enqueue(store, newJob());
    const worker = await work(() => hold.promise);
    await until(async () => told.performed.length === 0 && (await store.jobs.nextDueMs()) === t0 + 30_000);
    for (let n = 1; n <= 6; n += 1) {
      const leaseMs = t0 + n * 10_000 + 30_000;
      await until(() => clock.next() === t0 + n * 10_000);
      clock.jump(10_000);
      await until(async () => (await store.jobs.nextDueMs()) === leaseMs);
    }
    expect(await store.jobs.claim({ owner: 'other', nowMs: clock.now(), leaseMs: 1, limit: 1 })).toEqual([]);
    hold.resolve(done);
    await worker.settled();
    expect(await store.jobs.pending()).toBe(0);
  });

  it('records nothing once its lease is lost, and is told to stop', async () => {
    const hold = Promise.withResolvers<Outcome>();
    let stopped = false;
    await enqueue(store, newJob({ key: 'k' }));
    await work(async (_job, signal) => {
      signal.addEventListener('abort', () => {
        stopped = true;
      });
      return hold.promise;
    });
    await until(() => clock.next() === t0 + 10_000);
    // Another worker takes it over, as after a long standstill of this one.
    const [taken] = await store.jobs.claim({ owner: 'other', nowMs: t0 + 30_000, leaseMs: 90_000, limit: 1 });
    clock.jump(30_000);
    await until(() => stopped);
    hold.resolve({ kind: 'event', event: timerEvent });
    await until(() => told.performed.length === 1);
    expect(recorded).toEqual([]);
    expect(await store.jobs.complete(taken!.lease)).toBe(true);
  });

  it('asks no more for a lease it has lost, however long the end of that try takes', async () => {
    const told = Promise.withResolvers<boolean>();
    let asked = 0;
    const slow: Store = {
      ...store,
      jobs: {
        ...store.jobs,
        extend: (lease, untilMs) => {
          asked += 1;
          return store.jobs.extend(lease, untilMs);
        },
        // Of a process that stood still: its answers come late.
        retry: () => told.promise,
      },
    };
    await enqueue(store, newJob({ key: 'k' }));
    await work(() => new Promise(() => undefined), { store: slow });
    await until(() => clock.next() === t0 + 10_000);
    await store.jobs.claim({ owner: 'other', nowMs: t0 + 30_000, leaseMs: 90_000, limit: 1 });
    clock.jump(30_000);
    await until(() => asked === 1);
    // It sleeps until the other's lease ends, instead of asking again and again.
    await until(() => clock.next() === t0 + 120_000);
    expect(asked).toBe(1);
    told.resolve(false);
  });

  it('takes over at its start what a dead one left, at once', async () => {
    await enqueue(store, newJob({ key: 'k' }));
    await store.jobs.claim({ owner: 'dead', nowMs: t0, leaseMs: 30_000, limit: 1 });
    const worker = await work(async (job) => ({ kind: 'event', event: { ...timerEvent, epoch: job.attempt } }));
    await worker.settled();
    expect(recorded).toMatchObject([{ atMs: t0, event: { epoch: 2 } }]);
  });

  it('lets what runs end when it is stopped', async () => {
    const hold = Promise.withResolvers<Outcome>();
    await enqueue(store, newJob(), newJob({ dueAtMs: t0 + 1 }));
    const worker = await work(() => hold.promise);
    await until(async () => (await store.jobs.nextDueMs()) !== t0);
    const stopping = worker.stop(5_000);
    hold.resolve({ kind: 'event', event: timerEvent });
    await stopping;
    expect(recorded).toHaveLength(1);
    expect(await store.jobs.pending()).toBe(1);
  });

  it('cuts off what does not end, and puts it back for the next start', async () => {
    await enqueue(store, newJob({ key: 'hung' }));
    const hung = await work(() => new Promise<Outcome>(() => undefined));
    await until(async () => (await store.jobs.nextDueMs()) !== t0);
    await hung.stop(20);
    expect(await store.jobs.nextDueMs()).toBe(t0);
    const next = await work(async () => ({ kind: 'event', event: timerEvent }), { alone: false });
    await next.settled();
    expect(recorded).toHaveLength(1);
  });

  it('limits one try in real time, also of a call that does not listen', async () => {
    await enqueue(store, newJob());
    const hung: Perform = (job) => (job.attempt === 1 ? new Promise(() => undefined) : Promise.resolve(done));
    const worker = await work(hung, {}, { limitMs: 20 });
    await clock.advance(1_000, () => worker.settled());
    expect(told.performed).toMatchObject([
      { outcome: 'ambiguous', problem: `The timer of ${service} did not answer within 0.02 s.` },
      { outcome: 'done' },
    ]);
  });

  it('goes on when the store fails for a while', async () => {
    await enqueue(store, newJob());
    let fails = 2;
    const { claim } = store.jobs;
    store.jobs.claim = async (request) => {
      fails -= 1;
      if (fails >= 0) throw new Error('disk I/O error');
      return claim(request);
    };
    await work(async () => ({ kind: 'event', event: timerEvent }));
    for (let n = 0; n < 2; n += 1) {
      await until(() => clock.next() !== null);
      clock.jump(1_000);
    }
    await until(() => recorded.length === 1);
    expect(told.problems).toEqual(['worker: disk I/O error', 'worker: disk I/O error']);
  });

  it('forgets event keys after thirty days', async () => {
    const event = { key: 'e1', service, event: timerEvent, atMs: t0 };
    await store.transaction((unit) => unit.insertEvent(event));
    const worker = await work(async () => done);
    await clock.advance(29 * 86_400_000, () => worker.settled());
    expect(await store.transaction((unit) => unit.insertEvent(event))).toBe(false);
    await clock.advance(2 * 86_400_000, () => worker.settled());
    expect(await store.transaction((unit) => unit.insertEvent(event))).toBe(true);
  });
});

describe('a place for what begins with its commit', () => {
  const lane = 'chat/d1';
  const card: Effect = { kind: 'card', card: { kind: 'degradation', id: 'd1' }, urgent: true };
  /** As a unit of decisions does it. */
  const put = async (place: ReturnType<Worker['place']>, ...jobs: NewJob[]) => {
    const job = await store.transaction(async (unit) => {
      for (const one of jobs) await unit.enqueue(one);
      return place && unit.claim({ ...place.claim, nowMs: clock.now() });
    });
    place?.fill(job);
    return job;
  };

  it('has the job begun without a claim, and what else there is to do soon after', async () => {
    let claims = 0;
    const counted: Store = {
      ...store,
      jobs: {
        ...store.jobs,
        claim: (request) => {
          claims += 1;
          return store.jobs.claim(request);
        },
      },
    };
    const begun: (string | null)[] = [];
    const hold = Promise.withResolvers<Outcome>();
    const perform: Perform = (job) => {
      begun.push(job.key);
      return hold.promise;
    };
    const worker = await work(perform, { store: counted });
    await worker.settled();
    const before = claims;
    await put(worker.place(), newJob({ key: 'look' }), newJob({ key: 'card', lane, effect: card, priority: 4 }));
    expect(begun).toEqual(['card']);
    expect(claims).toBe(before);
    await until(() => clock.next() === t0 + 5);
    clock.jump(5);
    await until(() => begun.length === 2);
    hold.resolve(done);
    await worker.settled();
    expect(told.performed.map(({ kind }) => kind).toSorted()).toEqual(['card', 'timer']);
    expect(await store.jobs.pending()).toBe(0);
  });

  it('leaves nothing waiting that was put in with it just when nothing had been found to do', async () => {
    const begun: (string | null)[] = [];
    const hold = Promise.withResolvers<Outcome>();
    const perform: Perform = (job) => {
      begun.push(job.key);
      return hold.promise;
    };
    let answer: PromiseWithResolvers<void> | null = null;
    let asked = 0;
    const slow: Store = {
      ...store,
      jobs: {
        ...store.jobs,
        async nextDueMs(kinds) {
          const found = await store.jobs.nextDueMs(kinds);
          asked += 1;
          await answer?.promise;
          return found;
        },
      },
    };
    const worker = await work(perform, { store: slow });
    await worker.settled();
    const place = worker.place();
    const before = asked;
    answer = Promise.withResolvers<void>();
    worker.wake();
    await until(() => asked > before);
    await put(place, newJob({ key: 'look' }), newJob({ key: 'card', lane, effect: card, priority: 4 }));
    expect(begun).toEqual(['card']);
    answer.resolve();
    await until(() => clock.next() === t0 + 5);
    clock.jump(5);
    await until(() => begun.length === 2);
    hold.resolve(done);
    await worker.settled();
  });

  it('counts as taken until it is filled, and is given back where nothing came of it', async () => {
    const worker = await work(async () => done, { concurrency: 1 });
    await worker.settled();
    const first = worker.place();
    expect(first).not.toBeNull();
    expect(worker.place()).toBeNull();
    first?.fill(null);
    const second = worker.place();
    expect(second).not.toBeNull();
    await put(second, newJob({ lane, effect: card }));
    await worker.settled();
    expect(await store.jobs.pending()).toBe(0);
  });

  it('that is given back is there for what found no room meanwhile', async () => {
    const worker = await work(async () => done, { slots: [{ kinds: ['card', 'timer'], jobs: 1 }] });
    await worker.settled();
    const place = worker.place();
    await enqueue(store, newJob({ key: 'k' }));
    await worker.settled();
    expect(await store.jobs.pending()).toBe(1);
    place?.fill(null);
    await until(async () => (await store.jobs.pending()) === 0);
  });

  it('is not to be had where others share the store, where something waits, before the start and after the end', async () => {
    const shared = await work(async () => done, { alone: false });
    await shared.settled();
    expect(shared.place()).toBeNull();
    await shared.stop(0);
    const hold = Promise.withResolvers<Outcome>();
    const worker = await work(() => hold.promise, { slots: [{ kinds: ['card', 'timer'], jobs: 1 }] });
    await worker.settled();
    await enqueue(store, newJob({ key: 'first' }), newJob({ key: 'second' }));
    worker.wake();
    expect(worker.place()).toBeNull();
    await until(async () => (await store.jobs.nextDueMs()) === t0);
    expect(worker.place()).toBeNull();
    hold.resolve(done);
    await worker.settled();
    expect(worker.place()).not.toBeNull();
    await worker.stop(0);
    expect(worker.place()).toBeNull();
  });

  it('is waited for by a stop, which lets what begins in it end', async () => {
    const hold = Promise.withResolvers<Outcome>();
    const worker = await work(() => hold.promise);
    await worker.settled();
    const place = worker.place();
    const stopping = worker.stop(5_000);
    await put(place, newJob({ key: 'k', lane, effect: card }));
    hold.resolve(done);
    await stopping;
    expect(await store.jobs.pending()).toBe(0);
  });

  it('that is filled after the end begins nothing: the next start takes the job over', async () => {
    const begun: number[] = [];
    const perform: Perform = async (job) => {
      begun.push(job.attempt);
      return done;
    };
    const worker = await work(perform);
    await worker.settled();
    const place = worker.place();
    await worker.stop(0);
    await put(place, newJob({ key: 'k', lane, effect: card }));
    expect(begun).toEqual([]);
    await (await work(perform)).settled();
    expect(begun).toEqual([2]);
  });

  it('keeps the lease of what runs long in it', async () => {
    const hold = Promise.withResolvers<Outcome>();
    const worker = await work(() => hold.promise);
    await worker.settled();
    await put(worker.place(), newJob({ lane, effect: card }));
    await until(() => clock.next() === t0 + 5);
    clock.jump(5);
    await until(() => clock.next() === t0 + 10_000);
    clock.jump(9_995);
    await until(async () => (await store.jobs.nextDueMs()) === t0 + 40_000);
    hold.resolve(done);
    await worker.settled();
    expect(await store.jobs.pending()).toBe(0);
  });
});

/** Waits for a condition, bounded by real time; the clock stands still meanwhile. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const limit = Date.now() + 5_000;
  while (!(await condition())) {
    if (Date.now() > limit) throw new Error('waited 5 s in vain');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
