import {
  type CircuitBreakerPolicy,
  CircuitState,
  circuitBreaker,
  handleWhenResult,
  type IBackoff,
  type IBreaker,
} from 'cockatiel';
import { utcTime } from '../domain/words.ts';
import { PortError } from '../ports/failure.ts';

/** How one host stands, for operators. */
export interface Circuit {
  /** As people name it: `http://127.0.0.1:9090`, `Slack`. Never credentials. */
  readonly host: string;
  /** `half-open`: one call is being tried just now. */
  readonly state: 'closed' | 'open' | 'half-open';
  /** Closed: since then. Else: when the first of the failures in a row came. Unix ms. */
  readonly sinceMs: number;
  /** Of the latest failure in the row; null: the latest call was answered. */
  readonly lastProblem: string | null;
  /** Failures in a row. */
  readonly failures: number;
  /** When it is asked again; null unless open. */
  readonly againAtMs: number | null;
  /** When it last answered, Unix ms; null: not since this process began. */
  readonly answeredAtMs: number | null;
}

/** What a call says of the host: it answered (whatever it said), it could not be reached, or nothing (never sent, given up by us). */
export type Reached = { readonly answered: true } | { readonly unreachable: string } | { readonly unknown: true };
export type CallEnd<T> = { readonly value: T } | { readonly error: unknown };

export interface BreakerOptions {
  readonly host: string;
  /** Unix ms; real time where none is given. */
  readonly now?: () => number;
  /** So many failures in a row open it (5), */
  readonly failures?: number;
  /** unless they all came within this: calls made side by side fail side by side, and are one failure (2 s). */
  readonly spanMs?: number;
  /** The first wait (2 s); it doubles with every trial that fails, up to `longestWaitMs` (15 s). */
  readonly firstWaitMs?: number;
  readonly longestWaitMs?: number;
}

/** Keeps calls off a host that does not answer, so that they cost no time, and it no load when it comes back. */
export interface Breaker {
  /**
   * Runs the call, or throws PortError `retryable` without it: then nothing was sent, so nothing can have happened.
   * What the call returned or threw goes on untouched.
   */
  run<T>(call: () => Promise<T>, reached: (end: CallEnd<T>) => Reached): Promise<T>;
  circuit(): Circuit;
}

/** Others are told to come back after this while one call is being tried. */
const trialMs = 1_000;

/** One breaker, for one host. */
export function createBreaker(options: BreakerOptions): Breaker {
  return new HostBreaker(options);
}

/** A call's end with what it says of the host; never thrown, so that 4xx count as answers and a call we gave up as nothing. */
interface Judged<T> {
  readonly end: CallEnd<T>;
  readonly failed: boolean;
}

/** How a call that counts neither way leaves the library: its failures are counted by result, so an error passes it by. */
class NothingSaid extends Error {
  readonly error: unknown;
  constructor(error: unknown) {
    super('the call says nothing of the host');
    this.error = error;
  }
}

/** Failures in a row. One that came alone, however many calls it took with it, opens nothing. */
class Row implements IBreaker {
  failures = 0;
  firstAtMs = 0;
  problem: string | null = null;
  answeredAtMs: number | null = null;
  readonly #limit: number;
  readonly #spanMs: number;
  readonly #now: () => number;

  constructor(limit: number, spanMs: number, now: () => number) {
    this.#limit = limit;
    this.#spanMs = spanMs;
    this.#now = now;
  }

  /** For the library's serialisation, which nobody asks for. */
  get state(): unknown {
    return this.failures;
  }

  success(): void {
    this.answeredAtMs = this.#now();
    this.failures = 0;
    this.problem = null;
  }

  failure(): boolean {
    const nowMs = this.#now();
    if (this.failures === 0) this.firstAtMs = nowMs;
    this.failures += 1;
    return this.failures >= this.#limit && nowMs - this.firstAtMs >= this.#spanMs;
  }
}

