import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MetricComparison } from '../../src/analysis/types.ts';
import { createApplication } from '../../src/application/application.ts';
import type { Decide } from '../../src/application/submit.ts';
import type { Effect } from '../../src/domain/effect.ts';
import type { DomainEvent } from '../../src/domain/event.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { Actor } from '../../src/domain/state.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/runtime/store.ts';
import { FakeTarget } from '../runtime/fakes.ts';
import {
  alert,
  degradation,
  policiesOf,
  policy,
  recordingTelemetry,
  rollout,
  saveState,
  service,
  state,
  t0,
} from '../runtime/support.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';

const ada: Actor = { kind: 'person', id: 'U1', name: 'Ada' };
const freeze = { name: 'freeze', reason: 'Black Friday' } as const;

let store: Store;
let clock: VirtualClock;
let told: ReturnType<typeof recordingTelemetry>;
let wakes: number;
let target: FakeTarget;
beforeEach(async () => {
  store = await openStore(':memory:');
  clock = virtualClock(t0);
  told = recordingTelemetry();
  wakes = 0;
  target = new FakeTarget();
});
afterEach(() => store.close());

function application(over: { policies?: Policy[]; decide?: Decide } = {}) {
  return createApplication({
    store,
    clock,
    policies: policiesOf(...(over.policies ?? [policy()])),
    targets: () => target,
    telemetry: told.telemetry,
    wake: () => {
      wakes += 1;
    },
    decide: over.decide,
  });
}

/** Counts events in the state's sequence; each alert or command leaves the given effects. */
function counting(effects: readonly Effect[] = []): Decide {
  return (before, event, { now }) => {
    if (event.type === 'command' && event.command.reason === 'refuse') {
      return { outcome: 'refused', refusal: { code: 'conflict', text: 'Something is in the way.' } };
    }
    if (event.type === 'policy_changed') return { outcome: 'ignored', why: 'Nothing changed.' };
    const next = { ...before, sequence: before.sequence + 1, clockMs: now };
    return { outcome: 'accepted', state: next, effects, journal: [], reply: `Number ${next.sequence}.` };
  };
}

describe('a command', () => {
  const command = (key: string, reason = 'why') => ({ service, command: { ...freeze, reason }, actor: ada, key });

  it('is decided, stored and answered; what it wants done waits in the job table, and the worker is woken', async () => {
    const app = application({ decide: counting([{ kind: 'timer', key: 'hold', atMs: t0 + 5, epoch: 1 }]) });
    expect(await app.command(command('k1'))).toEqual({ ok: true, text: 'Number 1.', duplicate: false });
    expect(await store.load(service)).toMatchObject({ version: 1, state: { sequence: 1 } });
    expect(await store.jobs.nextDueMs()).toBe(t0 + 5);
    expect(wakes).toBe(1);
  });

  it('with a key that was there before does nothing', async () => {
    const app = application({ decide: counting() });
    await app.command(command('k1'));
    expect(await app.command(command('k1'))).toMatchObject({ ok: true, duplicate: true });
    expect(await store.load(service)).toMatchObject({ version: 1, state: { sequence: 1 } });
  });

  it('that is refused leaves nothing behind: put right, it can be sent again', async () => {
    const app = application({ decide: counting() });
    const refusal = { code: 'conflict', text: 'Something is in the way.' };
    expect(await app.command(command('k1', 'refuse'))).toEqual({ ok: false, refusal });
    expect(await store.load(service)).toBeNull();
    expect(await app.command(command('k1'))).toMatchObject({ ok: true, duplicate: false });
    await expect.poll(() => told.decided.map((one) => one.outcome)).toEqual(['refused', 'accepted']);
  });

  it('for an unknown service says which there are', async () => {
    const answer = await application().command({ ...command('k1'), service: 'fraud' });
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'not-found', text: expect.stringContaining(service) } });
  });

  it('can be checked without happening', async () => {
    const app = application({ decide: counting() });
    expect(await app.check(command('k1'))).toMatchObject({ ok: true, text: 'Number 1.' });
    expect(await app.check(command('k1', 'refuse'))).toMatchObject({ ok: false });
    expect(await store.load(service)).toBeNull();
  });

  it('never sees time run backwards', async () => {
    const app = application({ decide: counting() });
    await saveState(store, state({ clockMs: t0 + 60_000 }));
    await app.command(command('k1'));
    expect((await store.load(service))?.state.clockMs).toBe(t0 + 60_000);
  });

  it('is carried out at once also where the machine’s clock was set back; its timers keep their distance', async () => {
    const shift: Effect = {
      kind: 'shift',
      shiftId: 's1',
      split: { stable: 'v41', candidate: 'v42', exposurePercent: 0 },
      gaining: 'v41',
    };
    const timer: Effect = { kind: 'timer', key: 'deadline', atMs: t0 + 3_600_000 + 5_000, epoch: 1 };
    const app = application({ decide: counting([shift, timer]) });
    await saveState(store, state({ clockMs: t0 + 3_600_000 }));
    await app.command(command('k1'));
    const request = { owner: 'w', leaseMs: 60_000, limit: 9 };
    expect(
      (await store.jobs.claim({ ...request, nowMs: t0 })).map((job) => [job.effect.kind, job.createdAtMs]),
    ).toEqual([['shift', t0]]);
    expect((await store.jobs.claim({ ...request, nowMs: t0 + 5_000 })).map((job) => job.effect.kind)).toEqual([
      'timer',
    ]);
  });

  it('many at once are all counted', async () => {
    const app = application({ decide: counting() });
    await Promise.all(Array.from({ length: 50 }, (_, i) => app.command(command(`k${i}`))));
    expect(await store.load(service)).toMatchObject({ version: 50, state: { sequence: 50 } });
  });
});

