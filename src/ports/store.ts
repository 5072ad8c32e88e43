import type { CardRef, Effect, JournalEntry } from '../domain/effect.ts';
import type { DomainEvent } from '../domain/event.ts';
import type { ServiceState } from '../domain/state.ts';
import type { MessageAddress } from './chat.ts';

/** What is remembered, and nothing else is. One implementation a database; one contract suite for all. */
export interface Store {
  /**
   * One unit of work: everything in `work` commits together or not at all. On conflict with another writer of the same service
   * it is tried again, at most three times. Nothing slow and no network inside.
   */
  transaction<T>(work: (unit: Unit) => Promise<T>): Promise<T>;
  load(service: string): Promise<StoredState | null>;
  services(): Promise<readonly ServiceState[]>;
  /** Newest first. */
  journal(query: {
    service: string | null;
    degradationId?: string;
    rolloutId?: string;
    limit: number;
  }): Promise<readonly StoredEntry[]>;
  jobs: JobQueue;
  messages: MessageBook;
  /** Policy files by revision, as written (secrets are only named in them): a rollout ends under the target it began with. */
  policies: PolicyArchive;
  close(): Promise<void>;
}

export interface Unit {
  /** False: an event with this key was there before; the caller stops. */
  insertEvent(event: StoredEvent): Promise<boolean>;
  load(service: string): Promise<StoredState | null>;
  /** `expectedVersion` 0 inserts. Throws StoreConflict where somebody was faster. */
  save(state: ServiceState, expectedVersion: number): Promise<void>;
  /** A job with a key replaces the one that has the key and was not begun; its attempt count starts anew. */
  enqueue(job: NewJob): Promise<void>;
  cancel(service: string, key: string): Promise<void>;
  /** Completes the job whose outcome this unit records; false where its lease is no longer ours: then nothing may be recorded. */
  complete(lease: Lease): Promise<boolean>;
  append(service: string, entries: readonly JournalEntry[]): Promise<void>;
}

export interface StoredState {
  readonly state: ServiceState;
  readonly version: number;
}
export interface StoredEvent {
  readonly key: string;
  readonly service: string;
  readonly event: DomainEvent;
  readonly atMs: number;
}
export interface StoredEntry {
  readonly sequence: number;
  readonly service: string;
  readonly entry: JournalEntry;
}

/** A timer's job delivers its event; every other performs its effect. */
export interface NewJob {
  readonly service: string;
  /** Null: always a job of its own. */
  readonly key: string | null;
  readonly effect: Effect;
  readonly dueAtMs: number;
  /** Smaller first among the due: a shift before a card before a thread line. */
  readonly priority: number;
}
export interface Job extends NewJob {
  readonly id: number;
  /** 1 at the first try. */
  readonly attempt: number;
  /** Only jobs of the same lane wait for each other: `shift/fraud-scorer`, `chat/#channel`. */
  readonly lease: Lease;
  readonly createdAtMs: number;
}
export interface Lease {
  readonly jobId: number;
  readonly owner: string;
  readonly attempt: number;
}

export interface JobQueue {
  /** Due jobs, most urgent first, leased to `owner` until `leaseMs` from now. Expired leases are taken over. */
  claim(request: { owner: string; nowMs: number; leaseMs: number; limit: number }): Promise<readonly Job[]>;
  /** Keeps a lease of a long job. False: it is lost. */
  extend(lease: Lease, untilMs: number): Promise<boolean>;
  /** Done without an event to record. False: the lease is lost. */
  complete(lease: Lease): Promise<boolean>;
  /** Put back, due later. False: the lease is lost. */
  retry(lease: Lease, dueAtMs: number, problem: string): Promise<boolean>;
  /** When the next unclaimed job is due or the next lease expires; null: none. */
  nextDueMs(): Promise<number | null>;
  /** How many jobs are not done. */
  pending(): Promise<number>;
}

/** Which message stands for which of our ids: intent is stored before the post, the address after. */
export interface MessageBook {
  /** `posting`: a post was begun and its outcome is not known: look for it before sending again. */
  get(
    id: string,
  ): Promise<{ state: 'posting' | 'posted'; address: MessageAddress | null; digest: string | null } | null>;
  begin(id: string, atMs: number): Promise<void>;
  /** `digest` of what stands there, to leave out updates that change nothing. */
  posted(id: string, address: MessageAddress, digest: string): Promise<void>;
  forget(id: string): Promise<void>;
}

export interface PolicyArchive {
  keep(service: string, revision: string, yaml: string): Promise<void>;
  find(service: string, revision: string): Promise<string | null>;
}

export class StoreConflict extends Error {
  override readonly name = 'StoreConflict';
}

export function cardMessageId(card: CardRef): string {
  return `card/${card.id}`;
}
