import { afterEach, beforeEach, expect, it } from 'vitest';
import { createApplication } from '../../src/application/application.ts';
import type { Actor } from '../../src/domain/state.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Store } from '../../src/ports/store.ts';
import { createPerformers } from '../../src/runtime/performers/index.ts';
import { openStore } from '../../src/runtime/store.ts';
import { createWorker, type Worker } from '../../src/runtime/worker.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';
import { fakeWorld } from './fakes.ts';
import { service, t0 } from './support.ts';

const minute = 60_000;
const ada: Actor = { kind: 'person', id: 'U1', name: 'Ada' };
const start = { service, candidate: { id: 'v42' }, force: false, reason: 'weekly', actor: ada, key: 'start' };

let store: Store;
let clock: VirtualClock;
let fake: ReturnType<typeof fakeWorld>;
let worker: Worker;
let app: ReturnType<typeof createApplication>;

/** The real decisions, store, worker and performers; only the world outside is played. */
async function boot(owner: string): Promise<void> {
  const { world } = fake;
  app = createApplication({ ...world, wake: () => worker.wake() });
  worker = createWorker({
    ...world,
    recorder: app,
    performers: createPerformers(world),
    owner,
    alone: true,
    random: () => 0,
  });
  await worker.start();
}
beforeEach(async () => {
  store = await openStore(':memory:');
  clock = virtualClock(t0);
  fake = fakeWorld(store, clock);
  fake.target.split = { stable: 'v41', candidate: 'v42', exposurePercent: 0 };
  await boot('w1');
});
afterEach(async () => {
  await worker.stop(0);
  await store.close();
});
const pass = (ms: number) => clock.advance(ms, () => worker.settled());
const now = async () => (await app.status(service))!.state;

it('a rollout without numbers is held and paged at the deadline, and a person takes it back', async () => {
  expect(await app.start(start)).toMatchObject({ ok: true });
  await pass(0);
  expect(fake.target.split.exposurePercent).toBe(10);
  expect((await now()).rollout).toMatchObject({ exposurePercent: 10, phase: { name: 'advancing', stage: 'soaking' } });
  expect(fake.chat.messages.has(`card/${service}-r1`)).toBe(true);

  await pass(60 * minute);
  const held = await now();
  expect(held.degradation).toMatchObject({ stage: { name: 'held', why: 'no-data' }, page: { state: 'triggered' } });
  expect(held.rollout).toMatchObject({ exposurePercent: 10, phase: { name: 'deciding' } });
  expect(fake.pager.pages.length).toBeGreaterThan(0);
  expect(fake.chat.messages.has(`card/${held.degradation?.id}`)).toBe(true);

  const command = { name: 'rollback', pace: 'at-once', to: null, reason: 'enough' } as const;
  expect(await app.command({ service, command, actor: ada, key: 'back' })).toMatchObject({ ok: true });
  await pass(60 * minute);
  expect(fake.target.split.exposurePercent).toBe(0);
  const over = await now();
  expect(over.rollout?.phase.name).toBe('rolled_back');
  expect(over.degradation?.stage).toMatchObject({ name: 'ended', outcome: 'rolled-back' });
  expect(fake.pager.pages.at(-1)?.action).toBe('resolve');
  expect(fake.problems).toEqual([]);
});

it('death between any two moments loses nothing: the next start goes on', async () => {
  fake.target.slowness = 3;
  await app.start(start);
  for (let life = 2; life < 40; life += 1) {
    await pass(2 * minute);
    // Dies with what was just begun still leased to it.
    await store.jobs.claim({ owner: `w${life}`, nowMs: clock.now() + 20_000, leaseMs: 90 * minute, limit: 3 });
    await worker.stop(0);
    await boot(`w${life}`);
  }
  await pass(minute);
  const state = await now();
  expect(state.rollout?.exposurePercent).toBe(fake.target.split.exposurePercent);
  expect(state.degradation).toMatchObject({ stage: { name: 'held' }, page: { state: 'triggered' } });
  const posts = fake.chat.calls.filter((call) => call.startsWith('post'));
  expect(new Set(posts).size).toBe(posts.length);
});

it('a Slack that is away for an hour delays cards, never decisions, and shows what is true afterwards', async () => {
  fake.chat.trouble = () => new PortError('retryable', 'Slack is unreachable.');
  await app.start(start);
  await pass(60 * minute);
  expect((await now()).degradation).toMatchObject({ stage: { name: 'held' }, page: { state: 'triggered' } });
  expect(fake.chat.messages.size).toBe(0);
  fake.chat.trouble = () => null;
  await pass(2 * minute);
  const degradation = (await now()).degradation;
  expect(fake.chat.messages.get(`card/${degradation?.id}`)).toMatchObject({
    content: { view: { degradation: { stage: { name: 'held' } } } },
  });
});
