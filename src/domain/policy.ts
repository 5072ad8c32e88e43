import type { ComparisonSettings, Metric } from '../analysis/types.ts';

/** A policy as the decisions see it: plain, validated, all durations in milliseconds. `policies/` makes it from YAML. */
export interface Policy {
  /** The service it is for; also its name in commands and in the journal. */
  readonly service: string;
  readonly description: string;
  /** Hash of the file's content (and of the templates it extends): recorded with every decision. */
  readonly revision: string;
  /** Short Git commit the file was last changed in, `+` behind it where the file differs from it; null: not in a Git work tree. */
  readonly commit: string | null;
  /** `observe`: automation neither shifts nor pages, it says what it would have done. */
  readonly mode: 'enforce' | 'observe';
  /** Slack channel id or #name. */
  readonly channel: string;
  readonly runbookUrl: string | null;
  readonly dashboardUrl: string | null;
  readonly target: TargetSpec;
  readonly strategy: Strategy;
  /** What a gate asks of the candidate: not to be worse, or besides to be better in at least one metric. */
  readonly objective: 'no-worse' | 'better';
  /** Where a candidate must have succeeded before it may start here: staging before production. */
  readonly requires: { readonly service: string } | null;
  readonly steps: readonly Step[];
  readonly rollback: RollbackPlan;
  readonly metrics: readonly Metric[];
  readonly comparison: ComparisonSettings;
  /** Where numbers come from; null: the instance's PROMETHEUS_URL. */
  readonly prometheus: Endpoint | null;
  readonly alertmanager: Endpoint | null;
  /** Any one of them matching makes an alert this service's. */
  readonly alerts: readonly AlertSelector[];
  readonly approvers: Approvers;
  readonly respond: Respond;
  readonly escalate: Escalate | null;
  /** Alerts of the service are silenced in Alertmanager while it is rolled back, for this long at most; null: never. */
  readonly silence: { readonly forMs: number } | null;
  /** How long a version must have served without an open degradation to be a last known good. */
  readonly lastGoodAfterMs: number;
  /** How long a rollout is watched after 100 %. */
  readonly watchMs: number;
}

/** Which adapter moves the traffic, and its own settings, already checked by that adapter's schema. */
export interface TargetSpec {
  readonly kind: string;
  readonly config: unknown;
}

/**
 * `canary`: by steps. `blue-green`: two whole arms and one step, back at once while the old arm is kept. `switch`: all or nothing in
 * one step, for targets that cannot split. The last two have the one step 100 % and the one phase 0 %.
 */
export interface Strategy {
  readonly kind: 'canary' | 'blue-green' | 'switch';
  /** Before the first shift the candidate must have been ready for `soakMs` on end, within `maxSoakMs`; null: asked once, at the shift. */
  readonly warmUp: { readonly soakMs: number; readonly maxSoakMs: number } | null;
  /** How long after 100 % the old arm is kept running: until then the way back is instant. 0: not known. */
  readonly keepMs: number;
}

/** One step forward. Exposure is the candidate's share of traffic, 0..100. */
export interface Step {
  readonly exposurePercent: number;
  /** The gate is asked after this. */
  readonly soakMs: number;
  /** A gate still undecided after this opens the question. */
  readonly maxSoakMs: number;
  /** What is asked at its end; absent: the policy's objective, over all metrics. */
  readonly gate?: Gate;
}

/**
 * What a step's end asks, by the policy's own name for it. All metrics must not be degraded, whichever are named.
 * `comparison`: the candidate beside stable. `shadow`: the candidate gets copies of the traffic and answers nobody: the step is at
 * 0 %. `ab`: both arms answer, with the step's weights, until the difference is significant; the split has to be as configured.
 */
export interface Gate {
  readonly name: string;
  readonly kind: 'comparison' | 'shadow' | 'ab';
  readonly objective: 'no-worse' | 'better';
  /** Names of the metrics that must be healthy (and, where the objective is `better`, of which one must be better). Empty: all. */
  readonly metrics: readonly string[];
}

export interface RollbackPlan {
  /** Exposures on the way back, falling, the last one 0. Those not below the present exposure are left out. */
  readonly phases: readonly Step[];
  /** After 0: how long it must look well, and how long it may take. */
  readonly verify: { readonly soakMs: number; readonly maxSoakMs: number };
}

/** An HTTP endpoint with how to get in. Secrets were resolved from `LASTGOOD_SECRET_*` when the policy was loaded. */
export interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: {
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: string | null;
    readonly insecure: boolean;
  };
}

/** Alertmanager's matchers: all must hold. Severity comes from the alert's `severity` label unless `severity` says so. */
export interface AlertSelector {
  readonly matchers: readonly Matcher[];
  readonly severity: Severity | null;
}
export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}
export type Severity = 'warning' | 'critical';

export interface Approvers {
  /** Slack user ids; `*` lets everybody in. */
  readonly users: readonly string[];
  /** How many different approvers "promote all steps" takes. */
  readonly quorum: number;
}

export interface Respond {
  /** How long a signal must last before the question is put. */
  readonly graceMs: number;
  /** From the question to the default action. */
  readonly deadlineMs: number;
  /** The same where a critical alert is among the signals; never longer than `deadlineMs`. */
  readonly criticalDeadlineMs: number;
  readonly defaultAction: 'rollback' | 'hold' | 'page';
  /** What the deadline does where nothing could be measured. */
  readonly whenUnknown: 'hold' | 'rollback';
  /** All extensions and the acknowledgement together add no more than this (90 min). */
  readonly extendCapMs: number;
  /** What one acknowledgement adds. */
  readonly acknowledgeMs: number;
  /** How long it must stay well before a recovery ends the question. */
  readonly stabilityMs: number;
  /** How long a Hold lasts unless told otherwise (30 min). */
  readonly holdMs: number;
}

export interface Escalate {
  /** From the question; before the deadline. */
  readonly afterMs: number;
  /** Paged again while a person is required and nobody acknowledged. */
  readonly repeatMs: number;
  readonly routingKey: string | null;
  readonly severity: 'critical' | 'error' | 'warning' | 'info';
}
