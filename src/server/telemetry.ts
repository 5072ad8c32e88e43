import type { ServiceState } from '../domain/state.ts';
import { isEnded } from '../domain/turn.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { type HealthReadings, healthGauges } from './health-gauges.ts';
import type { Logger } from './logger.ts';
import { createGauges, createMetrics, type Metrics, type Readings } from './metrics.ts';
import { inPieces } from './pieces.ts';
import { unfailing } from './unfailing.ts';

/** The Telemetry port, and what the server needs of it besides. */
export interface ServerTelemetry extends Telemetry {
  readonly log: Logger;
  /** One HTTP request answered. `route` is ours, never the path that was asked for. */
  answered(request: {
    id: string;
    route: string;
    method: string;
    status: number;
    durationMs: number;
    /** What was wrong with it, where something was. */
    problem?: string;
  }): void;
  /** Where the gauges of what is true now are read from. */
  watch(read: () => Promise<Readings>): void;
  /** Where the gauges of the health are read from. */
  watchHealth(read: () => HealthReadings): void;
  /** A dependency went away or came back; told once each. */
  healthChanged(change: { part: string; name: string; ok: boolean; text: string; detail: string }): void;
  /** The text /metrics answers with: megabytes, where there are thousands of services. */
  scrape(): Promise<{ contentType: string; pieces: AsyncIterable<string> }>;
}

/** Metrics and log lines for whatever happens. */
export function createTelemetry(log: Logger): ServerTelemetry {
  const metrics = createMetrics();
  const gauges = createGauges(metrics.registry);
  let read: (() => Promise<Readings>) | null = null;
  let readHealth: () => HealthReadings = () => ({ parts: [], policies: { ok: false, loadedAtMs: 0 } });
  const problem = (where: string, error: unknown): void => {
    metrics.problems.inc({ where: placeLabel(where) });
    log.error({ where, error }, `problem in ${where}: ${messageOf(error)}`);
  };
  const watching = { problem, ...inbound(metrics, log), ...outcomes(metrics, log), healthChanged: healthLine(log) };
  return {
    log,
    ...unfailing<typeof watching>(watching),
    watch: (source) => {
      read = source;
    },
    watchHealth: (source) => {
      readHealth = source;
    },
    scrape: async () => {
      const ofHealth = healthGauges(readHealth());
      try {
        if (read) await gauges.refresh(read);
      } catch (error) {
        problem('scrape', error);
      }
      const { registry, decisions, journal, rolloutsEnded } = metrics;
      const ofServices = [gauges, decisions, journal, rolloutsEnded].map((one) => one.lines());
      return {
        contentType: registry.contentType,
        pieces: inPieces([[await registry.metrics()], ...ofHealth, ...ofServices]),
      };
    },
  };
}

function healthLine(log: Logger): ServerTelemetry['healthChanged'] {
  return ({ part, name, ok, text, detail }) => {
    log.warn({ part, name, ok, detail }, text);
  };
}

function inbound(
  metrics: Metrics,
  log: Logger,
): Pick<ServerTelemetry, 'alertsReceived' | 'alertUnmatched' | 'answered'> {
  return {
    alertsReceived: ({ matched, unmatched, duplicates }) => {
      metrics.alerts.inc({ result: 'matched' }, matched);
      metrics.alerts.inc({ result: 'unmatched' }, unmatched);
      metrics.alerts.inc({ result: 'duplicate' }, duplicates);
      log.debug({ matched, unmatched, duplicates }, 'alerts received');
    },
    alertUnmatched: ({ name, fingerprint }) => {
      log.info({ alert: name, fingerprint }, `no policy matches the alert ${name}`);
    },
    answered: ({ id, route, method, status, durationMs, problem }) => {
      metrics.requests.inc({ route, method: methodLabel(method), status: String(status) });
      metrics.requestSeconds.observe({ route }, durationMs / 1000);
      // Probes and scrapes come every few seconds for ever; they are news only when they fail.
      const level = status >= 500 ? 'warn' : status >= 400 ? 'info' : 'debug';
      log[level](
        { requestId: id, route, method, status, durationMs: Math.round(durationMs), problem },
        'request answered',
      );
    },
  };
}