const stateNames = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  // Held open by hand: nobody does.
  [CircuitState.Isolated]: 'open',
} as const satisfies Record<CircuitState, Circuit['state']>;

class HostBreaker implements Breaker {
  readonly #host: string;
  readonly #now: () => number;
  readonly #row: Row;
  readonly #policy: CircuitBreakerPolicy;
  readonly #firstWaitMs: number;
  readonly #longestWaitMs: number;
  #closedAtMs: number;
  #againAtMs = 0;

  constructor(options: BreakerOptions) {
    this.#host = options.host;
    this.#now = options.now ?? Date.now;
    this.#closedAtMs = this.#now();
    this.#firstWaitMs = options.firstWaitMs ?? 2_000;
    this.#longestWaitMs = options.longestWaitMs ?? 15_000;
    this.#row = new Row(options.failures ?? 5, options.spanMs ?? 2_000, this.#now);
    this.#policy = circuitBreaker(
      handleWhenResult((judged) => (judged as Judged<unknown>).failed),
      { breaker: this.#row, halfOpenAfter: { next: ({ attempt }) => this.#wait(attempt) } },
    );
    this.#policy.onReset(() => {
      this.#closedAtMs = this.#now();
    });
  }

  async run<T>(call: () => Promise<T>, reached: (end: CallEnd<T>) => Reached): Promise<T> {
    const isOpen = this.#policy.state === CircuitState.Open;
    if (isOpen && this.#now() < this.#againAtMs) throw this.#refusal(this.#againAtMs - this.#now());
    if (this.#policy.state === CircuitState.HalfOpen) throw this.#refusal(trialMs);
    const end = await this.#policy
      .execute(() => this.#judged(call, reached, isOpen))
      .then(
        (judged) => judged.end,
        (error: unknown) => (error instanceof NothingSaid ? { error: error.error } : { error }),
      );
    if ('error' in end) throw end.error;
    return end.value;
  }

  circuit(): Circuit {
    const { failures, firstAtMs, problem, answeredAtMs } = this.#row;
    const state = stateNames[this.#policy.state];
    return {
      host: this.#host,
      state,
      sinceMs: state === 'closed' ? this.#closedAtMs : firstAtMs,
      lastProblem: problem,
      failures,
      againAtMs: state === 'open' ? this.#againAtMs : null,
      answeredAtMs,
    };
  }

  async #judged<T>(
    call: () => Promise<T>,
    reached: (end: CallEnd<T>) => Reached,
    isTrial: boolean,
  ): Promise<Judged<T>> {
    const end = await call().then(
      (value): CallEnd<T> => ({ value }),
      (error: unknown): CallEnd<T> => ({ error }),
    );
    const verdict = reached(end);
    if ('unreachable' in verdict) this.#row.problem = verdict.unreachable;
    if ('unknown' in verdict && !isTrial && 'error' in end) throw new NothingSaid(end.error);
    // A trial that was given up has not shown that the host answers.
    return { end, failed: 'unreachable' in verdict || ('unknown' in verdict && isTrial) };
  }

  #refusal(retryAfterMs: number): PortError {
    const { failures, problem } = this.#row;
    const again = utcTime(this.#now() + retryAfterMs);
    return new PortError(
      'retryable',
      `${this.#host} has not answered ${failures} times in a row (last: ${problem ?? 'given up'}); it is asked again at ${again}`,
      { retryAfterMs },
    );
  }

  /** The library looks at the machine's clock; asked how long to wait, this answers by ours: for ever, then not any more. */
  #wait(attempt: number): IBackoff<{ attempt: number }> {
    const waitMs = Math.min(this.#longestWaitMs, this.#firstWaitMs * 2 ** Math.min(attempt - 1, 20));
    const atMs = this.#now() + waitMs;
    this.#againAtMs = atMs;
    const now = this.#now;
    return {
      get duration() {
        return now() >= atMs ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
      },
      next: (context) => this.#wait(context.attempt),
    };
  }
}
