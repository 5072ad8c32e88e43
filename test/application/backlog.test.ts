import { afterEach, beforeEach, expect, it } from 'vitest';
import { createApplication } from '../../src/application/application.ts';
import { createLeftBehind } from '../../src/application/left-behind.ts';
import type { Decide } from '../../src/application/submit.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { Alert } from '../../src/domain/state.ts';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/runtime/store.ts';
import { FakeTarget } from '../runtime/fakes.ts';
import { alert as alertOf, policiesOf, policy, recordingTelemetry, service, t0 } from '../runtime/support.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';

/** Alerts that come while others of their service are decided on: they are stored, their sender is told, and none is lost or out of turn. */

let store: Store;
let clock: VirtualClock;
let told: ReturnType<typeof recordingTelemetry>;
beforeEach(async () => {
  store = await openStore(':memory:');
  clock = virtualClock(t0);
  told = recordingTelemetry();
});
afterEach(() => store.close());

function application(over: { store?: Store; policies?: Policy[]; decide?: Decide } = {}) {
  return createApplication({
    store: over.store ?? store,
    clock,
    policies: policiesOf(...(over.policies ?? [policy()])),
    targets: () => new FakeTarget(),
    telemetry: told.telemetry,
    wake: () => undefined,
    ...(over.decide && { decide: over.decide }),
  });
}
const never = () => new Promise<never>(() => undefined);
/** A process that is killed before it has decided on anything. */
const dying = () => application({ store: { ...store, transaction: never } });

const alert = (fingerprint: string, over: Partial<Alert> = {}) => alertOf({ fingerprint, ...over });
const ended = (fingerprint: string) => alert(fingerprint, { status: 'resolved', endsAtMs: t0 + 1 });
const waiting = async () =>
  (await store.accepted.list(Number.MAX_SAFE_INTEGER, 999)).map(({ alerts }) => alerts[0]?.fingerprint);
const known = async () => (await store.load(service))?.state.alerts.map((a) => `${a.fingerprint} ${a.status}`) ?? [];

/** Dies with two that it accepted; the first to come it had not answered. */
async function leaveTwoBehind(): Promise<void> {
  const app = dying();
  void app.receiveAlerts([alert('unanswered')]);
  await app.receiveAlerts([alert('a')]);
  await app.receiveAlerts([ended('a'), alert('b')]);
  expect(await waiting()).toEqual(['a', 'a']);
  expect(await known()).toEqual([]);
}

it('is answered when it is stored, and decided on in its turn', async () => {
  const app = application();
  const receipts = await Promise.all([
    app.receiveAlerts([alert('a')]),
    app.receiveAlerts([alert('b')]),
    app.receiveAlerts([ended('a')]),
  ]);
  expect(receipts).toEqual([1, 1, 1].map((matched) => ({ matched, unmatched: 0, duplicates: 0 })));
  await app.drained();
  expect(await known()).toEqual(['a resolved', 'b firing']);
  expect(await waiting()).toEqual([]);
});

it('keeps its place also where storing it takes longer than what comes after it', async () => {
  const puts: (() => void)[] = [];
  const slow: Store = {
    ...store,
    accepted: {
      ...store.accepted,
      async put(entry) {
        await new Promise<void>((go) => puts.push(go));
        return store.accepted.put(entry);
      },
    },
  };
  const app = application({ store: slow });
  const first = app.receiveAlerts([alert('a')]);
  const second = app.receiveAlerts([ended('a')]);
  await first;
  const third = app.receiveAlerts([alert('a', { startsAtMs: t0 + 2 })]);
  for (const go of puts.reverse()) go();
  await Promise.all([second, third]);
  await app.drained();
  expect((await store.load(service))?.state.alerts).toMatchObject([{ status: 'firing', startsAtMs: t0 + 2 }]);
});

it('is decided on by the next process where the one that took it died', async () => {
  await leaveTwoBehind();
  const next = application();
  const leftBehind = createLeftBehind({ application: next, clock, telemetry: told.telemetry, alone: true });
  await leftBehind.start();
  expect(await known()).toEqual(['a resolved', 'b firing']);
  expect(await waiting()).toEqual([]);
  await leftBehind.stop();
  // Its sender never heard of the first, and comes again.
  await next.receiveAlerts([alert('unanswered')]);
  expect(await known()).toContain('unanswered firing');
});

it('is left to the replica that accepted it, as long as that one may live', async () => {
  await leaveTwoBehind();
  const other = application();
  const leftBehind = createLeftBehind({ application: other, clock, telemetry: told.telemetry, alone: false });
  await leftBehind.start();
  expect(await known()).toEqual([]);
  const pass = () => clock.advance(10_000, () => new Promise((turn) => setTimeout(turn, 5)));
  await pass();
  expect(await known()).toEqual([]);
  await pass();
  await other.drained();
  expect(await known()).toEqual(['a resolved', 'b firing']);
  await leftBehind.stop();
});

it('is decided on once where two replicas find it', async () => {
  await leaveTwoBehind();
  const late = clock.now() + 1;
  await Promise.all([application().takeLeftBehind(late), application().takeLeftBehind(late)]);
  await new Promise((turn) => setImmediate(turn));
  expect(told.decided.map(({ outcome }) => outcome).sort()).toEqual([
    ...['accepted', 'accepted', 'accepted'],
    ...['duplicate', 'duplicate', 'duplicate'],
  ]);
  expect(await waiting()).toEqual([]);
});

it('is nobody’s where its policy is gone by then, and shown with those that no policy matches', async () => {
  await leaveTwoBehind();
  const app = application({ policies: [policy({ service: 'ranker' })] });
  await app.takeLeftBehind(clock.now() + 1);
  expect(await waiting()).toEqual([]);
  expect((await store.unmatched.list(9)).map(({ fingerprint }) => fingerprint).sort()).toEqual(['a', 'b']);
});

it('stays stored where it cannot be decided on, which is told, and is tried again', async () => {
  await leaveTwoBehind();
  const broken = application({
    decide: () => {
      throw new Error('a mistake of ours');
    },
  });
  await broken.takeLeftBehind(clock.now() + 1);
  expect(told.problems).toEqual([
    `alerts of ${service}, which are stored and tried again: a mistake of ours`,
    `alerts of ${service}, which are stored and tried again: a mistake of ours`,
  ]);
  expect(await waiting()).toEqual(['a', 'a']);
  await application().takeLeftBehind(clock.now() + 1);
  expect(await known()).toEqual(['a resolved', 'b firing']);
});

it('that cannot be stored is refused, and nothing comes of it', async () => {
  const full: Store = { ...store, accepted: { ...store.accepted, put: () => Promise.reject(new Error('disk full')) } };
  const app = application({ store: full });
  const [first, second] = await Promise.allSettled([app.receiveAlerts([alert('a')]), app.receiveAlerts([alert('b')])]);
  expect([first.status, second.status]).toEqual(['fulfilled', 'rejected']);
  await app.drained();
  expect(await known()).toEqual(['a firing']);
  expect(told.problems).toEqual([]);
});

it('waits with its sender where too much waits already', async () => {
  const app = dying();
  void app.receiveAlerts([alert('unanswered')]);
  for (let body = 0; body < 5; body += 1)
    await app.receiveAlerts(Array.from({ length: 1_000 }, (_, i) => alert(`${body}/${i}`)));
  let isAnswered = false;
  void app.receiveAlerts([alert('late')]).then(() => {
    isAnswered = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isAnswered).toBe(false);
  expect(await waiting()).toHaveLength(5);
});
