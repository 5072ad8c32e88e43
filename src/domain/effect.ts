import type { Comparison, LookPeriod } from '../analysis/types.ts';
import type { Actor, Split, TimerKey } from './state.ts';

/** What a decision wants done in the world. Each is stored as a job in the decision's own transaction, then performed. */
export type Effect =
  /** Bring the target to this split and read it back. Answers `shifted` or `shift_failed`. */
  | {
      readonly kind: 'shift';
      readonly shiftId: string;
      readonly split: Split /** Version whose share grows: it must be ready. Null: asserted again, nothing grows. */;
      readonly gaining: string | null;
    }
  /** Answers `measured`, always: what cannot be read is no-data. A newer look replaces an older one. */
  | {
      readonly kind: 'measure';
      readonly lookId: number;
      readonly stable: string;
      readonly candidate: string | null;
      readonly period: Omit<LookPeriod, 'toMs'>;
    }
  /** Asks the target whether `version` can take traffic. Answers `probed`, always. */
  | { readonly kind: 'probe'; readonly probeId: number; readonly version: string }
  /**
   * Silences the service's alerts in its Alertmanager until `untilMs`, or lifts what was silenced for this degradation. May be
   * repeated: there is one silence a matcher set and degradation. Answers `silenced`.
   */
  | {
      readonly kind: 'silence';
      readonly action: 'create' | 'lift';
      readonly degradationId: string;
      readonly untilMs: number;
      readonly comment: string;
    }
  /** Replaces the timer with this key. */
  | { readonly kind: 'timer'; readonly key: TimerKey; readonly atMs: number; readonly epoch: number }
  | { readonly kind: 'cancel_timer'; readonly key: TimerKey }
  /** Bring the card to the state. Cards are functions of the state: only that it changed is said here. */
  | { readonly kind: 'card'; readonly card: CardRef; readonly urgent: boolean }
  /** Tell it in the card's thread. `entry` is in the journal as well; `more`: so many lines are said as one; absent: only itself. */
  | { readonly kind: 'say'; readonly card: CardRef; readonly entry: JournalEntry; readonly more?: number }
  /** The report at the end, in the thread of the degradation's card (or the rollout's where there was none). */
  | { readonly kind: 'report'; readonly card: CardRef }
  | {
      readonly kind: 'page';
      readonly action: 'trigger' | 'acknowledge' | 'resolve';
      readonly degradationId: string;
      readonly summary: string;
    };
export type EffectKind = Effect['kind'];

export interface CardRef {
  readonly kind: 'rollout' | 'degradation';
  readonly id: string;
}

/** One line of the journal (rule 12): who or what, when, from where to where, why, with the numbers seen then. */
export interface JournalEntry {
  readonly atMs: number;
  readonly actor: Actor;
  /** What happened, in past tense and kebab-case: `rollout-started`, `question-opened`, `shift-ordered`, … */
  readonly what: JournalKind;
  readonly rolloutId: string | null;
  readonly degradationId: string | null;
  readonly from: Position | null;
  readonly to: Position | null;
  readonly reason: string;
  /** One plain sentence, complete in itself: what the thread, the history and the log show. */
  readonly text: string;
  readonly numbers: readonly JournalNumber[];
  /** When the numbers were seen, where that was before this happened (Unix ms): looks that say again what is known are not kept. */
  readonly numbersAtMs?: number;
  readonly policyRevision: string;
  /** Where the policy's file is kept in Git. */
  readonly policyCommit?: string;
}
export interface Position {
  readonly version: string;
  readonly exposurePercent: number;
}
export interface JournalNumber {
  readonly metric: string;
  readonly verdict: string;
  readonly stable: number | null;
  readonly candidate: number | null;
}
export type JournalKind =
  | 'rollout-started'
  | 'step-ordered'
  | 'shifted'
  | 'shift-failed'
  | 'gate-passed'
  | 'would-have'
  | 'rollout-completed'
  | 'rollout-succeeded'
  | 'rollout-cancelled'
  | 'alert-fired'
  | 'alert-resolved'
  | 'question-opened'
  | 'question-joined'
  | 'question-paused'
  | 'question-resumed'
  | 'question-ended'
  | 'deadline-reached'
  | 'deadline-postponed'
  | 'held'
  | 'resumed'
  | 'promoted'
  | 'voted'
  | 'rollback-decided'
  | 'phase-ordered'
  | 'phase-passed'
  | 'rolled-back'
  | 'stuck'
  | 'extended'
  | 'acknowledged'
  | 'paged'
  | 'page-acknowledged'
  | 'page-resolved'
  | 'page-failed'
  | 'frozen'
  | 'unfrozen'
  | 'automation-off'
  | 'automation-on'
  | 'policy-changed'
  | 'warming'
  | 'warmed-up'
  | 'way-back-chosen'
  | 'alerts-silenced'
  | 'silence-lifted'
  | 'silence-failed'
  | 'drift-noticed';

/** The numbers of a comparison as the journal keeps them. */
export function journalNumbers(comparison: Comparison | null): JournalNumber[] {
  return (comparison?.metrics ?? []).map((m) => ({
    metric: m.metric,
    verdict: m.verdict,
    stable: m.stableNow.value,
    candidate: m.candidateNow.value,
  }));
}

/** What one event comes to. A refusal changes nothing: same state, no effects, no journal. */
export type Decision<State> =
  | {
      readonly outcome: 'accepted';
      readonly state: State;
      readonly effects: readonly Effect[];
      readonly journal: readonly JournalEntry[] /** For who asked. */;
      readonly reply: string;
    }
  | { readonly outcome: 'ignored'; readonly why: string }
  | { readonly outcome: 'refused'; readonly refusal: Refusal };

/** Written for the person who asked: what is in the way, and what to do. */
export interface Refusal {
  readonly code: 'forbidden' | 'stale' | 'conflict' | 'not-found' | 'invalid';
  readonly text: string;
}
