import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compare } from '../../src/analysis/compare.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Page } from '../../src/ports/pager.ts';
import type { Store } from '../../src/ports/store.ts';
import { measurePerformer } from '../../src/runtime/performers/measure.ts';
import { pagePerformer } from '../../src/runtime/performers/page.ts';
import { openStore } from '../../src/runtime/store.ts';
import { period } from '../analysis/support.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';
import { errorRate } from '../support/policy.ts';
import { fakeWorld, jobOf } from './fakes.ts';
import { degradation, policiesOf, policy, rollout, saveState, service, state, t0 } from './support.ts';

type Escalate = NonNullable<Policy['escalate']>;

let store: Store;
let clock: VirtualClock;
let fake: ReturnType<typeof fakeWorld>;
beforeEach(async () => {
  store = await openStore(':memory:');
  clock = virtualClock(t0 + 60_000);
  fake = fakeWorld(store, clock);
  await saveState(store, state({ degradation: degradation() }));
});
afterEach(() => store.close());
const signal = () => new AbortController().signal;

describe('a page', () => {
  const degradationId = degradation().id;
  const trigger = { kind: 'page', action: 'trigger', degradationId, summary: 'fraud-scorer is worse' } as const;
  const perform = (action: 'trigger' | 'resolve', attempt = 1) => {
    const effect = { ...trigger, action };
    return pagePerformer(fake.world).perform(effect, jobOf(effect, { attempt }), signal());
  };
  const ended = () =>
    saveState(store, state({ degradation: degradation({ stage: { name: 'ended', atMs: t0, outcome: 'recovered' } }) }));

  it('says how to answer, where it stands and where to read on', async () => {
    expect(await perform('trigger')).toEqual({
      kind: 'event',
      event: { type: 'paged', degradationId, action: 'trigger', policyRevision: policy().revision },
    });
    expect(fake.pager.pages).toMatchObject([
      {
        dedupKey: `prod/${degradationId}`,
        summary: 'fraud-scorer is worse',
        severity: 'error',
        routingKey: 'R1',
        links: [{ text: 'Runbook', href: 'https://runbooks.example/fraud' }],
        details: {
          'how to answer': expect.stringMatching(/#ml-rollouts.*\/rollout rollback fraud-scorer/),
          stable: 'v41',
          candidate: 'v42',
          exposure: '10 %',
          'default action at': '2026-11-21T09:15:00.000Z',
        },
      },
    ]);
  });

  it('says by which metrics it cannot be told whether stable is equally bad', async () => {
    const { plan } = rollout();
    const [first = errorRate] = plan.metrics;
    const metrics = [{ ...first, arms: 'one' as const }];
    const found = compare({ metrics, settings: plan.comparison, hasCandidate: true, period: period(4), samples: [] });
    const next = state({
      rollout: rollout({ plan: { ...plan, metrics } }),
      degradation: degradation({ comparison: found }),
    });
    await saveState(store, next);
    await perform('trigger');
    expect(fake.pager.pages[0]?.details).toMatchObject({
      'whether stable is equally bad': `cannot be told by ${first.title}: no version label`,
    });
  });

  it('is not sent any more when the degradation has ended meanwhile', async () => {
    await ended();
    expect(await perform('trigger')).toEqual({ kind: 'done' });
    expect(fake.pager.pages).toEqual([]);
  });

  it('that may have got through before it ended is resolved', async () => {
    await ended();
    expect(await perform('trigger', 2)).toEqual({ kind: 'done' });
    expect(fake.pager.pages).toMatchObject([{ action: 'resolve', dedupKey: `prod/${degradationId}` }]);
  });

  it('is not sent any more when somebody is on it, or has decided; one that may have got through wakes nobody further', async () => {
    const acknowledged = { by: { kind: 'person', id: 'U1', name: 'Ada' } as const, atMs: t0, reason: '' };
    await saveState(store, state({ degradation: degradation({ acknowledged }) }));
    expect(await perform('trigger')).toEqual({ kind: 'done' });
    expect(await perform('trigger', 2)).toEqual({
      kind: 'event',
      event: { type: 'paged', degradationId, action: 'acknowledge' },
    });
    for (const stage of [{ name: 'decided' }, { name: 'held', why: 'person' }] as const) {
      const decision = { by: acknowledged.by, action: 'Rolled back', reason: '', atMs: t0 };
      await saveState(store, state({ degradation: degradation({ stage, decision }) }));
      expect(await perform('trigger')).toEqual({ kind: 'done' });
      expect(await perform('trigger', 2)).toEqual({ kind: 'done' });
    }
    expect(fake.pager.pages.map(({ action }) => action)).toEqual(['acknowledge', 'resolve', 'resolve']);
  });

  it('is ended where it was opened, whatever the policy says by now', async () => {
    const escalate = (routingKey: string | null) => ({ ...(policy().escalate as Escalate), routingKey });
    const first = policy({ revision: 'rev-a', escalate: escalate('KEY-A') });
    const second = policy({ revision: 'rev-b', escalate: escalate('KEY-B') });
    const now = policy({ revision: 'rev-c', escalate: null });
    const kept = [now, first, second];
    fake.world = { ...fake.world, policies: policiesOf(...kept) };
    const page = { state: 'triggered', atMs: t0, by: null, policyRevisions: ['rev-a', 'rev-b'] } as const;
    await saveState(store, state({ degradation: degradation({ page }) }));
    await perform('resolve');
    expect(fake.pager.pages.map(({ action, routingKey }) => [action, routingKey])).toEqual([
      ['resolve', 'KEY-A'],
      ['resolve', 'KEY-B'],
    ]);
    // A revision that cannot be read any more, and a state from before they were kept.
    fake.pager.pages.length = 0;
    fake.world = { ...fake.world, policies: policiesOf(second) };
    await perform('resolve');
    await saveState(store, state({ degradation: degradation({ page: { state: 'triggered', atMs: t0, by: null } }) }));
    await perform('resolve');
    expect(fake.pager.pages.map(({ routingKey }) => routingKey)).toEqual(['KEY-B', 'KEY-B']);
  });

  it('that one key refuses ends at the others all the same, and is tried again', async () => {
    const escalate = (routingKey: string) => ({ ...(policy().escalate as Escalate), routingKey });
    const all = ['rev-a', 'rev-b'].map((revision) => policy({ revision, escalate: escalate(`KEY-${revision}`) }));
    const sent: (string | null)[] = [];
    const pager = {
      async send({ routingKey }: Page) {
        if (routingKey === 'KEY-rev-a') throw new PortError('permanent', 'refused');
        sent.push(routingKey);
      },
    };
    fake.world = { ...fake.world, pager, policies: policiesOf(...all) };
    const page = { state: 'triggered', atMs: t0, by: null, policyRevisions: ['rev-a', 'rev-b'] } as const;
    await saveState(store, state({ degradation: degradation({ page }) }));
    await expect(perform('resolve')).rejects.toThrow('refused');
    expect(sent).toEqual(['KEY-rev-b']);
  });

  it('given up is told to the decisions', () => {
    expect(pagePerformer(fake.world).givenUp(trigger, 'invalid routing key')).toEqual({
      type: 'page_failed',
      degradationId,
      action: 'trigger',
      reason: 'invalid routing key',
    });
  });
});

describe('a look', () => {
  const period = {
    against: 'stable' as const,
    fromMs: t0,
    healthyFromMs: t0,
    restartsAtMs: [t0],
    beforeOffsetMs: 3_600_000,
  };
  const effect = { kind: 'measure', lookId: 5, stable: 'v41', candidate: 'v42', period } as const;
  const looking = { look: { id: 5, askedAtMs: t0 } };
  beforeEach(() => saveState(store, state({ degradation: degradation(), ...looking })));
  const perform = () => measurePerformer(fake.world).perform(effect, jobOf(effect), signal());
  const noData = (missing: string) => ({
    kind: 'event',
    event: {
      type: 'measured',
      lookId: 5,
      comparison: { verdict: 'no-data', metrics: [{ sentence: expect.stringContaining(missing) }] },
    },
  });

  it('reads up to now and always has an answer', async () => {
    expect(await perform()).toMatchObject(noData('nothing was recorded'));
    expect(fake.source.requests).toMatchObject([
      { service, stable: 'v41', candidate: 'v42', windowMs: 30_000, period: { fromMs: t0, toMs: t0 + 60_000 } },
    ]);
  });

  it('that fails is no data, with why', async () => {
    fake.source.error = new Error('Prometheus is on fire');
    expect(await perform()).toMatchObject(noData('Prometheus is on fire'));
    expect(fake.problems).toEqual([`measure ${service}: Prometheus is on fire`]);
  });

  it('measures a rollout under way by what it began with, and an ended one by the present policy', async () => {
    const edited = policy({ revision: 'rev2', metrics: [] });
    const policies = { ...policiesOf(policy(), edited), get: () => edited };
    fake.world = { ...fake.world, policies };
    await perform();
    await saveState(
      store,
      state({ rollout: rollout({ phase: { name: 'rolled_back', atMs: t0, reason: '' } }), ...looking }),
    );
    await perform();
    expect(fake.asked.sources).toEqual(['rev1', 'rev2']);
    expect(fake.source.requests.map((request) => request.metrics.length)).toEqual([1, 0]);
  });
});
