import type { Refusal } from '../domain/effect.ts';
import type { Command, DomainEvent, Observed } from '../domain/event.ts';
import type { Policy } from '../domain/policy.ts';
import type { Actor, Alert, ServiceState } from '../domain/state.ts';
import type { Version } from '../domain/version.ts';
import type { StoredEntry, UnmatchedAlert } from '../ports/store.ts';
import type { NearMiss } from './near-miss.ts';

/** What every way in calls: Slack, HTTP, the command line. Implemented by `createApplication`. */
export interface Application {
  /**
   * Takes alerts in. Resolves when everything is durably stored: only then may the sender be told 200.
   * @param found they were not sent to us: Alertmanager was asked, for this service. Both ways in are one: what came in by the
   * other before is a duplicate.
   */
  receiveAlerts(alerts: readonly Alert[], found?: { readonly service: string }): Promise<AlertReceipt>;
  /** A person's or a pipeline's command. `key` makes it happen once (a Slack view id, an idempotency key). */
  command(request: CommandRequest): Promise<Answer>;
  /** Starts a rollout: asks the target what is in force, then decides. */
  start(request: {
    service: string;
    candidate: Version;
    force: boolean;
    reason: string;
    actor: Actor;
    key: string;
    once?: string;
  }): Promise<Answer>;
  /** Whether a press would be allowed now: the check before a modal is opened; the same is checked again at submit. */
  check(request: CommandRequest): Promise<Answer>;
  deliver(service: string, event: DomainEvent, key: string): Promise<Answer>;

  policies(): readonly Policy[];
  status(service: string): Promise<Status | null>;
  /** What goes on with all services that have a policy; `most`: of each kind that are given in full. */
  overview(most: number): Promise<Overview>;
  history(service: string, limit: number): Promise<readonly StoredEntry[]>;
  /** Alerts that came in and that no policy matches, heard of last first. */
  unmatched(limit: number): Promise<readonly Unmatched[]>;
}

export interface CommandRequest {
  readonly service: string;
  readonly command: Command;
  readonly actor: Actor;
  readonly binding?: string;
  readonly key: string;
  /**
   * What it came with, kept also where it is refused: the very same request, recorded and sent again to another replica, does
   * nothing however things stand by then. Absent: a refused request may be repeated.
   */
  readonly once?: string;
}

export type Answer =
  | { readonly ok: true /** What happened, for who asked. */; readonly text: string; readonly duplicate: boolean }
  | { readonly ok: false; readonly refusal: Refusal };

export interface AlertReceipt {
  readonly matched: number;
  readonly unmatched: number;
  readonly duplicates: number;
}

export interface Unmatched {
  readonly alert: UnmatchedAlert;
  /** What each policy missed in it, the nearest first. */
  readonly misses: readonly NearMiss[];
}

export interface Overview {
  /** On which a rollout is under way or a question is open: those with a question first, then by name. */
  readonly active: readonly Status[];
  /** On which nothing is, by name. */
  readonly quiet: readonly Status[];
  /** How many there are in all. */
  readonly activeCount: number;
  readonly quietCount: number;
}

export interface Status {
  readonly policy: Policy;
  readonly state: ServiceState;
  readonly observed?: Observed;
}
