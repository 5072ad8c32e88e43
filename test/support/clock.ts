import type { Clock } from '../../src/ports/clock.ts';

export interface VirtualClock extends Clock {
  /**
   * Moves time on, stopping at every moment somebody sleeps until; `settled` is awaited at each (and at the beginning and the
   * end), so that what fires at a moment has had all its consequences before time goes on.
   */
  advance(ms: number, settled?: () => Promise<void>): Promise<void>;
  advanceTo(atMs: number, settled?: () => Promise<void>): Promise<void>;
  /** Moves the hands without waking anybody in between: the machine was off. Who slept past the moment wakes. */
  jump(ms: number): void;
  /** The next moment somebody sleeps until; null: nobody does. */
  next(): number | null;
}

/** Time that stands still until it is told to go on. */
export function virtualClock(startMs = Date.parse('2026-11-21T09:00:00Z')): VirtualClock {
  let now = startMs;
  const sleepers = new Set<{ atMs: number; wake: () => void }>();
  const nextMs = () => (sleepers.size === 0 ? null : Math.min(...[...sleepers].map((sleeper) => sleeper.atMs)));
  const wakeDue = () => {
    for (const sleeper of [...sleepers]) if (sleeper.atMs <= now) sleeper.wake();
  };
  const clock: VirtualClock = {
    now: () => now,
    sleepUntil: (atMs, signal) =>
      new Promise((resolve) => {
        if (atMs <= now || signal.aborted) return resolve();
        const sleeper = {
          atMs,
          wake: () => {
            sleepers.delete(sleeper);
            signal.removeEventListener('abort', sleeper.wake);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal.addEventListener('abort', sleeper.wake, { once: true });
      }),
    advance: (ms, settled) => clock.advanceTo(now + ms, settled),
    async advanceTo(atMs, settled = turnOfTheLoop) {
      await settled();
      for (let next = nextMs(); next !== null && next <= atMs; next = nextMs()) {
        now = Math.max(now, next);
        wakeDue();
        await settled();
      }
      now = Math.max(now, atMs);
      await settled();
    },
    jump(ms) {
      now += ms;
      wakeDue();
    },
    next: nextMs,
  };
  return clock;
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
