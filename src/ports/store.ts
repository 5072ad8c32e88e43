import type { CardRef, Effect, EffectKind, JournalEntry } from '../domain/effect.ts';
import type { DomainEvent } from '../domain/event.ts';
import type { Alert, ServiceState } from '../domain/state.ts';
import type { Audit } from './audit.ts';
import type { MessageAddress } from './chat.ts';

/** What is remembered, and nothing else is. One implementation a database; one contract suite for all. */
export interface Store {
  /**
   * One unit of work: everything in `work` commits together or not at all. On conflict with another writer of the same service
   * it is tried again, at most three times; so it is where the connection broke, and then the unit before may have committed: event
   * keys and leases keep it from being done twice. Nothing slow and no network inside.
   */
  transaction<T>(work: (unit: Unit) => Promise<T>): Promise<T>;
  load(service: string): Promise<StoredState | null>;
  services(): Promise<readonly ServiceState[]>;
  /** The names alone. */
  serviceNames(): Promise<readonly string[]>;
  /**
   * The services whose state is at the version that is known (null: none). Each other state is given to `changed` as it is read, in no
   * order, for thousands of them are more than fit into memory; where the database had to be asked again one may be given twice.
   */
  changes(
    known: (service: string) => number | null,
    changed: (stored: StoredState) => void,
  ): Promise<readonly string[]>;
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
  unmatched: UnmatchedBook;
  accepted: AcceptedBook;
  duties: Duties;
  settings: Settings;
  /** The journal as evidence. */
  audit: Audit;
  /** Forgets what only guards against doing things twice and is from before `beforeMs`; answers how many events. The journal stays. */
  prune(beforeMs: number): Promise<number>;
  /** Writes a copy, as it is at one moment, into a file that is not there yet. Rejects with what to do where it cannot. */
  backup(file: string): Promise<void>;
  /** Reads all of what is stored, whether it can be read; null: it cannot be looked at this way, or not now. May take a minute. */
  inspect(signal: AbortSignal): Promise<Inspection | null>;
  /** Waits for the unit under way. */
  close(): Promise<void>;
}

export interface Inspection {
  readonly ok: boolean;
  readonly detail: string;
}

/** Inside `work` only the unit may be used: the store itself waits until the unit is over. */
export interface Unit {
  /** False: an event with this key was there before; the caller stops. */
  insertEvent(event: StoredEvent): Promise<boolean>;
  load(service: string): Promise<StoredState | null>;
  /** `expectedVersion` 0 inserts. Throws StoreConflict where somebody was faster. */
  save(state: ServiceState, expectedVersion: number): Promise<void>;
  /** A job with a key replaces the one that has the key and is not running; its attempt count starts anew (but see `merge`). */
  enqueue(job: NewJob): Promise<void>;
  /** Takes back the job with this key, unless it is running: a timer that fires just now is stale by its epoch. */
  cancel(service: string, key: string): Promise<void>;
  /** What waits to be said or is being said in this lane, newest first, at most so many. */
  waitingLines(lane: string, most: number): Promise<readonly WaitingLine[]>;
  /** Completes the job whose outcome this unit records; false where its lease is no longer ours: then nothing may be recorded. */
  complete(lease: Lease): Promise<boolean>;
  append(service: string, entries: readonly JournalEntry[]): Promise<void>;
  /**
   * Leases one of the jobs that this unit puts in, as a claim right behind its commit would: it is due, and there is no other job in
   * its lane. To be asked for last; it may be begun once the unit is committed. Null: there is none such, or it is not known
   * (replicas that share a store claim theirs).
   */
  claim(request: UnitClaim): Promise<Job | null>;
  /** Takes these from the accepted alerts, as they are decided on now; answers which of them nobody else took before. */
  settle(ids: readonly number[]): Promise<ReadonlySet<number>>;
}

export interface WaitingLine {
  readonly key: string | null;
  readonly effect: Extract<Effect, { kind: 'say' }>;
  readonly isRunning: boolean;
}

