import type { Effect } from '../../src/domain/effect.ts';
import type { DomainEvent } from '../../src/domain/event.ts';
import { initialState } from '../../src/domain/initial.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { Alert, Degradation, Rollout, ServiceState } from '../../src/domain/state.ts';
import type { Policies } from '../../src/ports/policies.ts';
import type { NewJob, Store, StoredEvent } from '../../src/ports/store.ts';
import type { Telemetry } from '../../src/ports/telemetry.ts';

export const service = 'fraud-scorer';
export const t0 = Date.parse('2026-11-21T09:00:00Z');

export function newJob(over: Partial<NewJob> = {}): NewJob {
  const effect: Effect = { kind: 'timer', key: 'look', atMs: t0, epoch: 1 };
  return { service, key: null, lane: null, merge: false, effect, dueAtMs: t0, priority: 1, createdAtMs: t0, ...over };
}

export function event(key: string): StoredEvent {
  const policyChanged: DomainEvent = { type: 'policy_changed' };
  return { key, service, event: policyChanged, atMs: t0 };
}

/** Stores a job and answers nothing: jobs are only made inside a unit. */
export function enqueue(store: Store, ...jobs: NewJob[]): Promise<void> {
  return store.transaction(async (unit) => {
    for (const job of jobs) await unit.enqueue(job);
  });
}

const minute = 60_000;

export function policy(over: Partial<Policy> = {}): Policy {
  return {
    service,
    description: 'Scores card payments',
    revision: 'rev1',
    commit: null,
    strategy: { kind: 'canary', warmUp: null, keepMs: 0 },
    objective: 'no-worse',
    requires: null,
    silence: null,
    mode: 'enforce',
    channel: '#ml-rollouts',
    runbookUrl: 'https://runbooks.example/fraud',
    dashboardUrl: null,
    target: { kind: 'fake', config: {} },
    steps: [
      { exposurePercent: 10, soakMs: 10 * minute, maxSoakMs: 30 * minute },
      { exposurePercent: 100, soakMs: 0, maxSoakMs: 0 },
    ],
    rollback: {
      phases: [{ exposurePercent: 0, soakMs: 0, maxSoakMs: 0 }],
      verify: { soakMs: minute, maxSoakMs: 2 * minute },
    },
    metrics: [
      {
        name: 'errors',
        title: 'Error rate',
        unit: '%',
        source: { kind: 'proportion', bad: 'bad', good: null, total: 'all' },
        direction: 'lower-is-better',
        tolerance: { relative: 0.25, absolute: 0.005, healthyRatio: 1.5 },
        minimumSamples: 100,
        criticalLimit: null,
        weight: 1,
      },
    ],
    comparison: {
      windowMs: 30_000,
      warmUpMs: 2 * minute,
      everyMs: 15_000,
      minimumWindows: 3,
      lastWeekOffsetMs: 7 * 24 * 60 * minute,
    },
    prometheus: null,
    alertmanager: null,
    alerts: [{ matchers: [{ label: 'service', operator: '=', value: service }], severity: null }],
    approvers: { users: ['*'], quorum: 2 },
    respond: {
      graceMs: minute,
      deadlineMs: 15 * minute,
      criticalDeadlineMs: 10 * minute,
      defaultAction: 'rollback',
      whenUnknown: 'hold',
      extendCapMs: 90 * minute,
      acknowledgeMs: 15 * minute,
      stabilityMs: 2 * minute,
      holdMs: 30 * minute,
    },
    escalate: { afterMs: 5 * minute, repeatMs: 15 * minute, routingKey: 'R1', severity: 'error' },
    lastGoodAfterMs: 60 * minute,
    watchMs: 24 * 60 * minute,
    ...over,
  };
}

export function policiesOf(...all: Policy[]): Policies {
  return {
    all: () => all,
    get: (name) => all.find((one) => one.service === name) ?? null,
    at: async (name, revision) => all.find((one) => one.service === name && one.revision === revision) ?? null,
  };
}

const somebody = { kind: 'person', id: 'U1', name: 'Ada' } as const;

export function rollout(over: Partial<Rollout> = {}): Rollout {
  const { steps, rollback, metrics, comparison, strategy, objective, revision } = policy();
  return {
    id: `${service}-r1`,
    stable: { id: 'v41' },
    candidate: { id: 'v42' },
    startedAtMs: t0,
    startedBy: somebody,
    reason: 'weekly model',
    plan: { steps, rollback, metrics, comparison, strategy, objective, revision },
    exposurePercent: 10,
    step: 0,
    phase: { name: 'advancing', sinceMs: t0, stage: 'soaking', soakUntilMs: t0, maxSoakUntilMs: t0 },
    epoch: 1,
    shifts: [],
    votes: [],
    overridden: [],
    comparison: null,
    origin: 'start',
    wayBack: null,
    ...over,
  };
}

export function degradation(over: Partial<Degradation> = {}): Degradation {
  return {
    id: `${service}-d2`,
    rolloutId: `${service}-r1`,
    openedAtMs: t0,
    severity: 'warning',
    signals: [],
    stage: { name: 'asking', deadlineMs: t0 + 15 * minute, escalateAtMs: null, measuring: false },
    extendedMs: 0,
    acknowledged: null,
    silencedUntilMs: null,
    comparison: null,
    milestones: [],
    page: { state: 'none', atMs: null, by: null },
    decision: null,
    epoch: 1,
    ...over,
  };
}

export function state(over: Partial<ServiceState> = {}): ServiceState {
  return { ...initialState(service, t0), rollout: rollout(), ...over };
}

export async function saveState(store: Store, next: ServiceState): Promise<void> {
  const before = await store.load(next.service);
  await store.transaction((unit) => unit.save(next, before?.version ?? 0));
}

/** Telemetry that remembers; problems are what a test asks about. */
export function recordingTelemetry() {
  const problems: string[] = [];
  const performed: Parameters<Telemetry['performed']>[0][] = [];
  const decided: Parameters<Telemetry['decided']>[0][] = [];
  const unmatched: string[] = [];
  const ended: string[] = [];
  const telemetry: Telemetry = {
    alertsReceived: () => undefined,
    alertUnmatched: (alert) => unmatched.push(alert.name),
    decided: (decision) => decided.push(decision),
    journalled: () => undefined,
    performed: (job) => performed.push(job),
    rolloutEnded: (name) => ended.push(name),
    problem: (where, error) => problems.push(`${where}: ${error instanceof Error ? error.message : String(error)}`),
  };
  return { telemetry, problems, performed, decided, unmatched, ended };
}

/** An alert of the service, firing since `t0`. */
export function alert(over: Partial<Alert> = {}): Alert {
  return {
    fingerprint: 'f1',
    name: 'HighErrors',
    severity: 'warning',
    status: 'firing',
    startsAtMs: t0,
    endsAtMs: null,
    summary: '',
    description: '',
    labels: { service },
    generatorUrl: '',
    runbookUrl: '',
    ...over,
  };
}
