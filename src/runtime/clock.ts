import type { Clock } from '../ports/clock.ts';

/** Sleeps are cut into stretches of this, so that a moment is met although the machine slept or its clock was set. */
const STRETCH_MS = 5_000;

/** The machine's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleepUntil(atMs, signal) {
    for (let leftMs = atMs - Date.now(); leftMs > 0 && !signal.aborted; leftMs = atMs - Date.now()) {
      await pause(Math.min(leftMs, STRETCH_MS), signal);
    }
  },
};

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
