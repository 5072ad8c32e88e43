import type { Application } from '../application/api.ts';
import { hangsOnAlerts, type OfAlerts, reconcile } from '../application/reconcile.ts';
import type { Endpoint, Policy } from '../domain/policy.ts';
import type { AlertSource } from '../ports/alert-source.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import { createDigests } from './digests.ts';
import { type Duty, soleDuty } from './duty.ts';

/** How often an Alertmanager is asked while a question is open or an alert fires on one of its services, or it did not answer. */
export const ASK_EVERY_MS = 15_000;
/** And otherwise: its webhook tells what is new, unless that is broken. */
export const ASK_SELDOM_MS = 5 * 60_000;
/** We were away where we come this late to a look at the clock: who else may have been. */
const AWAY_MS = 30_000;
/** Where no policy has an Alertmanager only a changed policy makes something to do. */
const IDLE_MS = 3_600_000;
/** One answer altogether, lists of alerts and silences included. */
const ANSWER_LIMIT_MS = 25_000;

/** Told at the first answer of an Alertmanager and whenever it begins or ceases to answer; `problem` says why it does not. */
export type OnReach = (endpoint: Endpoint, ok: boolean, problem: string | null) => void;

export interface ReconcilingParts {
  readonly application: Pick<Application, 'policies' | 'receiveAlerts'>;
  readonly store: Pick<Store, 'changes'>;
  readonly clock: Clock;
  /** Where a policy's alerts are held; null: nowhere that can be asked. */
  readonly endpointOf: (policy: Policy) => Endpoint | null;
  readonly sourceOf: (endpoint: Endpoint) => AlertSource;
  readonly onReach: OnReach;
  /** Which replica asks. */
  readonly duty?: Duty;
  /** What came of an answer could not be stored. */
  readonly onProblem: (error: unknown) => void;
}

export interface Reconciler {
  /** Asks at once, then as often as needed. */
  start(): void;
  /** Policies changed: whom to ask, and what is news, may have too. */
  wake(): void;
  /** Resolves when nothing is being asked that was due. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** What we know of one Alertmanager. */
interface Watched {
  reachable: boolean | null;
  askedAtMs: number;
  answersSinceMs: number;
  absent: ReadonlySet<string>;
  awaited: ReadonlyMap<string, number>;
}

/** Sees to it that what Alertmanager holds and what we know stay one, whatever became of its webhooks. */
export function createReconciler(parts: ReconcilingParts): Reconciler {
  return new Loop(parts);
}

class Loop implements Reconciler {
  readonly #parts: ReconcilingParts;
  readonly #ending = new AbortController();
  readonly #watched = new Map<string, Watched>();
  readonly #states: () => Promise<ReadonlyMap<string, OfAlerts>>;
  #running: Promise<void> | null = null;
  #round: Promise<void> | null = null;
  #sleep: AbortController | null = null;

