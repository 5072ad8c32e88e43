import type { EffectKind, JournalEntry } from '../domain/effect.ts';
import type { ServiceState } from '../domain/state.ts';
import type { FailureClass } from './failure.ts';

/** What operators can watch: counted as metrics and written as log lines. Never throws, never waits. */
export interface Telemetry {
  alertsReceived(counts: { matched: number; unmatched: number; duplicates: number }): void;
  /** An alert no policy matches: its name and fingerprint, for the operator to find. */
  alertUnmatched(alert: { name: string; fingerprint: string }): void;
  decided(decision: {
    service: string;
    event: string;
    outcome: 'accepted' | 'ignored' | 'refused' | 'duplicate';
    durationMs: number;
  }): void;
  journalled(service: string, entry: JournalEntry): void;
  performed(job: {
    kind: EffectKind;
    service: string;
    outcome: 'done' | FailureClass;
    attempt: number;
    lateMs: number;
    durationMs: number;
    problem?: string;
  }): void;
  /** One line at the end of a rollout, with result, reason and durations. */
  rolloutEnded(service: string, state: ServiceState): void;
  problem(where: string, error: unknown): void;
}
