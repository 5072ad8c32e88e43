import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { degradedModes, recoveredText } from '../../src/app/degraded.ts';
import { DUTY_LEASE_MS, sharedDuty } from '../../src/app/duty.ts';
import { createOperators, type Operators } from '../../src/app/operators.ts';
import { inSettings } from '../../src/app/operators-memory.ts';
import { createReconciler, type Reconciler } from '../../src/app/reconciling.ts';
import { createUnmatchedTelling, type Telling } from '../../src/app/unmatched-telling.ts';
import type { HealthPart } from '../../src/ports/health.ts';
import type { Store } from '../../src/ports/store.ts';
import { bring } from '../../src/runtime/performers/message.ts';
import { openStore } from '../../src/runtime/store.ts';
import { fakeWorld } from '../runtime/fakes.ts';
import { policy, t0 } from '../runtime/support.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';

const minute = 60_000;
const live = new AbortController().signal;
const replicas = ['a', 'b', 'c'] as const;
type Replica = (typeof replicas)[number];

/** What one replica does for all is done once, and goes to another with its end. The store is shared; here it is one in memory. */
describe('of three replicas one', () => {
  let store: Store;
  let clock: VirtualClock;
  let made: ReturnType<typeof fakeWorld>;
  const posts = () => made.chat.calls.filter((call) => call.startsWith('post'));
  const textOf = (id: string) => {
    const content = made.chat.messages.get(id)?.content;
    return content?.kind === 'note' ? content.text : null;
  };
  const dutyOf = (owner: Replica, name: string) => sharedDuty(name, { store, clock, owner });
  beforeEach(async () => {
    store = await openStore(':memory:');
    clock = virtualClock(t0);
    made = fakeWorld(store, clock);
  });
  afterEach(() => store.close());

  describe('tells operators', () => {
    const seen = new Map<Replica, HealthPart>();
    const begin = (owner: Replica): Promise<Operators> =>
      createOperators({
        ...made.world,
        channel: '#ops',
        memory: inSettings(store.settings),
        duty: dutyOf(owner, 'operators'),
        seen: () => seen.get(owner) ?? null,
      });
    const fails = (operators: Operators, owner: Replica) => {
      const now = part(false);
      seen.set(owner, now);
      operators.changed({ now, afterMs: null, text: degradedModes([now])[0]?.text ?? '' });
    };
    const recovers = (operators: Operators, owner: Replica, afterMs: number) => {
      const now = part(true);
      seen.set(owner, now);
      operators.changed({ now, afterMs, text: recoveredText(now, afterMs) });
    };
    const part = (ok: boolean): HealthPart => ({
      part: 'prometheus',
      name: 'http://prometheus',
      ok,
      sinceMs: clock.now(),
      detail: ok ? 'answers' : 'connection refused',
      failures: ok ? 0 : 2,
    });
    const only = () => [...made.chat.messages.keys()];
    beforeEach(() => seen.clear());

    it('of an outage all of them see', async () => {
      const all = await Promise.all(replicas.map(begin));
      for (const [n, operators] of all.entries()) {
        fails(operators, replicas[n] ?? 'a');
        clock.jump(1_000);
      }
      for (let round = 0; round < 3; round += 1) await Promise.all(all.map((operators) => operators.deliver(live)));
      expect(posts()).toHaveLength(1);
      clock.jump(10 * 1_000);
      for (const [n, operators] of all.entries()) recovers(operators, replicas[n] ?? 'a', 10_000);
      for (const operators of all) await operators.deliver(live);
      expect(only()).toHaveLength(1);
      expect(textOf(only()[0] ?? '')).toContain('recovered');
    });

    it('of its end, also where who told of its beginning is gone', async () => {
      const [first, second] = [await begin('a'), await begin('b')];
      fails(first, 'a');
      clock.jump(3_000);
      fails(second, 'b');
      await first.deliver(live);
      await second.deliver(live);
      clock.jump(DUTY_LEASE_MS);
      await second.deliver(live);
      expect(posts()).toHaveLength(1);
      recovers(second, 'b', minute);
      await second.deliver(live);
      expect(only()).toHaveLength(1);
      expect(textOf(only()[0] ?? '')).toContain('recovered');
    });

    it('of the end of what it never saw itself', async () => {
      const [first, second] = [await begin('a'), await begin('b')];
      fails(first, 'a');
      await first.deliver(live);
      seen.set('b', part(true));
      clock.jump(DUTY_LEASE_MS);
      await second.deliver(live);
      expect(only()).toHaveLength(1);
      expect(textOf(only()[0] ?? '')).toContain('recovered');
    });
  });

  it('tells the default channel of alerts that no policy matches', async () => {
    const begin = (owner: Replica): Telling => {
      const duty = dutyOf(owner, 'unmatched');
      return createUnmatchedTelling({
        channel: '#default',
        book: store.unmatched,
        policies: () => [policy()],
        bring: (message, signal) => bring(made.world, message, signal, duty.stillOurs),
        clock,
        onProblem: (error) => made.problems.push(String(error)),
        duty,
      });
    };
    const all = replicas.map(begin);
    const settled = async () => {
      for (const telling of all) await telling.settled();
    };
    const note = async (name: string) => {
      const labels = { alertname: name };
      const alert = { fingerprint: name, name, summary: name, labels, status: 'firing', startsAtMs: clock.now() };
      await store.unmatched.note([alert as never], clock.now());
      for (const telling of all) telling.wake();
      await settled();
    };
    for (const telling of all) telling.start();
    await settled();
    await note('A');
    await note('B');
    expect(posts()).toHaveLength(2);
    // Whoever has the duty stops; a notice is lost, and the others look all the same.
    await all[0]?.stop();
    const alert = { fingerprint: 'C', name: 'C', summary: 'C', labels: {}, status: 'firing', startsAtMs: clock.now() };
    await store.unmatched.note([alert as never], clock.now());
    await clock.advance(2 * DUTY_LEASE_MS, settled);
    expect(posts()).toHaveLength(3);
    expect(made.problems).toEqual([]);
    await Promise.all(all.map((telling) => telling.stop()));
  });

  it('asks Alertmanager, and another when it stops', async () => {
    const asked: Replica[] = [];
    const begin = (owner: Replica): Reconciler =>
      createReconciler({
        application: {
          policies: () => [policy()],
          receiveAlerts: async () => ({ matched: 0, unmatched: 0, duplicates: 0 }),
        },
        store,
        clock,
        endpointOf: () => ({
          url: 'http://am',
          headers: {},
          tls: { ca: null, cert: null, key: null, insecure: false },
        }),
        sourceOf: () => ({
          list: async () => {
            asked.push(owner);
            return { alerts: [], upSinceMs: null };
          },
          silence: async () => undefined,
          lift: async () => undefined,
        }),
        onReach: () => undefined,
        onProblem: (error) => made.problems.push(String(error)),
        duty: dutyOf(owner, 'alertmanagers'),
      });
    const all = replicas.map(begin);
    const settled = async () => {
      for (const reconciler of all) await reconciler.settled();
    };
    for (const reconciler of all) reconciler.start();
    await clock.advance(11 * minute, settled);
    const [holder] = asked;
    expect(new Set(asked)).toEqual(new Set([holder]));
    expect(asked.length).toBeGreaterThan(1);
    const before = asked.length;
    await all[replicas.indexOf(holder ?? 'a')]?.stop();
    await clock.advance(minute, settled);
    expect(asked.length).toBeGreaterThan(before);
    expect(asked.slice(before)).not.toContain(holder);
    expect(new Set(asked.slice(before)).size).toBe(1);
    expect(made.problems).toEqual([]);
    await Promise.all(all.map((reconciler) => reconciler.stop()));
  });
});
