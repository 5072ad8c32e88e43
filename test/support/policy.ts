import type { ComparisonSettings, Metric } from '../../src/analysis/types.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { Served } from '../../src/domain/served.ts';
import { begun } from '../../src/domain/served.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const errorRate: Metric = {
  name: 'errors',
  title: 'Error rate',
  unit: '%',
  source: { kind: 'proportion', bad: 'bad{version="{{version}}"}', good: null, total: 'all{version="{{version}}"}' },
  direction: 'lower-is-better',
  tolerance: { relative: 0.25, absolute: null, healthyRatio: 1.5 },
  minimumSamples: 100,
  criticalLimit: 0.2,
  weight: 1,
};

const comparison: ComparisonSettings = {
  windowMs: 30 * SECOND,
  warmUpMs: 2 * MINUTE,
  everyMs: 15 * SECOND,
  minimumWindows: 3,
  lastWeekOffsetMs: 7 * 24 * HOUR,
};

/** The policy of the story: 10 → 50 → 100 forward, 50 → 10 → 0 back, 15 min to answer, a page after 5. */
export function policy(patch: Partial<Policy> = {}): Policy {
  return {
    service: 'fraud-scorer',
    description: 'Scores card payments',
    revision: 'rev1',
    commit: null,
    strategy: { kind: 'canary', warmUp: null, keepMs: 0 },
    objective: 'no-worse',
    requires: null,
    silence: null,
    mode: 'enforce',
    channel: '#ml-rollouts',
    runbookUrl: null,
    dashboardUrl: null,
    target: { kind: 'fake', config: {} },
    steps: [
      { exposurePercent: 10, soakMs: 10 * MINUTE, maxSoakMs: 30 * MINUTE },
      { exposurePercent: 50, soakMs: 10 * MINUTE, maxSoakMs: 30 * MINUTE },
      { exposurePercent: 100, soakMs: 0, maxSoakMs: 0 },
    ],
    rollback: {
      phases: [
        { exposurePercent: 50, soakMs: MINUTE, maxSoakMs: 5 * MINUTE },
        { exposurePercent: 10, soakMs: MINUTE, maxSoakMs: 5 * MINUTE },
        { exposurePercent: 0, soakMs: 0, maxSoakMs: 0 },
      ],
      verify: { soakMs: 2 * MINUTE, maxSoakMs: 10 * MINUTE },
    },
    metrics: [errorRate],
    comparison,
    prometheus: null,
    alertmanager: null,
    alerts: [{ matchers: [{ label: 'service', operator: '=', value: 'fraud-scorer' }], severity: null }],
    approvers: { users: ['U1', 'U2', 'U3'], quorum: 2 },
    respond: {
      graceMs: 0,
      deadlineMs: 15 * MINUTE,
      criticalDeadlineMs: 10 * MINUTE,
      defaultAction: 'rollback',
      whenUnknown: 'hold',
      extendCapMs: 90 * MINUTE,
      acknowledgeMs: 15 * MINUTE,
      stabilityMs: 2 * MINUTE,
      holdMs: 30 * MINUTE,
    },
    escalate: { afterMs: 5 * MINUTE, repeatMs: 15 * MINUTE, routingKey: null, severity: 'critical' },
    lastGoodAfterMs: HOUR,
    watchMs: 24 * HOUR,
    ...patch,
  };
}

export function respond(patch: Partial<Policy['respond']>): Partial<Policy> {
  return { respond: { ...policy().respond, ...patch } };
}

/** A version that served all traffic, well, all that time. */
export function servedFor(id: string, sinceMs: number, untilMs: number | null, patch: Partial<Served> = {}): Served {
  return {
    ...begun({ id }, sinceMs),
    untilMs,
    ...(untilMs === null ? {} : { cleanSinceMs: null, longestCleanMs: untilMs - sinceMs }),
    ...patch,
  };
}

/** Two whole arms: warmed up for a minute, then everything in one step. */
export const blueGreen: Partial<Policy> = {
  strategy: { kind: 'blue-green', warmUp: { soakMs: MINUTE, maxSoakMs: 10 * MINUTE }, keepMs: DAY },
  steps: [{ exposurePercent: 100, soakMs: 0, maxSoakMs: 0 }],
  rollback: {
    phases: [{ exposurePercent: 0, soakMs: 0, maxSoakMs: 0 }],
    verify: { soakMs: 2 * MINUTE, maxSoakMs: 10 * MINUTE },
  },
};
