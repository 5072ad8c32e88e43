import type { DomainEvent, Observed } from '../../domain/event.ts';
import { isInForce } from '../../domain/in-force.ts';
import type { ServiceState } from '../../domain/state.ts';
import { PortError } from '../../ports/failure.ts';
import type { Job } from '../../ports/store.ts';
import type { Target } from '../../ports/target.ts';
import { nextTryMs, type RetryRule } from '../retry.ts';
import {
  alwaysOurs,
  done,
  type EffectOf,
  type Outcome,
  type Performer,
  type StillOurs,
  type World,
} from './performer.ts';
import { policyOfRollout, presentPolicy, stateOf } from './policy.ts';

/** From the order until a person is told that it did not come into force. */
const BUDGET_MS = 120_000;
/** A try begun this much later than it was due: Lastgood was away meanwhile. */
const AWAY_MS = 60_000;
/** A target that accepted is given this long to come there before it is told again. */
const RESEND_MS = 30_000;
const polling: RetryRule = { firstMs: 250, capMs: 5_000, giveUpAfterMs: null };
const failing: RetryRule = { firstMs: 1_000, capMs: 15_000, giveUpAfterMs: null };

/** What a try leaves for the next one. */
interface Progress {
  /** The try that left it; where the last one left nothing it died, and its call may be on the way. */
  readonly attempt: number;
  /** When the budget began to run. */
  readonly sinceMs: number;
  /** When the target accepted the order; null: it did not yet. */
  readonly acceptedAtMs: number | null;
  /** A call whose reply was lost may still land. */
  readonly uncertain: boolean;
  readonly failures: number;
  /** What the last failure said; null: it was accepted since. */
  readonly problem: string | null;
  readonly polls: number;
}

/**
 * Brings a target to a split: looks first (nothing to do where it is there already), asks whether what grows is ready, orders,
 * and looks again until it is in force. Waiting is putting the job back, so that it outlives the process.
 */
export function shiftPerformer(world: World): Performer<EffectOf<'shift'>> {
  return {
    limitMs: 60_000,
    retry: { ...failing, giveUpAfterMs: BUDGET_MS },
    async perform(effect, job, signal, stillOurs = alwaysOurs) {
      const state = await stateOf(world, job.service);
      // Another took its place, or it was dropped: a backup made while it ran still holds its job, and nothing of it may move.
      if (state.shift?.id !== effect.shiftId) return done;
      const target = await targetOf(world, effect, state);
      return new Attempt(world, target, effect, job, stillOurs).run(signal);
    },
    // What it last did is not known here.
    givenUp: ({ shiftId }, reason) => ({ type: 'shift_failed', shiftId, problem: 'failed', uncertain: true, reason }),
  };
}

async function targetOf(world: World, { split }: EffectOf<'shift'>, state: ServiceState): Promise<Target> {
  const { rollout } = state;
  const policy =
    rollout?.candidate.id === split.candidate
      ? await policyOfRollout(world, state, rollout)
      : await presentPolicy(world, state);
  return world.targets(policy);
}

class Attempt {
  readonly #world: World;
  readonly #target: Target;
  readonly #effect: EffectOf<'shift'>;
  readonly #job: Job;
  readonly #stillOurs: StillOurs;
  #progress: Progress;

  constructor(world: World, target: Target, effect: EffectOf<'shift'>, job: Job, stillOurs: StillOurs) {
    this.#world = world;
    this.#target = target;
    this.#effect = effect;
    this.#job = job;
    this.#stillOurs = stillOurs;
    this.#progress = progressOf(effect, job, world.clock.now());
  }

  async run(signal: AbortSignal): Promise<Outcome> {
    try {
      const observed = await this.#observe(signal);
      if (this.#inForce(observed) && !this.#isUntold()) return this.#shifted();
      if (this.#now() >= this.#endMs) return this.#failed('failed', this.#overdue(observed));
      const unready = this.#unready(observed);
      if (unready) return this.#failed('not-ready', unready);
      if (this.#isAwaited()) return this.#look();
      await this.#order(observed, signal);
      // Most targets are there at once.
      return this.#inForce(await this.#observe(signal)) ? this.#shifted() : this.#look();
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      return this.#afterFailure(error);
    }
  }

  #observe(signal: AbortSignal): Promise<Observed> {
    const { stable, candidate } = this.#effect.split;
    return this.#target.observe(signal, [stable, candidate]);
  }

  async #order(observed: Observed, signal: AbortSignal): Promise<void> {
    await this.#stillOurs();
    try {
      await this.#target.shift(this.#effect.split, observed.revision, signal);
      this.#note({ acceptedAtMs: this.#now(), polls: 0, problem: null });
    } catch (error) {
      if (error instanceof PortError && error.failure === 'ambiguous') this.#note({ uncertain: true });
      throw error;
    }
  }

  /** A lost reply or a passing failure: the next try looks before it acts. */
  #afterFailure(error: PortError): Outcome {
    if (error.failure === 'permanent') return this.#failed('failed', error.message);
    const nowMs = this.#now();
    if (nowMs >= this.#endMs) return this.#failed('failed', error.message);
    this.#note({ failures: this.#progress.failures + 1, problem: error.message });
    const attempt = this.#progress.failures;
    const { createdAtMs } = this.#job;
    const atMs = nextTryMs(failing, { nowMs, attempt, createdAtMs, retryAfterMs: error.retryAfterMs, random: 0 });
    return this.#again(atMs ?? nowMs + failing.capMs, error.message);
  }

  #look(): Outcome {
    this.#note({ polls: this.#progress.polls + 1 });
    const nowMs = this.#now();
    const attempt = this.#progress.polls;
    const atMs = nextTryMs(polling, { nowMs, attempt, createdAtMs: nowMs, retryAfterMs: null, random: 0 });
    return this.#again(atMs ?? nowMs + polling.capMs, null);
  }