describe('an event', () => {
  it('that is ignored is remembered and changes nothing', async () => {
    const app = application({ decide: counting() });
    const deliver = () => app.deliver(service, { type: 'policy_changed' }, 'p1');
    expect(await deliver()).toEqual({ ok: true, text: 'Nothing changed.', duplicate: false });
    expect(await deliver()).toMatchObject({ duplicate: true });
    expect(await store.load(service)).toBeNull();
    expect(wakes).toBe(0);
  });

  it('of a service whose policy file is gone is decided by what its rollout began with', async () => {
    await saveState(store, state());
    const seen: string[] = [];
    const decide: Decide = (...args) => {
      seen.push(args[2].policy.revision);
      return counting()(...args);
    };
    const gone = { ...policiesOf(policy()), get: () => null };
    const app = createApplication({
      ...{
        store,
        clock,
        policies: gone,
        targets: () => target,
        telemetry: told.telemetry,
        wake: () => undefined,
        decide,
      },
    });
    expect(await app.deliver(service, { type: 'timer', key: 'look', epoch: 1 }, 'k')).toMatchObject({ ok: true });
    expect(seen).toEqual(['rev1']);
  });
});

describe('a job’s outcome', () => {
  const timer: Effect = { kind: 'timer', key: 'look', atMs: t0, epoch: 1 };
  async function claimed() {
    await store.transaction((unit) =>
      unit.enqueue({
        service,
        key: 'k',
        lane: null,
        merge: false,
        effect: timer,
        dueAtMs: t0,
        priority: 1,
        createdAtMs: t0,
      }),
    );
    const [job] = await store.jobs.claim({ owner: 'w', nowMs: t0, leaseMs: 1_000, limit: 1 });
    return job!;
  }
  const fired = { type: 'timer', key: 'look', epoch: 1 } as const;

  it('is recorded together with the job’s end', async () => {
    const app = application({ decide: counting() });
    expect(await app.record(await claimed(), fired)).toBe(true);
    expect(await store.jobs.pending()).toBe(0);
    expect((await store.load(service))?.state.sequence).toBe(1);
  });

  it('is remembered without the numbers of a look, which come every few seconds: the state and the journal have them', async () => {
    const kept: unknown[] = [];
    const transaction: Store['transaction'] = (work) =>
      store.transaction((unit) =>
        work({
          ...unit,
          insertEvent: (one) => {
            kept.push(one.event);
            return unit.insertEvent(one);
          },
        }),
      );
    const parts = { clock, policies: policiesOf(policy()), targets: () => target, telemetry: told.telemetry };
    const decide = counting();
    const app = createApplication({ ...parts, store: { ...store, transaction }, wake: () => undefined, decide });
    const nothing = {
      stableVerdict: 'healthy',
      commonCause: false,
      critical: false,
      score: null,
      culprits: [],
      improved: [],
    } as const;
    const metrics = [{ metric: 'errors' } as unknown as MetricComparison];
    const comparison = { ...nothing, atMs: t0, verdict: 'healthy', missing: null, metrics } as const;
    expect(await app.record(await claimed(), { type: 'measured', lookId: 1, comparison })).toBe(true);
    expect(kept).toMatchObject([{ type: 'measured', lookId: 1, comparison: { verdict: 'healthy', metrics: [] } }]);
  });

  it('ends the job also where it is refused or ignored', async () => {
    const app = application({ decide: counting() });
    expect(await app.record(await claimed(), { type: 'policy_changed' })).toBe(true);
    expect(await store.jobs.pending()).toBe(0);
  });

  it('is not recorded by who lost the lease', async () => {
    const app = application({ decide: counting() });
    const job = await claimed();
    await store.jobs.claim({ owner: 'other', nowMs: t0 + 1_000, leaseMs: 1_000, limit: 1 });
    expect(await app.record(job, fired)).toBe(false);
    expect(await store.load(service)).toBeNull();
  });

  it('waits for the policy where its file is gone and something is under way', async () => {
    await saveState(store, state());
    const job = await claimed();
    const app = application({ decide: counting(), policies: [] });
    await expect(app.record(job, fired)).rejects.toThrow('waits for the file');
    expect(await store.jobs.extend(job.lease, t0 + 9)).toBe(true);
  });

  it('is moot where the policy’s file was taken away after everything had ended', async () => {
    const job = await claimed();
    const app = application({ decide: counting(), policies: [] });
    expect(await app.record(job, fired)).toBe(false);
    expect(await store.jobs.pending()).toBe(0);
  });

  it('leaves the job alone where deciding fails', async () => {
    const app = application({
      decide: () => {
        throw new Error('a mistake');
      },
    });
    const job = await claimed();
    await expect(app.record(job, fired)).rejects.toThrow('a mistake');
    expect(await store.jobs.extend(job.lease, t0 + 9)).toBe(true);
  });
});

