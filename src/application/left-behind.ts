import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Backlog } from './backlog.ts';

/** What was accepted this long ago and waits still was left behind, by a replica that died or by a decision that failed. */
const LEFT_AFTER_MS = 10_000;

interface LeftBehindParts {
  readonly application: Pick<Backlog, 'takeLeftBehind'>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Nobody else has this store: all that waits at the start was left behind by the process before. */
  readonly alone: boolean;
}

export interface LeftBehind {
  /** Resolves when what the process before left behind is decided on; goes on looking every few seconds. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Sees to it that accepted alerts are decided on whatever becomes of who accepted them. */
export function createLeftBehind({ application, clock, telemetry, alone }: LeftBehindParts): LeftBehind {
  const ending = new AbortController();
  let looking: Promise<void> = Promise.resolve();
  const take = async (beforeMs: number): Promise<void> => {
    try {
      await application.takeLeftBehind(beforeMs);
    } catch (error) {
      telemetry.problem('alerts that were left behind', error);
    }
  };
  const look = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await clock.sleepUntil(clock.now() + LEFT_AFTER_MS, ending.signal);
      if (!ending.signal.aborted) await take(clock.now() - LEFT_AFTER_MS);
    }
  };
  return {
    async start() {
      await take(alone ? Number.MAX_SAFE_INTEGER : clock.now() - LEFT_AFTER_MS);
      looking = look();
    },
    async stop() {
      ending.abort();
      await looking;
    },
  };
}
