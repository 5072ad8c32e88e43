import type { Recorder } from '../application/application.ts';
import { withinLimit } from '../application/limit.ts';
import type { Effect } from '../domain/effect.ts';
import type { DomainEvent } from '../domain/event.ts';
import type { Clock } from '../ports/clock.ts';
import { PortError } from '../ports/failure.ts';
import type { Job, Store } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { guardOf, type LeaseParts } from './leases.ts';
import { LeaseLost, type Outcome, type Performer, type Performers } from './performers/performer.ts';
import { nextTryMs, type RetryRule } from './retry.ts';

/** What was done but could not be recorded is done again and recorded, however long that takes. */
const recording: RetryRule = { firstMs: 500, capMs: 60_000, giveUpAfterMs: null };

/** What one try of a job takes. */
export interface TryParts {
  readonly store: Store;
  readonly recorder: Recorder;
  readonly performers: Performers;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** No other worker shares the store: what an earlier one left behind is taken over at once instead of when its leases end. */
  readonly alone: boolean;
  /** 0..1; for the jitter of waits. */
  readonly random?: () => number;
}

/** One try of a claimed job: performed through its port, and what came of it recorded together with the job's end. */
export class Tries {
  readonly #parts: TryParts;
  readonly #leases: LeaseParts;

  constructor(parts: TryParts, leases: LeaseParts) {
    this.#parts = parts;
    this.#leases = leases;
  }

  /** Settles when the try is over, whatever came of it; rejects only where the store does. */
  async perform(job: Job, signal: AbortSignal): Promise<void> {
    const performer = performerOf(this.#parts.performers, job.effect);
    const beganMs = this.#parts.clock.now();
    const guard = guardOf(job, this.#parts.alone, this.#leases);
    let outcome: Outcome;
    try {
      const who = `The ${job.effect.kind} of ${job.service}`;
      outcome = await withinLimit(performer.limitMs, who, (s) => performer.perform(job.effect, job, s, guard), signal);
    } catch (error) {
      await this.#failed(job, performer, error, { beganMs, signal });
      return;
    }
    this.#tell(job, beganMs, 'done', outcome.kind === 'again' ? (outcome.problem ?? undefined) : undefined);
    await this.#end(job, outcome);
  }

  /** Records what came of it. Where that fails the job is put back: every effect may be repeated. */
  async #end(job: Job, outcome: Outcome): Promise<void> {
    const { jobs } = this.#parts.store;
    if (outcome.kind === 'done') await jobs.complete(job.lease);
    else if (outcome.kind === 'again') {
      const { atMs, problem, progress } = outcome;
      await jobs.retry(job.lease, { dueAtMs: atMs, problem, progress });
    } else if (outcome.kind === 'postponed') await this.#postpone(job, outcome);
    else await this.#record(job, outcome.event);
  }

  async #postpone(job: Job, next: Extract<Outcome, { kind: 'postponed' }>): Promise<void> {
    const { store, clock } = this.#parts;
    if (await store.jobs.postpone(job.lease, { ...next, service: job.service })) return;
    // Something else was decided meanwhile, so nothing of this holds: it is done anew.
    await store.jobs.retry(job.lease, { dueAtMs: clock.now(), problem: null, progress: job.progress });
  }

  async #record(job: Job, event: DomainEvent): Promise<void> {
    try {
      await this.#parts.recorder.record(job, event);
    } catch (error) {
      this.#parts.telemetry.problem(`record ${event.type} of ${job.service}`, error);
      const dueAtMs = this.#nextTry(recording, job, null) ?? this.#parts.clock.now() + recording.capMs;
      await this.#parts.store.jobs.retry(job.lease, { dueAtMs, problem: messageOf(error), progress: job.progress });
    }
  }

  async #failed(
    job: Job,
    performer: Performer<Effect>,
    error: unknown,
    { beganMs, signal }: { beganMs: number; signal: AbortSignal },
  ): Promise<void> {
    const { store, clock, telemetry } = this.#parts;
    const where = `${job.effect.kind} of ${job.service}`;
    const problem = messageOf(error);
    const { progress } = job;
    if (error instanceof LeaseLost) {
      this.#tell(job, beganMs, 'retryable', problem);
      return;
    }
    // What is not a PortError is a mistake of ours: it is told, and tried again in case it passes.
    if (!(error instanceof PortError)) telemetry.problem(where, error);
    const failure = error instanceof PortError ? error.failure : 'retryable';
    this.#tell(job, beganMs, failure, problem);
    if (signal.aborted) {
      await store.jobs.retry(job.lease, { dueAtMs: clock.now(), problem, progress });
      return;
    }
    const retryAfterMs = error instanceof PortError ? error.retryAfterMs : null;
    const dueAtMs =
      failure === 'permanent'
        ? afterRefusal(performer.retry, clock.now())
        : this.#nextTry(performer.retry, job, retryAfterMs);
    if (dueAtMs !== null) {
      await store.jobs.retry(job.lease, { dueAtMs, problem, progress });
      return;
    }
    telemetry.problem(`${where} was given up`, error);
    const event = performer.givenUp(job.effect, problem);
    await this.#end(job, event ? { kind: 'event', event } : { kind: 'done' });
  }

  #nextTry(rule: RetryRule, job: Job, retryAfterMs: number | null): number | null {
    const { attempt, createdAtMs } = job;
    const random = (this.#parts.random ?? Math.random)();
    const nowMs = this.#parts.clock.now();
    return nextTryMs(rule, { nowMs, attempt, createdAtMs, retryAfterMs, random });
  }

  #tell(job: Job, beganMs: number, outcome: 'done' | PortError['failure'], problem?: string): void {
    this.#parts.telemetry.performed({
      kind: job.effect.kind,
      service: job.service,
      outcome,
      attempt: job.attempt,
      lateMs: Math.max(0, beganMs - job.dueAtMs),
      durationMs: this.#parts.clock.now() - beganMs,
      problem,
    });
  }
}

/** TypeScript cannot see that a kind's performer takes the effects of that kind. */
function performerOf(performers: Performers, effect: Effect): Performer<Effect> {
  if (effect.kind === 'cancel_timer') throw new Error('A timer is cancelled in the decision itself, never by a job.');
  return performers[effect.kind] as unknown as Performer<Effect>;
}

function afterRefusal({ permanentMs }: RetryRule, nowMs: number): number | null {
  return permanentMs === undefined ? null : nowMs + permanentMs;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
