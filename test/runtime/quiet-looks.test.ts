import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CountWindow, Series } from '../../src/analysis/types.ts';
import { createApplication } from '../../src/application/application.ts';
import type { Actor } from '../../src/domain/state.ts';
import type { MetricRequest, MetricSource } from '../../src/ports/metric-source.ts';
import type { Store } from '../../src/ports/store.ts';
import { createPerformers } from '../../src/runtime/performers/index.ts';
import { openStore } from '../../src/runtime/store.ts';
import { createWorker, type Worker } from '../../src/runtime/worker.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';
import { fakeWorld } from './fakes.ts';
import { policiesOf, policy, t0 } from './support.ts';

const second = 1_000;
const minute = 60 * second;
const ada: Actor = { kind: 'person', id: 'U1', name: 'Ada' };

/** 100 requests a second in each arm; what share of the candidate's is bad can be changed. */
class Traffic implements MetricSource {
  candidateBad = 0.01;
  readonly read: (request: MetricRequest) => ReturnType<MetricSource['read']> = async (request) => {
    const { period, windowMs, metrics } = request;
    this.looks += 1;
    this.atMs.push(clock.now());
    const arm = (bad: number, offsetMs = 0): Series => {
      const windows: CountWindow[] = [];
      for (let end = Math.ceil(period.fromMs / windowMs + 1) * windowMs; end <= period.toMs; end += windowMs)
        windows.push({ endMs: end - offsetMs, events: bad * 3_000, exposure: 3_000 });
      return { kind: 'counts', windows };
    };
    return metrics.map(({ name }) => ({
      metric: name,
      stableNow: arm(0.01),
      stableBefore: arm(0.01, period.beforeOffsetMs),
      candidateNow: arm(this.candidateBad),
      missing: null,
    }));
  };
  looks = 0;
  readonly atMs: number[] = [];
}

let store: Store;
let clock: VirtualClock;
let fake: ReturnType<typeof fakeWorld>;
let traffic: Traffic;
let worker: Worker;
let app: ReturnType<typeof createApplication>;
let names: string[];
let everyMs: number;
/** States that were read whole. */
let loads: number;

/** Rollouts of so many services, looked at in the same rhythm; only the world outside is played. */
async function boot(owner: string): Promise<void> {
  const long = { exposurePercent: 10, soakMs: 600 * minute, maxSoakMs: 900 * minute };
  const { comparison, steps } = policy();
  const all = names.map((name) =>
    policy({
      service: name,
      steps: [long, ...steps.slice(1)],
      comparison: { ...comparison, everyMs },
      respond: { ...policy().respond, graceMs: 0 },
    }),
  );
  const load: Store['load'] = (name) => {
    loads += 1;
    return store.load(name);
  };
  const world = { ...fake.world, store: { ...store, load }, policies: policiesOf(...all), sources: () => traffic };
  app = createApplication({ ...world, wake: () => worker.wake() });
  const performers = createPerformers(world);
  worker = createWorker({ ...world, recorder: app, performers, owner, alone: true, random: () => 0 });
  await worker.start();
}
async function begin(count: number, every = 30 * second): Promise<void> {
  everyMs = every;
  names = Array.from({ length: count }, (_, i) => `service-${i}`);
  await boot('w1');
  for (const name of names) {
    fake.target.split = { stable: 'v41', candidate: 'v42', exposurePercent: 0 };
    const start = { service: name, candidate: { id: 'v42' }, force: false, reason: 'weekly', actor: ada, key: name };
    expect(await app.start(start)).toMatchObject({ ok: true });
    await worker.settled();
  }
  // Until every first look, and all that follows from the first windows, is told.
  await pass(10 * minute);
}
beforeEach(async () => {
  store = await openStore(':memory:');
  clock = virtualClock(t0);
  fake = fakeWorld(store, clock);
  traffic = new Traffic();
  loads = 0;
});
afterEach(async () => {
  await worker.stop(0);
  await store.close();
});
const pass = (ms: number) => clock.advance(ms, () => worker.settled());
const found = async (name = 'service-0') => {
  const stored = await store.load(name);
  if (!stored) throw new Error(`there is no ${name}`);
  return stored;
};
const shown = () => [...fake.chat.messages.values()].reduce((sum, { updates }) => sum + updates, 0);
const journal = () => store.journal({ service: null, limit: 1_000 });