  constructor(parts: ReconcilingParts) {
    this.#parts = parts;
    this.#states = createDigests(parts.store, ({ state: { service, alerts, degradation }, version }) => {
      return { service, version, alerts, degradation };
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  wake(): void {
    // A policy that is new may match what has fired for long.
    for (const watched of this.#watched.values()) watched.askedAtMs = Number.NEGATIVE_INFINITY;
    this.#sleep?.abort();
  }

  async settled(): Promise<void> {
    // Who was woken at this very moment gets its turn first.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#round) await this.#round;
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    this.wake();
    await this.#running;
    await this.#parts.duty?.release();
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts;
    let dueAtMs = clock.now();
    while (!this.#ending.signal.aborted) {
      const isLate = clock.now() - dueAtMs >= AWAY_MS;
      const round = this.#turn(isLate);
      this.#round = round.then(
        () => undefined,
        () => undefined,
      );
      const any = await round.catch((error: unknown) => {
        this.#parts.onProblem(error);
        return true;
      });
      this.#round = null;
      dueAtMs = clock.now() + (any ? ASK_EVERY_MS : IDLE_MS);
      dueAtMs = await this.#pause(dueAtMs);
    }
  }

  /** Answers the moment it was to wake at: now where it was woken. */
  async #pause(untilMs: number): Promise<number> {
    if (this.#ending.signal.aborted) return untilMs;
    const sleep = new AbortController();
    this.#sleep = sleep;
    await this.#parts.clock.sleepUntil(untilMs, sleep.signal);
    this.#sleep = null;
    return sleep.signal.aborted ? this.#parts.clock.now() : untilMs;
  }

  /** Asks everyone who is due. False: there is nobody to ask. */
  async #turn(isLate: boolean): Promise<boolean> {
    const { clock } = this.#parts;
    const groups = this.#groups();
    for (const key of this.#watched.keys()) if (!groups.has(key)) this.#watched.delete(key);
    if (groups.size === 0) return false;
    if (!(await (this.#parts.duty ?? soleDuty).isOurs())) {
      // What was seen before another asked is no answer in a row with what is seen after.
      this.#watched.clear();
      return true;
    }
    const states = await this.#states();
    await Promise.all(
      [...groups].map(async ([key, { endpoint, policies }]) => {
        const watched = this.#watchedAt(key);
        // What an answer lacked before we were away was long ago.
        if (isLate) watched.absent = new Set();
        const everyMs = isPressing(watched, policies, states) ? ASK_EVERY_MS : ASK_SELDOM_MS;
        // A moment early is on time: or a tick of 15 s would come to be one of 30.
        if (!isLate && clock.now() - watched.askedAtMs < everyMs - ASK_EVERY_MS / 10) return;
        await this.#ask(endpoint, policies, watched);
      }),
    );
    return true;
  }

  async #ask(endpoint: Endpoint, policies: readonly Policy[], watched: Watched): Promise<void> {
    const { sourceOf, clock, application } = this.#parts;
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]);
    watched.askedAtMs = clock.now();
    let list: Awaited<ReturnType<AlertSource['list']>>;
    try {
      list = await sourceOf(endpoint).list(signal);
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#reached(endpoint, watched, error);
      return;
    }
    this.#reached(endpoint, watched, null);
    // Read after the list: what a webhook told meanwhile is known, and no news.
    const states = await this.#states();
    const { absent: absentBefore, awaited: awaitedBefore, answersSinceMs } = watched;
    const before = { absentBefore, awaitedBefore, answersSinceMs };
    const plan = reconcile({ list, policies, states, ...before, nowMs: clock.now() });
    watched.absent = plan.absent;
    watched.awaited = plan.awaited;
    for (const [service, alerts] of plan.found) {
      try {
        await application.receiveAlerts(alerts, { service });
      } catch (error) {
        // The next answer finds it again.
        this.#parts.onProblem(error);
      }
    }
  }

  /** Unreachable is not "resolved": nothing is concluded from it, and what was concluded before has to be seen anew. */
  #reached(endpoint: Endpoint, watched: Watched, error: unknown): void {
    const ok = error === null;
    if (watched.reachable === ok) return;
    if (ok) watched.answersSinceMs = this.#parts.clock.now();
    watched.absent = new Set();
    watched.reachable = ok;
    this.#parts.onReach(endpoint, ok, ok ? null : error instanceof Error ? error.message : String(error));
  }

  #watchedAt(key: string): Watched {
    const known = this.#watched.get(key) ?? {
      reachable: null,
      askedAtMs: Number.NEGATIVE_INFINITY,
      answersSinceMs: this.#parts.clock.now(),
      absent: new Set<string>(),
      awaited: new Map<string, number>(),
    };
    this.#watched.set(key, known);
    return known;
  }

  /** Each different Alertmanager with the policies that have it. */
  #groups(): ReadonlyMap<string, { readonly endpoint: Endpoint; readonly policies: readonly Policy[] }> {
    const groups = new Map<string, { endpoint: Endpoint; policies: Policy[] }>();
    for (const policy of this.#parts.application.policies()) {
      const endpoint = this.#parts.endpointOf(policy);
      if (!endpoint) continue;
      const key = JSON.stringify(endpoint);
      const group = groups.get(key) ?? { endpoint, policies: [] };
      group.policies.push(policy);
      groups.set(key, group);
    }
    return groups;
  }
}

function isPressing(watched: Watched, policies: readonly Policy[], states: ReadonlyMap<string, OfAlerts>): boolean {
  if (watched.reachable !== true || watched.awaited.size > 0) return true;
  return policies.some(({ service }) => {
    const state = states.get(service);
    return state !== undefined && hangsOnAlerts(state);
  });
}
