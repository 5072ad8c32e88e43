import type { EffectKind } from '../domain/effect.ts';
import type { Place } from '../ports/place.ts';
import type { Job } from '../ports/store.ts';
import { pause, roundOfTheLoop } from './clock.ts';
import { keepAtMs, keepLeases, type LeaseParts, type Running } from './leases.ts';
import { defaultSlots, freePlaces, type Slots } from './slots.ts';
import { Tries, type TryParts } from './tries.ts';

const DEFAULT_LEASE_MS = 30_000;
/** How long the loop waits when the store itself fails. */
const STORE_TROUBLE_MS = 1_000;
const WOKEN = 'woken';
/** How long it waits when what is said to be due cannot be claimed. */
const IN_VAIN_MS = 100;
const DAY_MS = 24 * 3_600_000;
/** How long an event's key is kept; nobody repeats himself after that. */
const EVENTS_KEPT_MS = 30 * DAY_MS;
/** What begins with the commit that leaves it to do: people wait for it. */
const AT_ONCE: EffectKind = 'card';
/** It is on its way before it is looked for more, which would take its processor from whoever receives it. */
const HEAD_START_MS = 5;

export interface WorkerParts extends TryParts {
  /** This worker's name, different at every start. */
  readonly owner: string;
  /** Journal entries older than this are let go; null or absent: none. */
  readonly journalKeptMs?: number | null;
  /** Jobs at a time altogether; absent: as many as there are slots. */
  readonly concurrency?: number;
  /** Jobs at a time by kind. */
  readonly slots?: readonly Slots[];
  /** How long what a worker that died had begun lies still; 30 s. */
  readonly leaseMs?: number;
  /** Looks at least this often, where others put work into the store and their notice may be lost; a day. */
  readonly pollMs?: number;
}

export interface Worker {
  start(): Promise<void>;
  /** Something became due: look now. */
  wake(): void;
  /**
   * Keeps room for what a unit under way may put in and begin. Null where others may claim it as well, where there is no room, and
   * where something that is due may still wait for it.
   */
  place(): Place | null;
  /** Resolves when nothing is due and nothing is running. */
  settled(): Promise<void>;
  /** Takes no more, lets what runs end for `limitMs` of real time, then cuts it off and puts it back. */
  stop(limitMs: number): Promise<void>;
}

/** Claims due jobs, performs each through its port, and records what came of it together with the job's end. */
export function createWorker(parts: WorkerParts): Worker {
  return new ClaimLoop(parts);
}

