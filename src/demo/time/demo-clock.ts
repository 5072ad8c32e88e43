import type { Clock } from '../../ports/clock.ts';

/**
 * The demo's own time: it agrees with the wall's until somebody makes it run faster, and then it is ahead. Lastgood and the workspace
 * live in it; Prometheus, Alertmanager and the models live in the wall's, and what passes between the two is translated.
 */
export interface DemoClock extends Clock {
  /** Demo milliseconds a millisecond of the wall. */
  readonly factor: number;
  /** From now on; what is asleep wakes at its moment all the same. @throws {RangeError} for what is not above 0. */
  setFactor(factor: number): void;
  /** Called after every change of the factor. */
  listen(listener: (factor: number) => void): void;
  /** Unix ms of the demo for a moment of the wall, and back. Not rounded; each is the other's inverse. */
  toDemo(wallMs: number): number;
  toWall(demoMs: number): number;
  /** The stretches of one factor, oldest first; the first reaches back for ever, the last goes on. */
  stretches(): readonly ClockStretch[];
}

export interface ClockStretch {
  readonly wallMs: number;
  readonly demoMs: number;
  readonly factor: number;
}

/** Sleeps are cut into stretches of this, so that a moment is met although the machine slept or its clock was set. */
const LONGEST_SLEEP_MS = 5_000;

/** @param wall Unix ms of the machine. */
export function createDemoClock(factor = 1, wall: () => number = Date.now): DemoClock {
  const stretches: ClockStretch[] = [{ wallMs: wall(), demoMs: wall(), factor: 1 }];
  const listeners: ((factor: number) => void)[] = [];
  const sleepers = new Set<() => void>();
  let latestMs = Number.NEGATIVE_INFINITY;

  const present = () => stretches[stretches.length - 1] ?? { wallMs: 0, demoMs: 0, factor: 1 };
  const toDemo = (wallMs: number) => {
    const { wallMs: from, demoMs, factor: speed } = stretchAt(stretches, (one) => one.wallMs <= wallMs);
    return demoMs + (wallMs - from) * speed;
  };
  const toWall = (demoMs: number) => {
    const { wallMs, demoMs: from, factor: speed } = stretchAt(stretches, (one) => one.demoMs <= demoMs);
    return wallMs + (demoMs - from) / speed;
  };
  /** Never backwards, also where the machine's clock is set back. */
  const exactly = () => {
    latestMs = Math.max(latestMs, toDemo(wall()));
    return latestMs;
  };
  const setFactor = (wanted: number) => {
    if (!(wanted > 0 && Number.isFinite(wanted)))
      throw new RangeError(`A clock runs at more than 0, not at ${wanted}.`);
    if (wanted === present().factor) return;
    const { wallMs } = present();
    stretches.push({ wallMs: Math.max(wall(), wallMs), demoMs: exactly(), factor: wanted });
    for (const wake of [...sleepers]) wake();
    for (const listener of listeners) listener(wanted);
  };
  setFactor(factor);

  return {
    get factor() {
      return present().factor;
    },
    setFactor,
    listen: (listener) => void listeners.push(listener),
    toDemo,
    toWall,
    stretches: () => [...stretches],
    now: () => Math.floor(exactly()),
    async sleepUntil(atMs, signal) {
      for (let leftMs = atMs - exactly(); leftMs > 0 && !signal.aborted; leftMs = atMs - exactly()) {
        await nap(Math.min(leftMs / present().factor, LONGEST_SLEEP_MS), signal, sleepers);
      }
    },
  };
}

/** The newest stretch that has begun; the first one also stands for what was before it. */
function stretchAt(stretches: readonly ClockStretch[], hasBegun: (one: ClockStretch) => boolean): ClockStretch {
  return stretches.findLast(hasBegun) ?? stretches[0] ?? { wallMs: 0, demoMs: 0, factor: 1 };
}

/** Ends after the time, when it is woken, or as soon as `signal` is aborted. */
function nap(ms: number, signal: AbortSignal, sleepers: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      sleepers.delete(end);
      signal.removeEventListener('abort', end);
      resolve();
    };
    // A timer may fire a little early; at least one millisecond keeps the loop around it from spinning.
    const timer = setTimeout(end, Math.max(1, Math.ceil(ms)));
    sleepers.add(end);
    signal.addEventListener('abort', end, { once: true });
  });
}