describe('looks that find nothing new', () => {
  it('leave state, journal, events and message as they are, and go on', async () => {
    await begin(1, 10 * second);
    let before = await found();
    let [looks, lines, cards] = [traffic.looks, await journal(), shown()];
    let quiet = 0;
    for (let i = 0; i < 20; i += 1) {
      await pass(10 * second);
      const after = await found();
      expect(traffic.looks).toBe(looks + 1);
      // Recorded in turn with what is not: the card has to be fresh.
      if (after.state.rollout?.comparison?.atMs !== before.state.rollout?.comparison?.atMs) {
        expect(after.version).toBeGreaterThan(before.version);
      } else if (after.version === before.version) {
        quiet += 1;
        expect(after).toEqual(before);
        expect(await journal()).toEqual(lines);
        expect(shown()).toBe(cards);
      }
      [before, looks, lines, cards] = [after, traffic.looks, await journal(), shown()];
    }
    expect(quiet).toBeGreaterThanOrEqual(9);
  });

  it('read no state whole, but for the first of each version', async () => {
    await begin(40, 10 * second);
    await pass(5 * minute);
    [loads, traffic.looks] = [0, 0];
    const cards = shown();
    await pass(10 * minute);
    expect(traffic.looks).toBeGreaterThanOrEqual(40 * 58);
    // Each card that is drawn is a new version, read by the card, and by the look after it.
    expect(loads).toBeLessThanOrEqual(3 * (shown() - cards) + 40);
  });

  it('are taken at full seconds, to share what they ask, and as often as before', async () => {
    clock.jump(377);
    await begin(2);
    await pass(5 * minute);
    const { length } = traffic.atMs;
    await pass(10 * minute);
    const since = traffic.atMs.slice(length);
    expect(since.filter((at) => at % second !== 0)).toEqual([]);
    expect(since.length).toBeGreaterThanOrEqual(2 * 19);
    expect(since.length).toBeLessThanOrEqual(2 * 21);
  });

  it('draw a card once a minute where there are few', async () => {
    await begin(3);
    const [looks, cards] = [traffic.looks, shown()];
    await pass(30 * minute);
    expect(traffic.looks - looks).toBeGreaterThanOrEqual(3 * 55);
    expect(shown() - cards).toBeGreaterThanOrEqual(3 * 25);
    expect(shown() - cards).toBeLessThanOrEqual(3 * 31);
  });

  it('draw 25 cards a minute where there are many', async () => {
    await begin(40);
    const [looks, cards] = [traffic.looks, shown()];
    await pass(10 * minute);
    expect(traffic.looks - looks).toBeGreaterThanOrEqual(40 * 18);
    expect(shown() - cards).toBeGreaterThanOrEqual(240);
    expect(shown() - cards).toBeLessThanOrEqual(275);
  });

  it('are taken anew after a death, and what is missed for long is told', async () => {
    await begin(1);
    const { looks } = traffic;
    await pass(20 * second);
    // Dies with the look begun.
    await store.jobs.claim({ owner: 'w1', nowMs: clock.now() + 20 * second, leaseMs: 90 * minute, limit: 1 });
    await worker.stop(0);
    await boot('w2');
    await pass(30 * second);
    expect(traffic.looks).toBeGreaterThan(looks);
    expect((await journal()).filter(({ entry }) => entry.what === 'deadline-postponed')).toEqual([]);
    await worker.stop(0);
    clock.jump(20 * minute);
    await boot('w3');
    await pass(second);
    const [told] = (await journal()).filter(({ entry }) => entry.what === 'deadline-postponed');
    expect(told?.entry.text).toMatch(/away for 19 min 5\d s/);
  });

  it('do not hide what changes: it is recorded and asked about at once', async () => {
    await begin(40);
    await pass(5 * minute);
    const atMs = clock.now();
    traffic.candidateBad = 0.2;
    await pass(30 * second + 250);
    for (const name of names) {
      const { state } = await found(name);
      expect(state.rollout?.comparison).toMatchObject({ verdict: 'degraded' });
      expect(state.rollout?.comparison?.atMs).toBeGreaterThan(atMs);
      expect(state.degradation?.stage.name).toBe('asking');
      expect(fake.chat.messages.has(`card/${state.degradation?.id}`)).toBe(true);
    }
  });

  it('give way to what is decided meanwhile', async () => {
    await begin(1);
    await pass(40 * second);
    const command = { name: 'hold', forMs: 30 * minute, reason: 'lunch' } as const;
    expect(await app.command({ service: 'service-0', command, actor: ada, key: 'hold' })).toMatchObject({ ok: true });
    const { looks } = traffic;
    await pass(10 * minute);
    expect((await found()).state.rollout?.phase.name).toBe('holding');
    expect(traffic.looks - looks).toBeGreaterThanOrEqual(18);
    expect(traffic.looks - looks).toBeLessThanOrEqual(21);
    expect(fake.problems).toEqual([]);
  });
});
