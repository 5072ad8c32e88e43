import type { Comparison, ComparisonSettings, Metric } from '../analysis/types.ts';
import type { Policy, RollbackPlan, Severity, Step, Strategy } from './policy.ts';
import type { Served, WayBack } from './served.ts';
import type { Version } from './version.ts';

/** One service as Lastgood knows it: the unit of consistency. Plain JSON; stored whole with every decision. */
export interface ServiceState {
  /** Version of this shape, from the first day: what reads it can bring older rows up. */
  readonly schema: 1;
  readonly service: string;
  /** The latest moment seen; time never runs backwards for a service (Unix ms). */
  readonly clockMs: number;
  readonly freeze: Mark | null;
  /** The emergency brake: while set, automation only says what it would have done. */
  readonly automationOff: Mark | null;
  /** What served all traffic, and when: evidence for the last known good. Newest last, at most 20. */
  readonly served: readonly Served[];
  /** Under way, watched, or the last one ended. */
  readonly rollout: Rollout | null;
  /** The open question, or the last one ended. */
  readonly degradation: Degradation | null;
  /** Ended degradations and rollouts whose cards may still have to be brought up to date. Newest last, at most 5 each. */
  readonly past: { readonly rollouts: readonly Rollout[]; readonly degradations: readonly Degradation[] };
  /**
   * Every matched alert that was heard of: fires or is resolved. Resolved ones are forgotten after a day. Of the labels only those that
   * tell where it came from are kept, and the description only where there is no summary.
   */
  readonly alerts: readonly Alert[];
  /** The one shift in flight. */
  readonly shift: ShiftInFlight | null;
  /** The exposure ordered last, whether or not it came into force; null: none yet. */
  readonly assertedPercent: number | null;
  /** The look that is being taken; an answer to any other is ignored. */
  readonly look: Look | null;
  /** The readiness check that is being made; an answer to any other is ignored. */
  readonly probe: { readonly id: number; readonly askedAtMs: number } | null;
  readonly timers: Readonly<Partial<Record<TimerKey, Timer>>>;
  /** Numbers shifts, looks and timers. */
  readonly sequence: number;
  /** Numbers what people talk about: `fraud-scorer-r3`, `fraud-scorer-d5`. */
  readonly counts: { readonly rollouts: number; readonly degradations: number };
}

export interface Actor {
  /** `person`: a Slack user id. `policy`: `service@revision`. `alertmanager`, `pagerduty`, `api`: what it calls itself. */
  readonly kind: 'person' | 'policy' | 'alertmanager' | 'pagerduty' | 'api';
  readonly id: string;
  /** As shown; for a person the name Slack gave, where known. */
  readonly name: string;
  /** A person of another workspace, in a channel that is shared with it: "everybody" does not mean them. */
  readonly outsider?: true;
}

/** Something somebody set, with who, when and why. */
export interface Mark {
  readonly by: Actor;
  readonly atMs: number;
  readonly reason: string;
}

export interface Rollout {
  /** `fraud-scorer-r3` */
  readonly id: string;
  readonly stable: Version;
  readonly candidate: Version;
  readonly startedAtMs: number;
  readonly startedBy: Actor;
  readonly reason: string;
  /** As they were when it began (policy edited under way). */
  readonly plan: Plan;
  /** As last read back from the target. */
  readonly exposurePercent: number;
  /** Index of the step it is on; -1 before the first shift. */
  readonly step: number;
  readonly phase: Phase;
  /** Goes up with everything that changes what people can decide: buttons drawn before are stale (rule 8). */
  readonly epoch: number;
  /** When each exposure was reached (a shadow step begins with one to 0 %): restarts of the comparison, the report's time line. */
  readonly shifts: readonly { readonly atMs: number; readonly exposurePercent: number }[];
  /** Votes for "promote all"; they fall with the epoch. */
  readonly votes: readonly { readonly by: Actor; readonly atMs: number }[];
  /** Metrics a person promoted over: no reason to ask again within this step. */
  readonly overridden: readonly string[];
  readonly comparison: Comparison | null;
  /** `restore`: no rollout preceded it; a person takes the serving version back. */
  readonly origin: 'start' | 'restore';
  /** Set where a finished (watched or ended) rollout is taken back; null: back to the stable beside it. */
  readonly wayBack: WayBack | null;
  /** The candidate's share as somebody else set it, told already; absent: as ordered. */
  readonly driftPercent?: number | undefined;
  /** The largest share ever ordered for the candidate or seen on it; 0: it never got traffic. Absent: not known. */
  readonly highestPercent?: number | undefined;
  /** It got more than was ordered once, and was brought down: a second time it is not. */
  readonly driftCorrected?: boolean | undefined;
}

