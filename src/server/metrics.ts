import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { createServiceCounter, type ServicePlaces } from './service-counter.ts';
import { type ServiceReading, serviceGauges } from './service-gauges.ts';

/** What is true now, asked for at each scrape. */
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
  const places: ServicePlaces = new Map();
  return {
    registry,
    ...inboundMetrics(registers),
    decisions: createServiceCounter({
      name: 'lastgood_decisions_total',
      help: 'Events decided on, by what came of them.',
      labelNames: ['event', 'outcome'],
      places,
    }),
    decisionSeconds: new Histogram({
      name: 'lastgood_decision_duration_seconds',
      help: 'From an event taken in to its decision stored, transaction included.',
      buckets: decisionBuckets,
      registers,
    }),
    journal: createServiceCounter({
      name: 'lastgood_journal_entries_total',
      help: 'Journal entries by what happened (question-opened, rollback-decided, rolled-back, …).',
      labelNames: ['what'],
      places,
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
    rolloutsEnded: createServiceCounter({
      name: 'lastgood_rollouts_ended_total',
      help: 'Rollouts that ended, by result.',
      labelNames: ['result'],
      places,
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

export interface Gauges {
  /** Brings them up to date, to be called before each scrape: a store that does not answer is `lastgood_scrape_ok` 0, not a failed scrape. */
  refresh(read: () => Promise<Readings>): Promise<void>;
  /** Those of the services, as Prometheus reads them; the others are in the registry. */
  lines(): Iterable<string>;
}

/** Gauges of what is true now. */
export function createGauges(registry: Registry): Gauges {
  const registers = [registry];
  let services: Readings['services'] = [];
  const jobs = new Gauge({ name: 'lastgood_jobs_pending', help: 'Jobs not done, timers included.', registers });
  const ok = new Gauge({
    name: 'lastgood_scrape_ok',
    help: '1 where the state could be read from the store for this scrape.',
    registers,
  });
  return {
    async refresh(read) {
      ok.set(0);
      const readings = await read();
      jobs.set(readings.jobsPending);
      services = readings.services;
      ok.set(1);
    },
    lines: () => serviceGauges(services),
  };
}
