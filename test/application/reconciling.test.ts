import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ASK_EVERY_MS, ASK_SELDOM_MS, createReconciler, type Reconciler } from '../../src/app/reconciling.ts';
import type { Endpoint } from '../../src/domain/policy.ts';
import type { Alert, ServiceState } from '../../src/domain/state.ts';
import type { AlertList } from '../../src/ports/alert-source.ts';
import { PortError } from '../../src/ports/failure.ts';
import { degradation, policiesOf, policy, service, state, t0 } from '../runtime/support.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';

const MINUTE = 60_000;
const endpoint: Endpoint = {
  url: 'http://am',
  headers: {},
  tls: { ca: null, cert: null, key: null, insecure: false },
};
const firing: Alert = {
  fingerprint: 'f1',
  name: 'HighErrors',
  severity: 'warning',
  status: 'firing',
  startsAtMs: t0 - MINUTE,
  endsAtMs: null,
  summary: '',
  description: '',
  labels: { service },
  generatorUrl: '',
  runbookUrl: '',
};

let clock: VirtualClock;
let reconciler: Reconciler;
let states: ServiceState[];
let answer: AlertList | PortError;
let policies = policiesOf(policy());
let endpoints: (Endpoint | null)[];
const asked: number[] = [];
const received: (readonly [string, readonly Alert[]])[] = [];
const reached: string[] = [];
const problems: string[] = [];

beforeEach(() => {
  clock = virtualClock(t0);
  states = [];
  policies = policiesOf(policy());
  endpoints = [endpoint];
  answer = { alerts: [], upSinceMs: t0 - 60 * MINUTE };
  for (const list of [asked, received, reached, problems]) list.length = 0;
  reconciler = createReconciler({
    application: {
      policies: () => policies.all(),
      async receiveAlerts(alerts, found) {
        received.push([found?.service ?? 'everybody', alerts]);
        return { matched: 1, unmatched: 0, duplicates: 0 };
      },
    },
    store: {
      async changes(_known, changed) {
        for (const state of states) changed({ state, version: 1 });
        return [];
      },
    },
    clock,
    endpointOf: () => endpoints[0] ?? null,
    sourceOf: () => ({
      async list() {
        asked.push(clock.now() - t0);
        if (answer instanceof PortError) throw answer;
        return answer;
      },
      silence: async () => undefined,
      lift: async () => undefined,
    }),
    onReach: (_, ok, problem) => reached.push(ok ? 'answers' : (problem ?? '')),
    onProblem: (error) => problems.push(String(error)),
  });
});
afterEach(() => reconciler.stop());

const pass = (ms: number) => clock.advance(ms, () => reconciler.settled());

describe('asking Alertmanager again and again', () => {
  it('begins at the start, is seldom while nothing hangs on it, and often as soon as something does', async () => {
    reconciler.start();
    await pass(2 * ASK_SELDOM_MS);
    expect(asked).toEqual([0, ASK_SELDOM_MS, 2 * ASK_SELDOM_MS]);
    states = [state({ degradation: degradation() })];
    asked.length = 0;
    await pass(MINUTE);
    expect(asked).toHaveLength(MINUTE / ASK_EVERY_MS);
  });

  it('asks each Alertmanager once for all its services, and nobody where there is none', async () => {
    policies = policiesOf(policy(), policy({ service: 'ranker' }));
    reconciler.start();
    await pass(MINUTE);
    expect(asked).toEqual([0]);
    endpoints = [];
    reconciler.wake();
    await pass(20 * MINUTE);
    expect(asked).toEqual([0]);
    // Until the policies change.
    endpoints = [endpoint];
    reconciler.wake();
    await pass(0);
    expect(asked).toEqual([0, 21 * MINUTE]);
    reconciler.wake();
    await pass(0);
    expect(asked).toHaveLength(3);
  });

  it('says once that it does not answer, concludes nothing from it, and asks on', async () => {
    states = [state({ alerts: [firing] })];
    reconciler.start();
    await pass(0);
    answer = new PortError('retryable', 'It is away.');
    await pass(10 * MINUTE);
    expect(reached).toEqual(['answers', 'It is away.']);
    expect(asked.length).toBe(1 + (10 * MINUTE) / ASK_EVERY_MS);
    expect(received).toEqual([]);
    // What the answer before the outage lacked does not count: the next two have to agree.
    answer = { alerts: [], upSinceMs: t0 - 60 * MINUTE };
    await pass(ASK_EVERY_MS);
    expect([reached.at(-1), received]).toEqual(['answers', []]);
    await pass(ASK_EVERY_MS);
    expect(received).toMatchObject([[service, [{ fingerprint: 'f1', status: 'resolved' }]]]);
  });

  it('asks at once after we were away, and takes two answers anew', async () => {
    states = [state({ alerts: [firing] })];
    reconciler.start();
    await pass(0);
    clock.jump(2 * MINUTE);
    await reconciler.settled();
    expect([asked, received]).toEqual([[0, 2 * MINUTE], []]);
    await pass(ASK_EVERY_MS);
    expect(received).toHaveLength(1);
  });

  it('asks on where something may be on its way, until it is found', async () => {
    const young = { ...firing, startsAtMs: t0 };
    answer = { alerts: [{ alert: young, muted: false, mutedByTags: [], mutedByOthers: false }], upSinceMs: null };
    reconciler.start();
    await pass(MINUTE - ASK_EVERY_MS);
    expect([asked.length, received]).toEqual([4, []]);
    await pass(ASK_EVERY_MS);
    expect(received).toEqual([[service, [young]]]);
  });

  it('delivers what it found to its service, and goes on where that could not be stored', async () => {
    const held = { alert: firing, muted: false, mutedByTags: [], mutedByOthers: false };
    answer = { alerts: [held], upSinceMs: null };
    reconciler.start();
    await pass(0);
    expect(received).toEqual([[service, [firing]]]);
    policies = { ...policies, all: () => raise('the policies cannot be read') };
    await pass(ASK_EVERY_MS);
    expect(problems).toHaveLength(1);
    policies = policiesOf(policy());
    await pass(ASK_SELDOM_MS);
    expect(received.length).toBeGreaterThan(1);
  });
});

function raise(why: string): never {
  throw new Error(why);
}
