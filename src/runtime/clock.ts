import type { Clock } from '../ports/clock.ts';

/** Sleeps are cut into stretches of this, so that a moment is met although the machine slept or its clock was set. */
const STRETCH_MS = 5_000;

/** The machine's time. */
export const systemClock: Clock = clockOf(() => Date.now());

/** A clock that goes by `now` (Unix ms) and sleeps in real time. */
export function clockOf(now: () => number): Clock {
  return {
    now,
    async sleepUntil(atMs, signal) {
      for (let leftMs = atMs - now(); leftMs > 0 && !signal.aborted; leftMs = atMs - now()) {
        await pause(Math.min(leftMs, STRETCH_MS), signal);
      }
    },
  };
}

/** Resolves after `ms` of real time or as soon as `signal` is aborted; never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

/** Lets the event loop come round: what was begun before goes out, what came in is answered. */
export function roundOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
