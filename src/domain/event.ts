import type { Comparison } from '../analysis/types.ts';
import type { Actor, Alert, TimerKey } from './state.ts';
import type { Version } from './version.ts';

/** Everything that can happen to a service. */
export type DomainEvent =
  | {
      readonly type: 'alert';
      readonly alert: Alert /** Alertmanager was asked: its webhook had not told us. */;
      readonly found?: boolean;
    }
  | {
      readonly type: 'command';
      readonly command: Command;
      readonly actor: Actor /** What the pressed button was drawn for; absent for a typed command. See `binding.ts`. */;
      readonly binding?: string;
    }
  | {
      readonly type: 'measured';
      readonly lookId: number;
      readonly comparison: Comparison;
      /** Looks since the last one told that came to the same and were not (see `quiet.ts`); absent: none. */
      readonly alike?: number;
    }
  | {
      readonly type: 'timer';
      readonly key: TimerKey;
      readonly epoch: number;
      /** The moment it was put off to without a word to the state (see `quiet.ts`); absent: it was not. */
      readonly putOffToMs?: number;
    }
  | {
      readonly type: 'shifted';
      readonly shiftId: string;
      readonly exposurePercent: number /** Our call may still land later: its reply was lost. */;
      readonly uncertain: boolean;
    }
  | {
      readonly type: 'shift_failed';
      readonly shiftId: string;
      readonly problem: 'not-ready' | 'failed';
      /** One of its calls may still land. */
      readonly uncertain: boolean;
      readonly reason: string;
    }
  /** What the target says of a version's readiness; null: it could not be asked, `problem` says why. */
  | {
      readonly type: 'probed';
      readonly probeId: number;
      readonly readiness: Readiness | null;
      readonly problem: string | null;
    }
  /** What the target shows between our shifts; asked for at `askedAtMs`. */
  | { readonly type: 'seen'; readonly observed: Observed; readonly askedAtMs: number }
  /** Our silence was made or lifted in Alertmanager; `problem`: it was not, and why. */
  | {
      readonly type: 'silenced';
      readonly degradationId: string;
      readonly action: 'create' | 'lift';
      readonly problem: string | null;
    }
  /** The open question cannot be seen where it is asked; `why` without a full stop. */
  | { readonly type: 'unseen'; readonly degradationId: string; readonly why: string }
  /** PagerDuty's answer to a page, and what people do there. */
  | {
      readonly type: 'paged';
      readonly degradationId: string;
      readonly action: 'trigger' | 'acknowledge' | 'resolve';
      /** Of a trigger: the policy whose routing key it went to. */
      readonly policyRevision?: string;
    }
  | {
      readonly type: 'page_failed';
      readonly degradationId: string;
      readonly action: 'trigger' | 'acknowledge' | 'resolve';
      readonly reason: string;
    }
  | { readonly type: 'pager_acknowledged'; readonly degradationId: string; readonly by: string }
  | { readonly type: 'pager_resolved'; readonly degradationId: string; readonly by: string }
  /** The database was put back from a backup that knows nothing after `asOfMs`. */
  | { readonly type: 'restored'; readonly asOfMs: number }
  /** The policy file changed: `enforce` to `observe` takes effect at once, cards are drawn anew. */
  | { readonly type: 'policy_changed' };

/** What people (and pipelines) can ask for. Reasons are free text from outside. */
export type Command =
  | {
      readonly name: 'start';
      readonly candidate: Version /** What the target said just now. */;
      readonly observed: Observed;
      /** How the candidate fared where the policy requires it to have succeeded; absent where it requires nothing. */
      readonly promotion?: Promotion;
      readonly force: boolean;
      readonly reason: string;
    }
  /** `step`: the next step; `all`: straight to 100 % (takes the quorum). */
  | { readonly name: 'promote'; readonly scope: 'step' | 'all'; readonly reason: string }
  /** `phased`: by the policy's phases; `at-once`: to 0 now (also hastens a phased one under way). */
  | {
      readonly name: 'rollback';
      readonly pace: 'phased' | 'at-once' /** Null: the rollout's stable, or the last known good. */;
      readonly to: string | null;
      /** Instead of `to`: whatever served all traffic at that moment (Unix ms). */
      readonly beforeMs?: number;
      readonly reason: string;
    }
  /** Also "Pause here" while rolling back. */
  | { readonly name: 'hold' /** Null: the policy's. */; readonly forMs: number | null; readonly reason: string }
  /** Ends a hold or a pause, tries again what is stuck. */
  | { readonly name: 'resume'; readonly reason: string }
  | { readonly name: 'extend'; readonly byMs: number; readonly reason: string }
  | { readonly name: 'acknowledge'; readonly reason: string }
  /** Ends a rollout at 0 %, or a question without a rollout. */
  | { readonly name: 'cancel'; readonly reason: string }
  | { readonly name: 'freeze'; readonly reason: string }
  | { readonly name: 'unfreeze'; readonly reason: string }
  | { readonly name: 'automation'; readonly on: boolean; readonly reason: string };
export type CommandName = Command['name'];

/** What became of a version in the service that this one requires. */
export interface Promotion {
  readonly service: string;
  readonly outcome: 'succeeded' | 'not-succeeded';
  /** "fraud-scorer-staging-r7 is watched until 14:05", "v43 was never rolled out there". */
  readonly detail: string;
}

/** A target as it stands. Versions and exposure are null where the target cannot tell. */
export interface Observed {
  readonly stable: string | null;
  readonly candidate: string | null;
  /** The candidate's share, 0..100, as really in force. */
  readonly exposurePercent: number | null;
  /** Versions that can take traffic now; a version not listed is not known to be ready. */
  readonly ready: Readonly<Record<string, Readiness>>;
  /** For compare-and-set, where the target has it. */
  readonly revision: string | null;
  /** What a person should know of what is in force: "was reloaded 12 s ago and has the weights of its configuration". */
  readonly notice?: string | null;
}
export interface Readiness {
  readonly ready: boolean;
  /** Why not, or what makes it ready: "3 of 3 instances". */
  readonly detail: string;
}