describe('alerts', () => {
  it('go to every service whose policy matches, each body in one commit a service', async () => {
    const other = policy({
      service: 'ranker',
      alerts: [{ matchers: [{ label: 'team', operator: '=', value: 'ml' }], severity: null }],
    });
    const app = application({ policies: [policy(), other], decide: counting() });
    const receipt = await app.receiveAlerts([
      alert(),
      alert({ fingerprint: 'f2', labels: { service, team: 'ml' } }),
      alert({ fingerprint: 'f3', name: 'DiskFull', labels: {} }),
    ]);
    expect(receipt).toEqual({ matched: 2, unmatched: 1, duplicates: 0 });
    expect(told.unmatched).toEqual(['DiskFull']);
    expect(await app.unmatched(10)).toMatchObject([{ alert: { name: 'DiskFull', count: 1 } }]);
    expect(await store.load(service)).toMatchObject({ version: 1, state: { sequence: 2 } });
    expect(await store.load('ranker')).toMatchObject({ version: 1, state: { sequence: 1 } });
  });

  it('that were found by asking go to the service that was asked for, and only ours are missed by anybody', async () => {
    const twin = policy({ service: 'ranker' });
    const events: DomainEvent[] = [];
    const decide: Decide = (before, event, context) => {
      events.push(event);
      return counting()(before, event, context);
    };
    const app = application({ policies: [policy(), twin], decide });
    const foreign = alert({ fingerprint: 'f2', labels: { team: 'other' } });
    await app.receiveAlerts([alert(), foreign], { service });
    expect(events).toEqual([{ type: 'alert', alert: alert(), found: true }]);
    expect(await store.load('ranker')).toBeNull();
    expect([told.unmatched, await app.unmatched(10)]).toEqual([[], []]);
    // Both ways in are one.
    expect(await app.receiveAlerts([alert()])).toMatchObject({ duplicates: 1 });
    // The end of one that the edited policy matches no longer is its all the same.
    await app.receiveAlerts([{ ...foreign, status: 'resolved', endsAtMs: t0 + 1 }], { service });
    expect(events.at(-1)).toMatchObject({ found: true, alert: { fingerprint: 'f2', status: 'resolved' } });
  });

  it('found late do no harm: what a webhook told between the asking and the telling stands', async () => {
    const app = application();
    const stateNow = async () => (await store.load(service))?.state.alerts.map((a) => [a.status, a.startsAtMs]);
    await app.receiveAlerts([alert()]);
    // The list lacked it; meanwhile it ended and fires anew.
    await app.receiveAlerts([alert({ status: 'resolved', endsAtMs: t0 + 1 }), alert({ startsAtMs: t0 + 2 })]);
    await app.receiveAlerts([alert({ status: 'resolved', endsAtMs: t0 + 3 })], { service });
    expect(await stateNow()).toEqual([['firing', t0 + 2]]);
    // The list held it; meanwhile it ended.
    await app.receiveAlerts([alert({ startsAtMs: t0 + 2, status: 'resolved', endsAtMs: t0 + 4 })]);
    await app.receiveAlerts([alert({ startsAtMs: t0 + 2 })], { service });
    expect(await stateNow()).toEqual([['resolved', t0 + 2]]);
    // Its end came before we knew of it, and what we found is old: the next asking ends it.
    await app.receiveAlerts([alert({ fingerprint: 'f9', status: 'resolved', endsAtMs: t0 + 5 })]);
    await app.receiveAlerts([alert({ fingerprint: 'f9' })], { service });
    await app.receiveAlerts([alert({ fingerprint: 'f9', status: 'resolved', endsAtMs: t0 + 6 })], { service });
    expect((await stateNow())?.map(([status]) => status)).toEqual(['resolved', 'resolved']);
  });

  it('that come twice count once; an end and a new start are news', async () => {
    const app = application({ decide: counting() });
    await app.receiveAlerts([alert(), alert()]);
    const ended = alert({ status: 'resolved', endsAtMs: t0 + 5 });
    expect(await app.receiveAlerts([alert(), ended, alert({ startsAtMs: t0 + 9 })])).toMatchObject({ duplicates: 1 });
    expect((await store.load(service))?.state.sequence).toBe(3);
  });

  it('take their severity from the selector that matches, where it says one', async () => {
    const seen: string[] = [];
    const decide: Decide = (before, event, context) => {
      if (event.type === 'alert') seen.push(event.alert.severity);
      return counting()(before, event, context);
    };
    const matchers = [{ label: 'service', operator: '=' as const, value: service }];
    await application({ decide }).receiveAlerts([alert()]);
    const strict = policy({ alerts: [{ matchers, severity: 'critical' }] });
    await application({ decide, policies: [strict] }).receiveAlerts([alert({ fingerprint: 'f2' })]);
    expect(seen).toEqual(['warning', 'critical']);
  });

  it('that lapsed and fire on under their old start are news, late copies are not', async () => {
    const app = application();
    const ended = alert({ status: 'resolved', endsAtMs: t0 + 60_000 });
    const status = async () => (await store.load(service))?.state.alerts[0]?.status;
    await app.receiveAlerts([alert()]);
    clock.jump(60_000);
    await app.receiveAlerts([ended]);
    expect(await app.receiveAlerts([alert()])).toMatchObject({ duplicates: 1 });
    expect(await status()).toBe('resolved');
    clock.jump(10 * 60_000);
    expect(await app.receiveAlerts([alert()])).toMatchObject({ duplicates: 0 });
    expect(await status()).toBe('firing');
    expect(await app.receiveAlerts([alert()])).toMatchObject({ duplicates: 1 });
    expect(await app.receiveAlerts([{ ...ended, endsAtMs: clock.now() }])).toMatchObject({ duplicates: 0 });
    expect(await status()).toBe('resolved');
  });

  it('whose storing fails are refused as a whole, and count when they come again', async () => {
    let fails = true;
    const app = application({
      decide: (...args) => {
        if (fails) throw new Error('disk full');
        return counting()(...args);
      },
    });
    await expect(app.receiveAlerts([alert()])).rejects.toThrow('disk full');
    fails = false;
    expect(await app.receiveAlerts([alert()])).toMatchObject({ duplicates: 0 });
  });

  it('of one service that cannot be stored keep nobody else’s out, and the sender is told to come again', async () => {
    const ranker = policy({ service: 'ranker' });
    const app = application({
      policies: [policy(), ranker],
      decide: (before, ...rest) => {
        if (before.service === service) throw new Error('its state cannot be read');
        return counting()(before, ...rest);
      },
    });
    await expect(app.receiveAlerts([alert()])).rejects.toThrow('its state cannot be read');
    expect((await store.load('ranker'))?.state.sequence).toBe(1);
    await expect(app.receiveAlerts([alert()])).rejects.toThrow('its state cannot be read');
    expect((await store.load('ranker'))?.state.sequence).toBe(1);
  });
});

