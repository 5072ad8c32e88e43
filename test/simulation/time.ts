import type { Clock } from '../../src/ports/clock.ts';

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** What a process runs on. It outlives the process. */
export interface Machine {
  /** Its clock can be set: that much ahead of the true time. */
  offsetMs: number;
  /** Stands still until then (true time): suspended, swapped out, in the midst of a migration. */
  frozenUntilMs: number;
}

interface Sleeper {
  readonly machine: Machine;
  readonly isAlive: () => boolean;
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
}

/** The time of a simulated world. It goes from moment to moment at which something happens. */
export class Time {
  nowMs: number;
  readonly machines: Machine[] = [];
  #order = 0;
  readonly #agenda: Entry[] = [];
  readonly #sleepers = new Set<Sleeper>();

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  machine(offsetMs: number): Machine {
    const machine = { offsetMs, frozenUntilMs: 0 };
    this.machines.push(machine);
    return machine;
  }

  /** What the machine says that is furthest behind, and the one furthest ahead. */
  get earliestMs(): number {
    return this.nowMs + Math.min(...this.machines.map(({ offsetMs }) => offsetMs));
  }
  get latestMs(): number {
    return this.nowMs + Math.max(...this.machines.map(({ offsetMs }) => offsetMs));
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

  /** A machine's clock, as a process sees it while it lives. Who sleeps when it dies never wakes. */
  machineClock(machine: Machine, isAlive: () => boolean): Clock {
    return {
      now: () => this.nowMs + machine.offsetMs,
      sleepUntil: (atMs, signal) =>
        new Promise((resolve) => {
          if (atMs <= this.nowMs + machine.offsetMs || signal.aborted) return resolve();
          this.#order += 1;
          const sleeper: Sleeper = {
            machine,
            isAlive,
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

  /** A process is gone, and who slept in it. */
  forgetDead(): void {
    for (const sleeper of this.#sleepers) if (!sleeper.isAlive()) this.#sleepers.delete(sleeper);
  }

  /** Goes to the next moment and lets happen what happens then. False: there is none by `untilMs`; it is that late now. */
  step(untilMs: number): boolean {
    const sleeper = this.#nextSleeper();
    const sleeperAtMs = sleeper ? Math.max(this.nowMs, wakesAtMs(sleeper)) : Number.POSITIVE_INFINITY;
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
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (const one of this.#sleepers) {
      const atMs = wakesAtMs(one);
      if (next !== null && (atMs > nextAtMs || (atMs === nextAtMs && one.order > next.order))) continue;
      next = one;
      nextAtMs = atMs;
    }
    return next;
  }
}

function wakesAtMs({ atMs, machine }: Sleeper): number {
  return Math.max(atMs - machine.offsetMs, machine.frozenUntilMs);
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