  #again(atMs: number, problem: string | null): Outcome {
    // At the end of the budget it is looked at once more, whatever the wait would have been.
    const progress = JSON.stringify({ ...this.#progress, attempt: this.#job.attempt });
    return { kind: 'again', atMs: Math.min(atMs, this.#endMs), problem, progress };
  }

  #shifted(): Outcome {
    const { shiftId, split } = this.#effect;
    const { uncertain } = this.#progress;
    return this.#tell({ type: 'shifted', shiftId, exposurePercent: split.exposurePercent, uncertain });
  }

  #failed(problem: 'not-ready' | 'failed', reason: string): Outcome {
    // Accepted and not there yet may still come, just as a call whose reply was lost.
    const uncertain = this.#progress.uncertain || this.#progress.acceptedAtMs !== null;
    return this.#tell({ type: 'shift_failed', shiftId: this.#effect.shiftId, problem, uncertain, reason });
  }

  #tell(event: DomainEvent): Outcome {
    return { kind: 'event', event };
  }

  #inForce(observed: Observed): boolean {
    return isInForce(observed, this.#effect.split);
  }

  /** A shadow begins, from 0 to 0: the target has to know whom it copies the traffic to, and that one has to be ready. */
  #isUntold(): boolean {
    const { split, gaining } = this.#effect;
    return split.exposurePercent === 0 && gaining === split.candidate && this.#progress.acceptedAtMs === null;
  }

  /** Accepted, and its time to come there is not over. */
  #isAwaited(): boolean {
    const { acceptedAtMs } = this.#progress;
    return acceptedAtMs !== null && this.#now() - acceptedAtMs < RESEND_MS;
  }

  /** Never onto a version that is not known to be ready (rule 3). */
  #unready(observed: Observed): string | null {
    const { gaining } = this.#effect;
    if (gaining === null) return null;
    const readiness = Object.hasOwn(observed.ready, gaining) ? observed.ready[gaining] : undefined;
    if (readiness?.ready) return null;
    return readiness
      ? `${gaining} is not ready: ${readiness.detail}`
      : `${gaining} is not ready: the target does not know whether it can take traffic`;
  }

  #overdue(observed: Observed): string {
    const { split } = this.#effect;
    const seen =
      observed.exposurePercent === null
        ? 'an exposure that cannot be read'
        : `${observed.candidate ?? 'the candidate'} at ${observed.exposurePercent} % beside ${observed.stable ?? 'the stable version'}`;
    const why = this.#progress.problem ? `. The last attempt failed: ${this.#progress.problem}` : '';
    const afterMs = this.#now() - this.#progress.sinceMs;
    const notice = observed.notice ? `; ${observed.notice}` : '';
    return `After ${Math.round(afterMs / 1000)} s the target still shows ${seen}, not ${split.candidate} at ${split.exposurePercent} %${notice}${why}`;
  }

  #note(news: Partial<Progress>): void {
    this.#progress = { ...this.#progress, ...news };
  }

  get #endMs(): number {
    return this.#progress.sinceMs + BUDGET_MS;
  }

  #now(): number {
    return this.#world.clock.now();
  }
}

/**
 * The way back is owed however long Lastgood was away: its budget begins anew then. Forward it does not: what a higher exposure
 * was decided on is old news, and a person has to say it again.
 */
function progressOf({ gaining, split }: EffectOf<'shift'>, job: Job, nowMs: number): Progress {
  const sinceMs = job.createdAtMs;
  const left =
    job.progress === null
      ? { attempt: 0, sinceMs, acceptedAtMs: null, uncertain: false, failures: 0, problem: null, polls: 0 }
      : (JSON.parse(job.progress) as Progress);
  const isOwed = nowMs - job.dueAtMs > AWAY_MS && gaining !== split.candidate;
  return {
    ...left,
    sinceMs: isOwed ? nowMs : left.sinceMs,
    uncertain: left.uncertain || left.attempt !== job.attempt - 1,
  };
}