describe('a start', () => {
  const start = { service, candidate: { id: 'v42' }, force: false, reason: 'weekly', actor: ada, key: 'k1' };

  it('is decided with what the target shows', async () => {
    target.split = { stable: 'v41', candidate: 'v42', exposurePercent: 0 };
    const app = application();
    expect(await app.start(start)).toMatchObject({ ok: true });
    expect((await app.status(service))?.state.rollout).toMatchObject({
      stable: { id: 'v41' },
      candidate: { id: 'v42' },
    });
    expect((await app.history(service, 10)).map(({ entry }) => entry.what)).toContain('rollout-started');
  });

  it('is refused where the target does not answer, and nothing is changed', async () => {
    target.observeTrouble = () => new PortError('retryable', 'The router is unreachable.');
    const answer = await application().start(start);
    expect(answer).toMatchObject({
      ok: false,
      refusal: { text: expect.stringContaining('The router is unreachable.') },
    });
    expect(await store.load(service)).toBeNull();
  });

  it('by somebody who may not start one is refused before the target is asked anything', async () => {
    const app = application({ policies: [policy({ approvers: { users: ['U2'], quorum: 1 } })] });
    target.observeTrouble = () => new PortError('retryable', 'GET http://router.internal/split is unreachable.');
    expect(await app.start(start)).toMatchObject({ ok: false, refusal: { code: 'forbidden' } });
    expect(target.observations).toBe(0);
    expect(told.problems).toEqual([]);
  });

  it('gives a target that hangs two seconds', async () => {
    target.observe = () => new Promise(() => undefined);
    const answer = await application().start(start);
    expect(answer).toMatchObject({
      ok: false,
      refusal: { text: expect.stringContaining('did not answer within 2 s') },
    });
  });
});