function outcomes(
  metrics: Metrics,
  log: Logger,
): Pick<ServerTelemetry, 'decided' | 'journalled' | 'performed' | 'rolloutEnded'> {
  return {
    decided: ({ service, event, outcome, durationMs }) => {
      metrics.decisions.inc({ service, event, outcome });
      metrics.decisionSeconds.observe(durationMs / 1000);
      log.debug({ service, event, outcome, durationMs }, 'decided');
    },
    journalled: (service, entry) => {
      metrics.journal.inc({ service, what: entry.what });
      const { actor, what, rolloutId, degradationId, from, to, reason, policyRevision } = entry;
      log.info(
        {
          service,
          what,
          actor: `${actor.kind}:${actor.id}`,
          rolloutId,
          degradationId,
          from,
          to,
          reason,
          policyRevision,
        },
        entry.text,
      );
    },
    performed: ({ kind, service, outcome, attempt, lateMs, durationMs, problem }) => {
      metrics.effects.inc({ kind, outcome });
      metrics.effectSeconds.observe({ kind }, durationMs / 1000);
      metrics.effectLateSeconds.observe({ kind }, Math.max(0, lateMs) / 1000);
      const fields = { service, effect: kind, outcome, attempt, lateMs, durationMs, problem };
      if (outcome === 'done') log.debug(fields, 'effect performed');
      else
        log.warn(
          fields,
          `effect ${kind} of ${service} failed (${outcome}, attempt ${attempt}): ${problem ?? 'no reason given'}`,
        );
    },
    rolloutEnded: (service, state) => {
      const summary = rolloutSummary(service, state);
      if (summary === null) return;
      metrics.rolloutsEnded.inc({ service, result: summary.result });
      metrics.rolloutSeconds.observe({ result: summary.result }, summary.durationMs / 1000);
      log.info(summary, `rollout ${summary.rolloutId} of ${service} ended: ${summary.result}`);
    },
  };
}

interface RolloutSummary {
  readonly service: string;
  readonly rolloutId: string;
  readonly result: string;
  readonly reason: string;
  readonly stable: string;
  readonly candidate: string;
  readonly durationMs: number;
  /** From the decision to the end; null without a rollback. */
  readonly rollbackMs: number | null;
  /** From the question put to its decision; null without a degradation, or undecided. */
  readonly questionMs: number | null;
  readonly degradationId: string | null;
  readonly decidedBy: string | null;
}

/** Null where the state's rollout has not ended. */
function rolloutSummary(service: string, state: ServiceState): RolloutSummary | null {
  const { rollout } = state;
  if (!rollout || !isEnded(rollout.phase)) return null;
  const end = rollout.phase;
  const degradation = state.degradation?.rolloutId === rollout.id ? state.degradation : null;
  const decision = degradation?.decision ?? null;
  return {
    service,
    rolloutId: rollout.id,
    result: end.name,
    reason: end.reason,
    stable: rollout.stable.id,
    candidate: rollout.candidate.id,
    durationMs: end.atMs - rollout.startedAtMs,
    rollbackMs: end.name === 'rolled_back' && decision ? end.atMs - decision.atMs : null,
    questionMs: degradation && decision ? decision.atMs - degradation.openedAtMs : null,
    degradationId: degradation?.id ?? null,
    decidedBy: decision ? `${decision.by.kind}:${decision.by.id}` : null,
  };
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Senders choose the method: an unknown one must not become a label of its own. */
function methodLabel(method: string): string {
  return knownMethods.has(method) ? method : 'other';
}

/** The first word of where it was: ids and services behind it stay in the log. */
function placeLabel(where: string): string {
  return /^[a-z][a-z-]*/i.exec(where)?.[0].toLowerCase() ?? 'other';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