/** What a rollout keeps of the policy it began with. Its target is found again by the revision: it may hold secrets. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly rollback: RollbackPlan;
  readonly metrics: readonly Metric[];
  readonly comparison: ComparisonSettings;
  readonly strategy: Strategy;
  readonly objective: Policy['objective'];
  readonly revision: string;
}

export type Phase =
  | {
      readonly name: 'advancing';
      readonly sinceMs: number;
      /** `warming`: at 0 %, until the candidate has been ready long enough (until `soakUntilMs`, at the latest `maxSoakUntilMs`). */
      readonly stage: 'warming' | 'shifting' | 'soaking';
      readonly soakUntilMs: number;
      readonly maxSoakUntilMs: number;
    }
  | {
      readonly name: 'holding';
      readonly sinceMs: number /** Null: until a person goes on. */;
      readonly untilMs: number | null;
      readonly by: Actor;
      readonly reason: string;
      readonly during: 'advancing' | 'watching' | Rollback;
    }
  /** A degradation has the floor; exposure stays where it is. */
  | { readonly name: 'deciding'; readonly sinceMs: number; readonly during: 'advancing' | 'watching' | Rollback }
  | { readonly name: 'watching'; readonly sinceMs: number; readonly untilMs: number }
  | { readonly name: 'rolling_back'; readonly sinceMs: number; readonly rollback: Rollback }
  | {
      readonly name: 'verifying';
      readonly sinceMs: number;
      readonly soakUntilMs: number;
      readonly maxSoakUntilMs: number;
      readonly rollback: Rollback;
    }
  | {
      readonly name: 'stuck';
      readonly sinceMs: number;
      readonly reason: string;
      readonly during: 'advancing' | 'watching' | Rollback;
    }
  | { readonly name: 'succeeded' | 'rolled_back' | 'cancelled'; readonly atMs: number; readonly reason: string };

/** A rollback under way: who decided it, and how far it is. */
export interface Rollback {
  readonly by: Actor;
  readonly reason: string;
  readonly beganAtMs: number;
  /** Exposure when it began, for the report. */
  readonly fromPercent: number;
  /** What is left, falling; the first is the present one. A rollback at once has only 0. */
  readonly phases: readonly Step[];
  /** Index into `phases`. */
  readonly phase: number;
  readonly stage: 'shifting' | 'soaking';
  readonly soakUntilMs: number;
  readonly maxSoakUntilMs: number;
}

export interface Alert {
  readonly fingerprint: string;
  readonly name: string;
  readonly severity: Severity;
  readonly status: 'firing' | 'resolved';
  readonly startsAtMs: number;
  readonly endsAtMs: number | null;
  readonly summary: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly generatorUrl: string;
  readonly runbookUrl: string;
  /** When it was decided on last, in a state; absent: not yet, or before this was kept. */
  readonly heardAtMs?: number | undefined;
}

/** Why the question is open. `active` is worked out, not stored: see `clock.ts`. */
export type Signal =
  | {
      readonly kind: 'alert';
      readonly fingerprint: string;
      readonly name: string;
      readonly severity: Severity;
      readonly atMs: number;
    }
  /** The gate found it degraded. */
  | { readonly kind: 'gate-failed'; readonly culprits: readonly string[]; readonly atMs: number }
  /** A shift failed or the way back is closed: a person is required. */
  | { readonly kind: 'stuck'; readonly reason: string; readonly atMs: number }
  /** The gate could not tell by `maxSoak`. */
  | {
      readonly kind: 'gate-undecided';
      /** `not-better`: no worse, but the objective asks for more. */
      readonly verdict: 'inconclusive' | 'no-data' | 'not-better';
      readonly atMs: number;
    };

