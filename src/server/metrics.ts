import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Phase } from '../domain/state.ts';
import type { HealthPart } from '../ports/health.ts';

/** What is true now, asked for at each scrape. */
export interface ServiceReading {
  readonly service: string;
  /** Null: no rollout was ever made. */
  readonly phase: Phase['name'] | null;
  /** The candidate's share; null without a rollout under way. */
  readonly exposurePercent: number | null;
  readonly degradationOpen: boolean;
  readonly frozen: boolean;
  readonly automationOff: boolean;
}
export interface Readings {
  readonly services: readonly ServiceReading[];
  /** Jobs that are not done, timers included. */
  readonly jobsPending: number;
}

/** Seconds. Decisions take about a millisecond, effects up to a vendor's time-out. */
const decisionBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const effectBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Seconds. A rollout lasts from minutes to days. */
const rolloutBuckets = [60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600, 48 * 3600, 96 * 3600];

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Lastgood's own metrics, in a registry of their own. Every label has a bounded set of values: services are those with a policy,
 * the rest are kinds. Nothing that comes from an alert, a person or a version becomes a label.
 */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    ...inboundMetrics(registers),
    decisions: new Counter({
      name: 'lastgood_decisions_total',
      help: 'Events decided on, by what came of them.',
      labelNames: ['service', 'event', 'outcome'],
      registers,
    }),
    decisionSeconds: new Histogram({
      name: 'lastgood_decision_duration_seconds',
      help: 'From an event taken in to its decision stored, transaction included.',
      buckets: decisionBuckets,
      registers,
    }),
    journal: new Counter({
      name: 'lastgood_journal_entries_total',
      help: 'Journal entries by what happened (question-opened, rollback-decided, rolled-back, …).',
      labelNames: ['service', 'what'],
      registers,
    }),
    effects: new Counter({
      name: 'lastgood_effects_total',
      help: 'Attempts to perform an effect: done, or how it failed.',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    effectSeconds: new Histogram({
      name: 'lastgood_effect_duration_seconds',
      help: 'How long performing an effect took.',
      labelNames: ['kind'],
      buckets: effectBuckets,
      registers,
    }),
    effectLateSeconds: new Histogram({
      name: 'lastgood_effect_late_seconds',
      help: 'How long after it was due an effect was begun.',
      labelNames: ['kind'],
      buckets: effectBuckets,
      registers,
    }),
    rolloutsEnded: new Counter({
      name: 'lastgood_rollouts_ended_total',
      help: 'Rollouts that ended, by result.',
      labelNames: ['service', 'result'],
      registers,
    }),
    rolloutSeconds: new Histogram({
      name: 'lastgood_rollout_duration_seconds',
      help: 'From a rollout started to its end.',
      labelNames: ['result'],
      buckets: rolloutBuckets,
      registers,
    }),
    problems: new Counter({
      name: 'lastgood_problems_total',
      help: 'Things that went wrong inside Lastgood, by where; the log has the details.',
      labelNames: ['where'],
      registers,
    }),
  };
}

function inboundMetrics(registers: Registry[]) {
  return {
    alerts: new Counter({
      name: 'lastgood_alerts_received_total',
      help: 'Alerts taken in: matched by a policy, unmatched, or already known.',
      labelNames: ['result'],
      registers,
    }),
    requests: new Counter({
      name: 'lastgood_http_requests_total',
      help: 'HTTP requests answered.',
      labelNames: ['route', 'method', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'lastgood_http_request_duration_seconds',
      help: 'From a request head read to its answer sent.',
      labelNames: ['route'],
      buckets: effectBuckets,
      registers,
    }),
  };
}

/**
 * Gauges of what is true now. The answer brings them up to date, to be called before each scrape: a store that does not answer is
 * `lastgood_scrape_ok` 0, not a failed scrape.
 */
export function createGauges(registry: Registry): (read: () => Promise<Readings>) => Promise<void> {
  const registers = [registry];
  const service = ['service'];
  const phase = new Gauge({
    name: 'lastgood_rollout_phase',
    help: 'The phase the latest rollout of a service is in (1 for that phase).',
    labelNames: ['service', 'phase'],
    registers,
  });
  const exposure = new Gauge({
    name: 'lastgood_exposure_percent',
    help: "The candidate's share of traffic, 0 to 100, as last read back; absent without a rollout under way.",
    labelNames: service,
    registers,
  });
  const degradation = new Gauge({
    name: 'lastgood_degradation_open',
    help: '1 while a degradation of the service is open.',
    labelNames: service,
    registers,
  });
  const frozen = new Gauge({ name: 'lastgood_frozen', help: '1 while frozen.', labelNames: service, registers });
  const automation = new Gauge({
    name: 'lastgood_automation_off',
    help: '1 while automation is switched off.',
    labelNames: service,
    registers,
  });
  const jobs = new Gauge({ name: 'lastgood_jobs_pending', help: 'Jobs not done, timers included.', registers });
  const ok = new Gauge({
    name: 'lastgood_scrape_ok',
    help: '1 where the state could be read from the store for this scrape.',
    registers,
  });
  const gauges = [phase, exposure, degradation, frozen, automation];
  return async (read) => {
    ok.set(0);
    const readings = await read();
    for (const gauge of gauges) gauge.reset();
    jobs.set(readings.jobsPending);
    for (const s of readings.services) {
      if (s.phase !== null) phase.set({ service: s.service, phase: s.phase }, 1);
      if (s.exposurePercent !== null) exposure.set({ service: s.service }, s.exposurePercent);
      degradation.set({ service: s.service }, Number(s.degradationOpen));
      frozen.set({ service: s.service }, Number(s.frozen));
      automation.set({ service: s.service }, Number(s.automationOff));
    }
    ok.set(1);
  };
}

/** How what the instance leans on does, and its policies. Known without asking anybody. */
export interface HealthReadings {
  readonly parts: readonly HealthPart[];
  readonly policies: { readonly ok: boolean; readonly loadedAtMs: number };
}

/** Gauges of the health; the answer brings them up to date before each scrape. Names are those of the policies: a bounded set. */
export function createHealthGauges(registry: Registry): (readings: HealthReadings) => void {
  const registers = [registry];
  const up = new Gauge({
    name: 'lastgood_dependency_up',
    help: '1 where a dependency answers as it should, 0 after two failures in a row.',
    labelNames: ['part', 'name'],
    registers,
  });
  const policies = new Gauge({
    name: 'lastgood_policies_ok',
    help: '1 where the policy directory as it is now is in force, 0 where it has problems and those from before stay in force.',
    registers,
  });
  const loaded = new Gauge({
    name: 'lastgood_policies_loaded_timestamp_seconds',
    help: 'When the policies in force were last read and found good.',
    registers,
  });
  return (readings) => {
    up.reset();
    for (const { part, name, ok } of readings.parts) up.set({ part, name }, Number(ok));
    policies.set(Number(readings.policies.ok));
    loaded.set(readings.policies.loadedAtMs / 1000);
  };
}