export interface UnitClaim {
  readonly owner: string;
  readonly nowMs: number;
  readonly leaseUntilMs: number;
  readonly kinds: readonly EffectKind[];
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
  /** At most one job with this key waits in a service. Null: always a job of its own. */
  readonly key: string | null;
  /**
   * Of one lane only one job runs at a time, and those of the same priority in the order they came, also while the first of them
   * waits for its next try: `shift/fraud-scorer`, `chat/fraud-scorer-d5`. Null: waits for nobody.
   */
  readonly lane: string | null;
  /**
   * The job that is replaced had the same to do: its earlier time and more urgent priority are kept, and if it failed already,
   * its attempts and the time of its next try too (a flood of updates neither starves it nor hammers who asked to be left alone).
   */
  readonly merge: boolean;
  readonly effect: Effect;
  readonly dueAtMs: number;
  /** Smaller first among the due: a shift before a card before a thread line. */
  readonly priority: number;
  readonly createdAtMs: number;
}
export interface Job extends Omit<NewJob, 'merge'> {
  readonly id: number;
  /** 1 at the first try. */
  readonly attempt: number;
  readonly lease: Lease;
  /** What the last try that ended left for this one (`retry`); null: there was none. */
  readonly progress: string | null;
  /** Version of its service's state when it was claimed; null: there was none. */
  readonly stateVersion: number | null;
}
export interface Lease {
  readonly jobId: number;
  readonly owner: string;
  readonly attempt: number;
}

export interface JobQueue {
  /**
   * Due jobs, most urgent first, leased to `owner` until `leaseMs` from now. Expired leases are taken over. With `places` only these
   * kinds, and of each no more than are free: what is left over has to be asked for once more.
   */
  claim(request: {
    owner: string;
    nowMs: number;
    leaseMs: number;
    limit: number;
    places?: readonly Places[];
  }): Promise<readonly Job[]>;
  /** Keeps a lease of a long job. False: it is lost. */
  extend(lease: Lease, untilMs: number): Promise<boolean>;
  /** Done without an event to record. False: the lease is lost. */
  complete(lease: Lease): Promise<boolean>;
  /**
   * Put back, due later, with what the next try has to know. A newer job with the same key takes its place instead.
   * False: the lease is lost.
   */
  retry(lease: Lease, next: { dueAtMs: number; problem: string | null; progress: string | null }): Promise<boolean>;
  /**
   * Puts a look back that is to be taken once more, and moves the timer behind it, without a word to the state. Need not be durable:
   * lost, it is looked at once more at once. False, and nothing is changed: the lease is lost, the state is no longer at
   * `next.version`, or a newer job with the same key waits.
   */
  postpone(lease: Lease, next: PutBack): Promise<boolean>;
  /** When the next job (of these kinds) that could be claimed is due or the next lease expires (may be past); null: none. */
  nextDueMs(kinds?: readonly EffectKind[]): Promise<number | null>;
  /** How many jobs are not done. */
  pending(): Promise<number>;
  /** Ends all leases. Only who knows that no other worker lives may call it: one process owns an embedded store. */
  voidLeases(): Promise<void>;
}

export interface PutBack {
  readonly service: string;
  /** Of the state that was decided by. */
  readonly version: number;
  readonly dueAtMs: number;
  readonly progress: string;
  /** The waiting job of the service that is moved with it; there may be none. */
  readonly backstop: { readonly key: string; readonly dueAtMs: number; readonly progress: string };
}

/** How many more jobs of these kinds may be begun. */
export interface Places {
  readonly kinds: readonly EffectKind[];
  readonly free: number;
}

/** Which message stands for which of our ids: intent is stored before the post, the address after. */
export interface MessageBook {
  get(id: string): Promise<MessageEntry | null>;
  /**
   * `unhurried`: it may be lost with the process, and must not be with anything less. Only for a message nothing is known of, of a
   * job: `beginLeftBehind` knows of it all the same. What is shared by replicas flushes it whatever is said.
   */
  begin(id: string, atMs: number, haste?: Haste): Promise<void>;
  /**
   * `digest` of what stands there, to leave out updates that change nothing. `unhurried`: known from here on in this process, and on the
   * disk with whatever is said after it: for a job, with its end.
   */
  posted(id: string, address: MessageAddress, digest: string, haste?: Haste): Promise<void>;
  forget(id: string, haste?: Haste): Promise<void>;
  /**
   * Begins what a process before this one may have posted without it being known: the first message of each lane that it left behind,
   * unless it is known. Before anything is claimed or put in; only who knows that no other worker lives may call it. They may have
   * been begun as late as `nowMs`.
   */
  beginLeftBehind(nowMs: number): Promise<void>;
}

