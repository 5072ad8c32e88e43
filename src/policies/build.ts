import type { AlertSelector, Endpoint, Policy, RollbackPlan, Step, TargetSpec } from '../domain/policy.ts';
import { buildMetrics } from './build-metrics.ts';
import { defaultDeadlineMs, defaultMaxSoakFactor, defaultVerify } from './checks.ts';
import { buildGate } from './gates.ts';
import { parseMatchers } from './matchers.ts';
import type { PolicyFile } from './schema.ts';
import { buildStrategy, type TargetSteps } from './strategy.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** What a policy is made of besides its own file. */
export interface Parts {
  readonly revision: string;
  readonly target: TargetSpec;
  /** What the target can do: which strategy a policy has that names none. */
  readonly targetSteps: TargetSteps;
  readonly prometheus: Endpoint | null;
  readonly alertmanager: Endpoint | null;
}

/** Fills in every default. The file was checked: nothing can go wrong here any more. */
export function buildPolicy(file: PolicyFile, parts: Parts): Policy {
  const steps = file.steps.map((step): Step => {
    const gate = buildGate(step.gate, file);
    return { ...buildStep(step), ...(gate && { gate }) };
  });
  const watchMs = file.watch ?? day;
  return {
    service: file.service,
    description: file.description ?? '',
    revision: parts.revision,
    commit: null,
    mode: file.mode,
    channel: file.channel,
    runbookUrl: file.runbook ?? null,
    dashboardUrl: file.dashboard ?? null,
    target: parts.target,
    strategy: buildStrategy(file.strategy, parts.targetSteps, watchMs),
    objective: file.objective ?? 'no-worse',
    requires: typeof file.requires === 'string' ? { service: file.requires } : (file.requires ?? null),
    steps,
    rollback: buildRollback(file.rollback, steps),
    metrics: buildMetrics(file.metrics),
    comparison: buildComparison(file.comparison),
    prometheus: parts.prometheus,
    alertmanager: parts.alertmanager,
    alerts: file.alerts.map(buildSelector),
    approvers: { users: file.approvers.users, quorum: file.approvers.quorum ?? 1 },
    respond: buildRespond(file.respond),
    escalate: buildEscalate(file.escalate),
    silence: file.silence ? { forMs: file.silence.for } : null,
    lastGoodAfterMs: file.lastGood?.after ?? hour,
    watchMs,
  };
}

/** The last step has no soak: it is followed by the watch (or, going back, by the verification). */
function buildStep(step: Omit<PolicyFile['steps'][number], 'gate'>): Step {
  const soakMs = step.soak ?? 0;
  return { exposurePercent: step.exposure, soakMs, maxSoakMs: step.maxSoak ?? soakMs * defaultMaxSoakFactor };
}

function buildRollback(rollback: PolicyFile['rollback'], steps: readonly Step[]): RollbackPlan {
  const verify = rollback?.verify;
  const soakMs = verify?.soak ?? defaultVerify.soakMs;
  const longest = verify?.soak === undefined ? defaultVerify.maxSoakMs : verify.soak * defaultMaxSoakFactor;
  return {
    phases: rollback?.phases?.map(buildStep) ?? theWayBack(steps),
    verify: { soakMs, maxSoakMs: verify?.maxSoak ?? longest },
  };
}

/** Where nothing is said: back through the same exposures as forward (a shadow step is none), a minute each. */
function theWayBack(steps: readonly Step[]): Step[] {
  const phases = steps
    .map((step) => step.exposurePercent)
    .filter((exposurePercent) => exposurePercent > 0 && exposurePercent < 100)
    .reverse()
    .map((exposurePercent) => ({ exposurePercent, soakMs: minute, maxSoakMs: 5 * minute }));
  return [...phases, { exposurePercent: 0, soakMs: 0, maxSoakMs: 0 }];
}

function buildComparison(comparison: PolicyFile['comparison']): Policy['comparison'] {
  const windowMs = comparison?.window ?? 30 * second;
  return {
    windowMs,
    warmUpMs: comparison?.warmUp ?? 2 * minute,
    everyMs: comparison?.every ?? Math.round(windowMs / 2),
    minimumWindows: comparison?.minimumWindows ?? 3,
    lastWeekOffsetMs: comparison?.lastWeek ?? 7 * day,
  };
}

function buildRespond(respond: PolicyFile['respond']): Policy['respond'] {
  const deadlineMs = respond?.deadline ?? defaultDeadlineMs;
  return {
    graceMs: respond?.grace ?? minute,
    deadlineMs,
    criticalDeadlineMs: respond?.criticalDeadline ?? deadlineMs,
    defaultAction: respond?.default ?? 'rollback',
    whenUnknown: respond?.whenUnknown ?? 'hold',
    extendCapMs: respond?.extendCap ?? 90 * minute,
    acknowledgeMs: respond?.acknowledge ?? 15 * minute,
    stabilityMs: respond?.stability ?? 2 * minute,
    holdMs: respond?.hold ?? 30 * minute,
  };
}

function buildEscalate(escalate: PolicyFile['escalate']): Policy['escalate'] {
  if (!escalate) return null;
  return {
    afterMs: escalate.after,
    repeatMs: escalate.repeat ?? 15 * minute,
    routingKey: escalate.routingKey ?? null,
    severity: escalate.severity ?? 'critical',
  };
}

function buildSelector(alert: PolicyFile['alerts'][number]): AlertSelector {
  const texts = typeof alert.match === 'string' ? [alert.match] : alert.match;
  return { matchers: texts.flatMap(parseMatchers), severity: alert.severity ?? null };
}