export interface Degradation {
  /** `fraud-scorer-d5`: also PagerDuty's dedup key (with the instance's prefix) and the card's id. */
  readonly id: string;
  readonly rolloutId: string | null;
  readonly openedAtMs: number;
  readonly severity: Severity;
  readonly signals: readonly Signal[];
  readonly stage: DegradationStage;
  /** Extensions and the acknowledgement so far; held against `extendCapMs`. */
  readonly extendedMs: number;
  readonly acknowledged: Mark | null;
  readonly comparison: Comparison | null;
  /** Numbers when it opened, at the decision and at the end: the report's before / during / after. */
  readonly milestones: readonly {
    readonly what: 'opened' | 'decided' | 'ended';
    readonly atMs: number;
    readonly exposurePercent: number | null;
    readonly comparison: Comparison | null;
  }[];
  readonly page: {
    readonly state: 'none' | 'triggered' | 'acknowledged' | 'resolved';
    readonly atMs: number | null;
    readonly by: string | null;
    /** The policies whose routing keys incidents were opened with, oldest first; absent: not known. The keys are secret. */
    readonly policyRevisions?: readonly string[];
  };
  readonly decision: {
    readonly by: Actor;
    readonly action: string;
    readonly reason: string;
    readonly atMs: number;
  } | null;
  /** Our silence in Alertmanager: asked for until then (or until the rollback has ended); null: none. */
  readonly silencedUntilMs: number | null;
  /** The like of the rollout's, for questions without one. */
  readonly epoch: number;
}

export type DegradationStage =
  /** The signal has to last before the question is put. */
  | { readonly name: 'grace'; readonly untilMs: number }
  | {
      readonly name: 'asking';
      readonly deadlineMs: number;
      readonly escalateAtMs: number | null;
      readonly measuring: boolean;
    }
  /** Well again: the clock stands still at `remainingMs` (rule 7). */
  | {
      readonly name: 'recovering';
      readonly untilMs: number;
      readonly remainingMs: number;
      readonly escalateRemainingMs: number | null /** It was in grace, not yet asked. */;
      readonly unasked: boolean;
      /** It stood held for this: what a re-fire goes back to. Null: it was asking (or in grace). */
      readonly held: HeldReason | null;
    }
  /** A person or the default action decided; open until what was decided is done. */
  | { readonly name: 'decided' }
  /** Automation may not act (common cause, no data, frozen, no rollout, …): a person is asked, and paged again while it lasts. */
  | { readonly name: 'held'; readonly why: HeldReason }
  | { readonly name: 'ended'; readonly atMs: number; readonly outcome: DegradationOutcome };

export type HeldReason =
  | 'no-data'
  | 'healthy'
  | 'common-cause'
  | 'frozen'
  | 'inconclusive'
  | 'no-rollout'
  | 'policy'
  | 'observe'
  | 'stable-worse'
  | 'stuck'
  | 'restored'
  | 'person';
export type DegradationOutcome = 'recovered' | 'rolled-back' | 'promoted' | 'cancelled' | 'superseded' | 'dismissed';

/** Absolute weights: the candidate gets `exposurePercent`, stable the rest. */
export interface Split {
  readonly stable: string;
  readonly candidate: string;
  readonly exposurePercent: number;
}

export interface ShiftInFlight {
  /** `fraud-scorer-s12` */
  readonly id: string;
  readonly split: Split;
  readonly orderedAtMs: number;
  /** What is to be shifted to as soon as this one is settled ("To 0 now" while a shift is in flight). */
  readonly next: Split | null;
}

export interface Look {
  readonly id: number;
  readonly askedAtMs: number;
}

export type TimerKey =
  | 'grace'
  | 'deadline'
  | 'escalate'
  | 'stability'
  | 'hold'
  | 'look'
  | 'repage'
  | 'watch'
  | 'probe'
  | 'reassert';
export interface Timer {
  readonly atMs: number;
  /** A firing with another epoch is stale. */
  readonly epoch: number;
}