class ClaimLoop implements Worker {
  readonly #parts: WorkerParts;
  readonly #leaseMs: number;
  readonly #leases: LeaseParts;
  readonly #tries: Tries;
  readonly #pollMs: number;
  readonly #concurrency: number;
  readonly #slots: readonly Slots[];
  readonly #running = new Map<number, Running>();
  /** Places that are kept, each with its end. */
  readonly #kept = new Map<Place, Promise<void>>();
  #loop: Promise<void> | null = null;
  #stopping = false;
  #woken = false;
  #vain = 0;
  #sleep: AbortController | null = null;
  /** Up to here nothing that waits is due. */
  #idleUntilMs = Number.NEGATIVE_INFINITY;
  #resting: (() => void)[] = [];
  #prunedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#leaseMs = parts.leaseMs ?? DEFAULT_LEASE_MS;
    this.#leases = { store: parts.store, clock: parts.clock, leaseMs: this.#leaseMs };
    this.#tries = new Tries(parts, this.#leases);
    this.#pollMs = parts.pollMs ?? DAY_MS;
    this.#slots = parts.slots ?? defaultSlots;
    this.#concurrency = parts.concurrency ?? this.#slots.reduce((sum, { jobs }) => sum + jobs, 0);
  }

  async start(): Promise<void> {
    if (this.#loop) throw new Error('The worker is running already.');
    this.#stopping = false;
    if (this.#parts.alone) {
      await this.#parts.store.jobs.voidLeases();
      await this.#parts.store.messages.beginLeftBehind(this.#parts.clock.now());
    }
    this.#loop = this.#run();
  }

  wake(): void {
    this.#woken = true;
    this.#idleUntilMs = Number.NEGATIVE_INFINITY;
    // With a reason: without one an error is made each time, with all that led here.
    this.#sleep?.abort(WOKEN);
  }

  place(): Place | null {
    const { alone, owner, clock } = this.#parts;
    const nowMs = clock.now();
    if (!alone || nowMs >= this.#idleUntilMs) return null;
    if (!this.#freePlaces().some(({ kinds }) => kinds.includes(AT_ONCE))) return null;
    const leaseUntilMs = nowMs + this.#leaseMs;
    const sleep = this.#sleep;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const place: Place = {
      claim: { owner, leaseUntilMs, kinds: [AT_ONCE] },
      fill: (job) => {
        // Not kept any more: we have stopped, and who starts next takes the lease over.
        if (!this.#kept.delete(place)) return;
        if (job) this.#beginAtOnce(job, leaseUntilMs);
        // It was looked for something to do meanwhile, and what was found may have had no room.
        else if (this.#sleep !== sleep) this.wake();
        resolve();
      },
    };
    this.#kept.set(place, over);
    return place;
  }

  settled(): Promise<void> {
    if (!this.#loop) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resting.push(resolve);
      this.wake();
    });
  }

  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    this.wake();
    await this.#loop;
    this.#loop = null;
    const limit = new AbortController();
    await Promise.race([this.#ended(), pause(limitMs, limit.signal)]);
    limit.abort();
    this.#kept.clear();
    for (const { abort } of this.#running.values()) abort.abort();
    await this.#ended();
    this.#rest();
  }

  /** When nothing runs any more, nor comes to run of what is under way. */
  async #ended(): Promise<void> {
    while (this.#running.size + this.#kept.size > 0)
      await Promise.all([...this.#kept.values(), ...[...this.#running.values()].map((running) => running.ended)]);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        const wakeAtMs = await this.#turn();
        if (wakeAtMs === null) continue;
        if (this.#vain === 0 && !this.#woken) this.#idleUntilMs = wakeAtMs;
        await this.#sleepUntil(wakeAtMs, this.#running.size === 0);
        this.#idleUntilMs = Number.NEGATIVE_INFINITY;
      } catch (error) {
        this.#parts.telemetry.problem('worker', error);
        await this.#sleepUntil(this.#parts.clock.now() + STORE_TROUBLE_MS, false);
      }
    }
  }

  /** Keeps leases, begins what is due; answers until when to sleep, null: look again at once. */
  async #turn(): Promise<number | null> {
    const { store, clock } = this.#parts;
    this.#woken = false;
    await keepLeases([...this.#running.values()], this.#leases);
    const places = this.#freePlaces();
    if (places.length > 0) {
      const owner = this.#parts.owner;
      const nowMs = clock.now();
      const limit = this.#concurrency - this.#running.size - this.#kept.size;
      const jobs = await store.jobs.claim({ owner, nowMs, leaseMs: this.#leaseMs, limit, places });
      for (const job of jobs) this.#begin(job, nowMs + this.#leaseMs);
      if (jobs.length > 0) {
        this.#vain = 0;
        // They are on their way before it is looked for more.
        await roundOfTheLoop();
        return null;
      }
    }
    await this.#housekeep();
    const kinds = this.#freePlaces().flatMap((place) => place.kinds);
    const nextMs = kinds.length > 0 ? await store.jobs.nextDueMs(kinds) : null;
    if (this.#woken) return null;
    const nowMs = clock.now();
    if (nextMs !== null && nextMs <= nowMs) {
      // It became due just now. Should it turn out twice that nothing can be claimed, the loop must not spin.
      this.#vain += 1;
      return this.#vain > 1 ? nowMs + IN_VAIN_MS : null;
    }
    this.#vain = 0;
    const keeping = [...this.#running.values()].map((running) => keepAtMs(running, this.#leaseMs));
    return Math.min(nextMs ?? Number.POSITIVE_INFINITY, nowMs + this.#pollMs, ...keeping);
  }

  #freePlaces() {
    const running = [...this.#running.values()].map(({ job }) => job.effect.kind);
    const kept = Array.from(this.#kept, () => AT_ONCE);
    return freePlaces(this.#slots, [...running, ...kept], this.#concurrency);
  }

  async #sleepUntil(atMs: number, atRest: boolean): Promise<void> {
    if (this.#woken || this.#stopping) return;
    const sleep = new AbortController();
    this.#sleep = sleep;
    const sleeping = this.#parts.clock.sleepUntil(atMs, sleep.signal);
    // Only now is it known to the clock when the next thing happens.
    if (atRest) this.#rest();
    await sleeping;
    this.#sleep = null;
  }

  #rest(): void {
    const resting = this.#resting;
    this.#resting = [];
    for (const resolve of resting) resolve();
  }

  async #housekeep(): Promise<void> {
    const nowMs = this.#parts.clock.now();
    if (nowMs - this.#prunedAtMs < DAY_MS) return;
    this.#prunedAtMs = nowMs;
    const { store, journalKeptMs } = this.#parts;
    await store.prune(nowMs - EVENTS_KEPT_MS);
    if (typeof journalKeptMs === 'number') await store.audit.prune(nowMs - journalKeptMs);
  }

  #beginAtOnce(job: Job, leaseUntilMs: number): void {
    this.#begin(job, leaseUntilMs);
    // As long as it is not looked for more nothing goes ahead of what waits.
    this.#idleUntilMs = Number.NEGATIVE_INFINITY;
    const { clock } = this.#parts;
    // Whether or not it was looked meanwhile: it may have been before the commit.
    void clock.sleepUntil(clock.now() + HEAD_START_MS, new AbortController().signal).then(() => this.wake());
  }

  #begin(job: Job, leaseUntilMs: number): void {
    const abort = new AbortController();
    // Lost and claimed again by ourselves: the try that lost it is over.
    this.#running.get(job.id)?.abort.abort();
    const ended = this.#tries
      .perform(job, abort.signal)
      .catch((error) => this.#parts.telemetry.problem(`${job.effect.kind} of ${job.service}`, error))
      .then(() => {
        if (this.#running.get(job.id) === running) this.#running.delete(job.id);
        this.wake();
      });
    const running: Running = { job, abort, ended, leaseUntilMs };
    this.#running.set(job.id, running);
  }
}
