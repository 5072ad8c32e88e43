import type { Clock } from '../../ports/clock.ts';
import { clockOf, pause } from '../clock.ts';

const ASK_EVERY_MS = 10_000;
/** Of so many answers the quickest is believed: how long it took bounds how wrong it can be. */
const ASKED = 3;
/** The hands are not set back by less: they stand until the database has caught up. More is another server's time, and followed. */
const STANDS_MS = 1_000;

/** The database's time, so that replicas agree whatever their machines' clocks say. */
export interface DatabaseClock extends Clock {
  close(): Promise<void>;
}

export interface DatabaseClockParts {
  /** Asks the database: Unix ms. */
  readonly ask: () => Promise<number>;
  /** Milliseconds that go on evenly whatever is done to the machine's clock. */
  readonly steadyMs?: () => number;
}

/**
 * Asks at the start and every ten seconds, and counts on by itself in between: an answer is off by at most half the time it took.
 * While the database does not answer it goes on counting.
 * @throws what the first question throws.
 */
export async function databaseClock({
  ask,
  steadyMs = () => performance.now(),
}: DatabaseClockParts): Promise<DatabaseClock> {
  const aheadMs = async (): Promise<number> => {
    let best = { tookMs: Number.POSITIVE_INFINITY, aheadMs: 0 };
    for (let asked = 0; asked < ASKED; asked += 1) {
      const beganMs = steadyMs();
      const saidMs = await ask();
      const tookMs = steadyMs() - beganMs;
      if (tookMs < best.tookMs) best = { tookMs, aheadMs: saidMs - beganMs - tookMs / 2 };
    }
    return best.aheadMs;
  };
  let offsetMs = await aheadMs();
  let toldMs = Number.NEGATIVE_INFINITY;
  const now = () => {
    const nowMs = Math.floor(steadyMs() + offsetMs);
    toldMs = nowMs < toldMs && toldMs - nowMs < STANDS_MS ? toldMs : nowMs;
    return toldMs;
  };
  const ending = new AbortController();
  const running = (async () => {
    for (;;) {
      await pause(ASK_EVERY_MS, ending.signal);
      if (ending.signal.aborted) return;
      // Whoever uses the database hears that it does not answer; the hands go on.
      offsetMs = await aheadMs().catch(() => offsetMs);
    }
  })();
  return {
    ...clockOf(now),
    async close() {
      ending.abort();
      await running;
    },
  };
}