describe('a start that requires success elsewhere', () => {
  const start = { service, candidate: { id: 'v42' }, force: false, reason: 'weekly', actor: ada, key: 'k1' };
  const staging = policy({ service: 'staging' });
  const production = policy({ requires: { service: 'staging' } });
  const seenBy = async (policies: Policy[]) => {
    const seen: unknown[] = [];
    const decide: Decide = (before, event, context) => {
      if (event.type === 'command' && event.command.name === 'start') seen.push(event.command.promotion);
      return counting()(before, event, context);
    };
    await application({ policies, decide }).start(start);
    return seen;
  };

  it('is decided with how the version fared there', async () => {
    await saveState(store, state({ service: 'staging', rollout: rollout({ id: 'staging-r1' }) }));
    expect(await seenBy([production, staging])).toEqual([
      { service: 'staging', outcome: 'not-succeeded', detail: 'staging-r1 (v42) is under way at 10 %' },
    ]);
  });

  it('says so where nothing was heard of it', async () => {
    expect(await seenBy([production, staging])).toEqual([
      { service: 'staging', outcome: 'not-succeeded', detail: 'v42 was never rolled out there' },
    ]);
  });

  it('says so where its policy is gone', async () => {
    expect(await seenBy([production])).toEqual([
      { service: 'staging', outcome: 'not-succeeded', detail: 'there is no policy for it any more' },
    ]);
  });

  it('carries nothing where nothing is required', async () => {
    expect(await seenBy([policy(), staging])).toEqual([undefined]);
  });
});

describe('what is asked', () => {
  it('is answered for every policy, also of a service nothing was heard of', async () => {
    const app = application({ policies: [policy(), policy({ service: 'ranker' })] });
    await saveState(store, state());
    const { active, quiet } = await app.overview(10);
    expect(active.map((one) => [one.policy.service, one.state.rollout?.id])).toEqual([[service, rollout().id]]);
    expect(quiet.map((one) => [one.policy.service, one.state.rollout])).toEqual([['ranker', null]]);
    expect(await app.status('nobody')).toBeNull();
  });

  it('is the most pressing where there is more than is shown: open questions first', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `s${String(i).padStart(2, '0')}`);
    const app = application({ policies: names.map((name) => policy({ service: name })) });
    for (const [i, name] of names.entries()) {
      const phase = { name: 'succeeded', atMs: 1, reason: '' } as const;
      const open = i % 20 === 19 ? degradation() : null;
      await saveState(
        store,
        state({ service: name, degradation: open, rollout: i % 2 === 1 ? rollout() : rollout({ phase }) }),
      );
    }
    const { active, quiet, activeCount, quietCount } = await app.overview(5);
    expect(active.map((one) => one.policy.service)).toEqual(['s19', 's39', 's59', 's01', 's03']);
    expect(quiet.map((one) => one.policy.service)).toEqual(['s00', 's02', 's04', 's06', 's08']);
    expect([activeCount, quietCount]).toEqual([30, 30]);
  });

  it('the end of a rollout is told once', async () => {
    await saveState(store, state());
    const decide: Decide = (before, _event, { now }) => {
      const phase = { name: 'succeeded', atMs: now, reason: '' } as const;
      const next = { ...before, rollout: rollout({ phase }) };
      return { outcome: 'accepted', state: next, effects: [], journal: [], reply: '' };
    };
    const app = application({ decide });
    for (const key of ['k1', 'k2']) await app.command({ service, command: freeze, actor: ada, key });
    expect(told.ended).toEqual([service]);
  });
});