export interface MessageEntry {
  /** `posting`: a post was begun and its outcome is not known: look for it before sending again. */
  readonly state: 'posting' | 'posted';
  /** When the post was begun, as long as it is `posting`. */
  readonly atMs: number;
  readonly address: MessageAddress | null;
  readonly digest: string | null;
}

export type Haste = 'flushed' | 'unhurried';

/** What only one replica does at a time: asking Alertmanager, telling operators. Leased, so that it goes to another with its holder. */
export interface Duties {
  /** Takes it where nobody has it, or keeps it, until `leaseMs` from now. False: somebody else has it. */
  hold(duty: string, request: { owner: string; nowMs: number; leaseMs: number }): Promise<boolean>;
  /** Lets go of it where it is held: the next one need not wait. */
  release(duty: string, owner: string): Promise<void>;
  /** Those with names that begin so which ran out: who had them has died, or cannot reach the store. */
  lapsed(prefix: string, nowMs: number): Promise<readonly string[]>;
}

/** A few small texts that the whole installation shares, by name. */
export interface Settings {
  get(name: string): Promise<string | null>;
  set(name: string, value: string): Promise<void>;
  /** Sets it unless it is there; answers what is there then. */
  settle(name: string, value: string): Promise<string>;
}

export interface PolicyArchive {
  keep(service: string, revision: string, yaml: string): Promise<void>;
  find(service: string, revision: string): Promise<string | null>;
}

/** Alerts whose sender was told that they are stored, and that wait for their service's turn to be decided on. */
export interface AcceptedBook {
  /** Durable when it resolves; answers their number. */
  put(entry: Omit<AcceptedAlerts, 'id'>): Promise<number>;
  /** In the order they came, of those from before `beforeMs` only. */
  list(beforeMs: number, limit: number): Promise<readonly AcceptedAlerts[]>;
}

export interface AcceptedAlerts {
  readonly id: number;
  readonly service: string;
  /** With the severity that the service's policy gives them. */
  readonly alerts: readonly Alert[];
  readonly atMs: number;
}

/** Alerts that no policy matches. At most 1000: those not heard of for longest are forgotten first. */
export interface UnmatchedBook {
  /** In one commit. A repeat counts; a new start of a known one has to be told anew. */
  note(alerts: readonly Alert[], nowMs: number): Promise<void>;
  /** Heard of last first. */
  list(limit: number): Promise<readonly UnmatchedAlert[]>;
  /**
   * What the default channel is to be told next: a message begun before and not told yet, else one with everything that fires
   * and was heard of since `sinceMs`. Null: nothing. The same answer until `told`.
   */
  toTell(sinceMs: number): Promise<{ readonly id: string; readonly alerts: readonly UnmatchedAlert[] } | null>;
  told(id: string): Promise<void>;
}

export interface UnmatchedAlert {
  readonly fingerprint: string;
  readonly name: string;
  readonly summary: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As it was last heard of. */
  readonly status: Alert['status'];
  readonly startsAtMs: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** How often it was heard of, repeats and ends included. */
  readonly count: number;
}

export class StoreConflict extends Error {
  override readonly name = 'StoreConflict';
}

export function cardMessageId(card: CardRef): string {
  return `card/${card.id}`;
}

/** Of the message a job is about. */
export function messageIdOf(job: Pick<Job, 'id' | 'service'>, effect: Extract<Effect, { card: CardRef }>): string {
  switch (effect.kind) {
    case 'card':
      return cardMessageId(effect.card);
    case 'say':
      return `say/${job.service}/${job.id}`;
    case 'report':
      return `report/${effect.card.id}`;
  }
}
