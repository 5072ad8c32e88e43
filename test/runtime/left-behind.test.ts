import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { JournalEntry } from '../../src/domain/effect.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Store } from '../../src/ports/store.ts';
import { createPerformers } from '../../src/runtime/performers/index.ts';
import { createWorker, type Worker } from '../../src/runtime/worker.ts';
import { SimulatedDisk } from '../simulation/disk.ts';
import { virtualClock } from '../support/clock.ts';
import { fakeWorld } from './fakes.ts';
import { degradation, enqueue, newJob, saveState, service, state, t0 } from './support.ts';

/** What a process posts that dies before it is flushed that it began to: the next one must neither post it twice nor forget it. */

const card = { kind: 'degradation', id: degradation().id } as const;
const cardId = `card/${card.id}`;
const lane = `chat/${card.id}`;
const clock = virtualClock(t0);
let disk: SimulatedDisk;
let store: Store;
/** Slack: it outlives every process. */
let slack: ReturnType<typeof fakeWorld>['chat'];
let workers: Worker[];

beforeEach(async () => {
  disk = new SimulatedDisk(false);
  await disk.create();
  store = disk.open();
  slack = fakeWorld(store, clock).chat;
  workers = [];
  await saveState(store, state({ degradation: degradation() }));
});
afterEach(async () => {
  for (const worker of workers) await worker.stop(0);
  disk.close();
});

/** A process: where `hears` is false no answer of Slack's reaches it any more. */
async function life(hears: boolean): Promise<Worker> {
  const { world } = fakeWorld(store, clock);
  const chat = {
    find: slack.find.bind(slack),
    update: slack.update.bind(slack),
    async post(...args: Parameters<typeof slack.post>) {
      const address = await slack.post(...args);
      return hears ? address : new Promise<never>(() => undefined);
    },
  };
  const recorder = { record: async () => true };
  const performers = createPerformers({ ...world, chat });
  const { telemetry } = world;
  const worker = createWorker({ store, recorder, performers, clock, telemetry, owner: String(hears), alone: true });
  await worker.start();
  return worker;
}
/** Its first turn writes: only what comes later can be lost. */
async function posted(): Promise<void> {
  const worker = await life(false);
  await worker.settled();
  await enqueue(store, cardJob());
  worker.wake();
  await vi.waitFor(() => expect(posts()).toEqual([`post ${cardId}`]));
}
async function next(): Promise<void> {
  disk.cut();
  store = disk.open();
}
async function livesOn(): Promise<void> {
  const worker = await life(true);
  workers.push(worker);
  await worker.settled();
}
/** So long that nothing can be on its way to Slack any more. */
async function pastArrival(): Promise<void> {
  for (const worker of workers) await clock.advance(6_000, () => worker.settled());
}
const cardJob = (urgent = true) =>
  newJob({ effect: { kind: 'card', card, urgent }, key: cardId, lane, merge: true, priority: 4 });
const line = (text: string) => newJob({ effect: { kind: 'say', card, entry: entry(text) }, lane, priority: 6 });
const posts = () => slack.calls.filter((call) => call.startsWith('post'));

it('is found again: nobody sees it twice, and what is true now stands there', async () => {
  await posted();
  await next();
  expect(await store.messages.get(cardId)).toBeNull();
  await livesOn();
  expect(slack.calls).toEqual([`post ${cardId}`, `find ${cardId}`, `update ${cardId}`]);
  expect(await store.messages.get(cardId)).toMatchObject({ state: 'posted' });
});

it('is found again also where another job took the place of its own before it was looked for', async () => {
  await posted();
  await next();
  slack.trouble = (call) => (call.startsWith('find') ? new PortError('retryable', 'Slack is down.') : null);
  const worker = await life(true);
  workers.push(worker);
  await vi.waitFor(() => expect(slack.calls).toContain(`find ${cardId}`));
  await worker.stop(0);
  slack.trouble = () => null;
  await enqueue(store, { ...cardJob(), merge: false });
  await livesOn();
  expect(posts()).toHaveLength(1);
});

it('is posted by the next one where it was not', async () => {
  await enqueue(store, cardJob());
  await next();
  await livesOn();
  await pastArrival();
  expect(slack.calls).toEqual([`find ${cardId}`, `find ${cardId}`, `post ${cardId}`]);
});

it('is seen once also where it arrives after the next one looked for it', async () => {
  const arrives = slack.post.bind(slack);
  slack.post = () => new Promise<never>(() => undefined);
  const dead = await life(false);
  await enqueue(store, cardJob());
  dead.wake();
  await dead.stop(0);
  await next();
  slack.post = arrives;
  await livesOn();
  expect(slack.calls).toEqual([`find ${cardId}`]);
  await slack.post({ id: cardId, channel: 'C1', thread: null, content: { kind: 'note', text: 'as it was' } });
  await pastArrival();
  expect(slack.calls).toEqual([`find ${cardId}`, `post ${cardId}`, `find ${cardId}`, `update ${cardId}`]);
});

it('is the first line of a thread at most: those behind it are not looked for', async () => {
  await enqueue(store, line('one'), line('two'), line('three'));
  await next();
  await livesOn();
  await pastArrival();
  expect(slack.calls).toEqual([
    `find ${cardId}`,
    `find ${cardId}`,
    `post ${cardId}`,
    `find say/${service}/1`,
    ...[1, 2, 3].map((id) => `post say/${service}/${id}`),
  ]);
});

it('is not lost with the commit that was to say it was begun: the process itself remembers', async () => {
  await store.messages.begin(cardId, t0, 'unhurried');
  expect(await store.messages.get(cardId)).toMatchObject({ state: 'posting', address: null });
  await store.messages.posted(cardId, { channel: 'C1', ts: '1.0' }, 'x');
  expect(await store.messages.get(cardId)).toMatchObject({ state: 'posted', address: { ts: '1.0' } });
});

function entry(text: string): JournalEntry {
  const actor = { kind: 'policy', id: 'p', name: 'p' } as const;
  const nothing = { from: null, to: null, reason: '', numbers: [], policyRevision: 'rev1' };
  return { atMs: t0, actor, what: 'held', rolloutId: null, degradationId: null, text, ...nothing };
}
