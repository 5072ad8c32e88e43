import type { Clock } from '../../src/ports/clock.ts';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
}

/**
 * The time of a simulated world. It goes from moment to moment at which something happens. The machine Lastgood runs on has a clock
 * of its own, which can be set: `offsetMs` ahead of the true time.
 */
export class Time {
  nowMs: number;
  offsetMs = 0;
  #order = 0;
  readonly #agenda: Entry[] = [];
  #sleepers = new Set<Sleeper>();

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  /** Happens in the world, whatever becomes of Lastgood meanwhile. */
  after(ms: number, run: () => void): void {
    if (!Number.isFinite(ms)) return;
    this.#order += 1;
    push(this.#agenda, { atMs: this.nowMs + Math.max(0, Math.round(ms)), order: this.#order, run });
  }

  pass(ms: number): Promise<void> {
    return ms <= 0 ? Promise.resolve() : new Promise((resolve) => this.after(ms, resolve));
  }

  /** The machine's clock, as a process sees it while it lives. Who sleeps when it dies never wakes. */
  machineClock(isAlive: () => boolean): Clock {
    return {
      now: () => this.nowMs + this.offsetMs,
      sleepUntil: (atMs, signal) =>
        new Promise((resolve) => {
          if (atMs <= this.nowMs + this.offsetMs || signal.aborted) return resolve();
          this.#order += 1;
          const sleeper: Sleeper = {
            atMs,
            order: this.#order,
            wake: () => {
              this.#sleepers.delete(sleeper);
              signal.removeEventListener('abort', sleeper.wake);
              if (isAlive()) resolve();
            },
          };
          this.#sleepers.add(sleeper);
          signal.addEventListener('abort', sleeper.wake, { once: true });
        }),
    };
  }

  /** The process is gone, and who slept in it. */
  forgetSleepers(): void {
    this.#sleepers = new Set();
  }

  /** Goes to the next moment and lets happen what happens then. False: there is none by `untilMs`; it is that late now. */
  step(untilMs: number): boolean {
    const sleeper = this.#nextSleeper();
    const sleeperAtMs = sleeper ? Math.max(this.nowMs, sleeper.atMs - this.offsetMs) : Number.POSITIVE_INFINITY;
    const entry = this.#agenda[0];
    const entryAtMs = entry?.atMs ?? Number.POSITIVE_INFINITY;
    const atMs = Math.min(sleeperAtMs, entryAtMs);
    if (atMs > untilMs) {
      this.nowMs = untilMs;
      return false;
    }
    this.nowMs = Math.max(this.nowMs, atMs);
    if (entryAtMs <= sleeperAtMs) {
      pop(this.#agenda);
      entry?.run();
    } else sleeper?.wake();
    return true;
  }

  #nextSleeper(): Sleeper | null {
    let next: Sleeper | null = null;
    for (const one of this.#sleepers)
      if (next === null || one.atMs < next.atMs || (one.atMs === next.atMs && one.order < next.order)) next = one;
    return next;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** A binary heap, the earliest first. */
function push(heap: Entry[], entry: Entry): void {
  let i = heap.length;
  heap.push(entry);
  while (i > 0) {
    const up = (i - 1) >> 1;
    const parent = heap[up];
    if (!parent || !isBefore(entry, parent)) break;
    heap[i] = parent;
    i = up;
  }
  heap[i] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    const left = heap[child];
    if (!left) break;
    const right = heap[child + 1];
    if (right && isBefore(right, left)) child += 1;
    const smaller = heap[child];
    if (!smaller || !isBefore(smaller, last)) break;
    heap[i] = smaller;
    i = child;
  }
  heap[i] = last;
}
