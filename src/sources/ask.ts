import type { Found } from './found.ts';
import { areSame } from './join-figures.ts';
import type { Stretch } from './matrix.ts';
import type { NamedSelector } from './named.ts';
import type { Limit } from './sharing.ts';

/** Who asks: one look, until its signal is aborted. Those who no longer wait are told all at once: a listener each costs as much as its ask. */
export class Caller {
  /** Queries of this look under way. */
  readonly here: Limit;
  readonly signal: AbortSignal;
  readonly #asks: Ask[] = [];

  constructor(here: Limit, signal: AbortSignal, stopped: Found) {
    this.here = here;
    this.signal = signal;
    const leave = () => {
      for (const ask of this.#asks.splice(0)) ask.leave(stopped);
    };
    signal.addEventListener('abort', leave, { once: true });
  }

  waitsFor(ask: Ask): void {
    this.#asks.push(ask);
  }
}

/** What one look asks, and who is to be told. */
export class Ask {
  readonly query: NamedSelector;
  readonly stretch: Stretch;
  readonly caller: Caller;
  #tell: ((found: Found) => void) | null;
  #tellToo: ((found: Found) => void)[] | null = null;
  /** The query it is a part of, once that is under way. */
  crowd: Crowd | null = null;

  constructor(query: NamedSelector, stretch: Stretch, caller: Caller, tell: (found: Found) => void) {
    this.query = query;
    this.stretch = stretch;
    this.caller = caller;
    this.#tell = tell;
    caller.waitsFor(this);
  }

  /** It was answered, or nobody waits for it any more. */
  get isOver(): boolean {
    return this.#tell === null;
  }

  /** Whether this is asked, and not answered yet. */
  asks(query: NamedSelector, { startMs, endMs, stepMs }: Stretch): boolean {
    const { shape, values } = this.query;
    const own = this.stretch;
    return (
      this.#tell !== null &&
      shape === query.shape &&
      own.startMs === startMs &&
      own.endMs === endMs &&
      own.stepMs === stepMs &&
      areSame(values, query.values)
    );
  }

  tellToo(tell: (found: Found) => void): void {
    this.#tellToo ??= [];
    this.#tellToo.push(tell);
  }

  /** The first answer counts; what was found is not held on to. */
  answer(found: Found): void {
    const tell = this.#tell;
    this.#tell = null;
    tell?.(found);
    if (this.#tellToo !== null) for (const too of this.#tellToo.splice(0)) too(found);
  }

  leave(stopped: Found): void {
    this.answer(stopped);
    this.crowd?.leave();
  }
}

/** Those who wait for one query. It is called off with the last of them. */
export class Crowd {
  readonly #stop = new AbortController();
  #waiting: number;

  constructor(asks: readonly Ask[]) {
    this.#waiting = asks.length;
    for (const ask of asks) ask.crowd = this;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  leave(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#stop.abort();
  }
}
