import type { Effect, EffectKind } from '../../domain/effect.ts';
import type { DomainEvent } from '../../domain/event.ts';
import type { Policy } from '../../domain/policy.ts';
import type { AlertSource } from '../../ports/alert-source.ts';
import type { Chat } from '../../ports/chat.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MetricSource } from '../../ports/metric-source.ts';
import type { Pager } from '../../ports/pager.ts';
import type { Policies } from '../../ports/policies.ts';
import type { Job, PutBack, Store } from '../../ports/store.ts';
import type { Target } from '../../ports/target.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { RetryRule } from '../retry.ts';

/** The world as the performers reach it. */
export interface World {
  readonly store: Store;
  readonly policies: Policies;
  readonly targets: (policy: Policy) => Target;
  readonly sources: (policy: Policy) => MetricSource;
  /** The policy's Alertmanager, else the instance's; null: none is known. */
  readonly alertSources: (policy: Policy) => AlertSource | null;
  readonly chat: Chat;
  readonly pager: Pager;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Tells this installation from others that page the same PagerDuty account. */
  readonly instance: string;
}

/**
 * Asked right before something is done to the world. Rejects with LeaseLost where another replica has taken it over meanwhile: this
 * process was frozen, or cut off from the database.
 */
export type StillOurs = () => Promise<void>;

export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';

  constructor() {
    super('Another replica has taken it over; nothing more is done about it here.');
  }
}

/** Of who works alone. */
export const alwaysOurs: StillOurs = async () => undefined;

/** How one kind of effect is done. A try that fails throws; the worker tries again by `retry`, or gives up. */
export interface Performer<E extends Effect> {
  perform(effect: E, job: Job, signal: AbortSignal, stillOurs?: StillOurs): Promise<Outcome>;
  /** Real time one try may take, above the adapters' own limits. */
  readonly limitMs: number;
  readonly retry: RetryRule;
  /** What the decisions are told when it is given up; null: only the telemetry is. */
  givenUp(effect: E, reason: string): DomainEvent | null;
}

export type Outcome =
  | { readonly kind: 'done' }
  /** Recorded together with the end of the job. */
  | { readonly kind: 'event'; readonly event: DomainEvent }
  /** Nothing came of it that has to be recorded, as long as the state is the one at this version: once more, later. */
  | ({ readonly kind: 'postponed' } & Omit<PutBack, 'service'>)
  /** No failure, but not there yet: look again then. */
  | { readonly kind: 'again'; readonly atMs: number; readonly problem: string | null; readonly progress: string };

export type EffectOf<K extends EffectKind> = Extract<Effect, { kind: K }>;
/** One a kind; a `cancel_timer` never becomes a job. */
export type Performers = { readonly [K in Exclude<EffectKind, 'cancel_timer'>]: Performer<EffectOf<K>> };

export const done: Outcome = { kind: 'done' };

const SECOND = 1_000;
const HOUR = 3_600_000;
/** What people read: worth trying while it is still news. */
export const chatRetry: RetryRule = { firstMs: SECOND, capMs: 60 * SECOND, giveUpAfterMs: 6 * HOUR };
/** A card is never old news: it shows what is true, and holds the buttons. There are only so many of them. */
export const cardRetry: RetryRule = { ...chatRetry, giveUpAfterMs: null, permanentMs: 5 * 60 * SECOND };
export const CHAT_LIMIT_MS = 60 * SECOND;
