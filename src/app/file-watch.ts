import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import type { Finding } from './health.ts';

export interface FileWatchParts {
  readonly inspect: Store['inspect'];
  readonly clock: Clock;
  /** Before the first look; an hour. The start looked at small files itself. */
  readonly firstMs?: number | undefined;
  readonly onProblem: (error: unknown) => void;
}

/** The embedded database's file, read whole from time to time: what is damaged is else found when it is needed. */
export interface FileWatch {
  /** What was found last; null: nothing yet. Where it is time the next look is begun, and not waited for. */
  look(): Finding | null;
  /** Looks now, unless that was done a minute ago. Null: there is nothing to look at, it cannot be now, or takes longer than a person waits. */
  now(): Promise<Finding | null>;
  stop(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const EVERY_MS = 24 * HOUR_MS;
/** The file could not be held still. */
const AGAIN_MS = HOUR_MS;
const FRESH_MS = 60_000;
/** `lastgood doctor` waits 15 s for all it asks. */
const PATIENCE_MS = 8_000;

export function createFileWatch({ inspect, clock, firstMs = HOUR_MS, onProblem }: FileWatchParts): FileWatch {
  const ending = new AbortController();
  let found: { readonly finding: Finding; readonly atMs: number } | null = null;
  let looking: Promise<void> | null = null;
  let nextMs = clock.now() + firstMs;

  async function inspected(): Promise<void> {
    nextMs = clock.now() + AGAIN_MS;
    const inspection = await inspect(ending.signal);
    if (inspection === null) return;
    // Nobody is told of damage that only one look saw.
    const sure = inspection.ok ? inspection : await inspect(ending.signal);
    if (sure === null) return;
    found = { finding: { ...sure, sure: true }, atMs: clock.now() };
    nextMs = clock.now() + EVERY_MS;
  }
  function begin(): Promise<void> {
    looking ??= inspected()
      .catch((error) => {
        if (!ending.signal.aborted) onProblem(error);
      })
      .finally(() => {
        looking = null;
      });
    return looking;
  }
  const isFresh = () => found !== null && clock.now() - found.atMs < FRESH_MS;
  return {
    look() {
      if (clock.now() >= nextMs && !ending.signal.aborted) void begin();
      return found?.finding ?? null;
    },
    async now() {
      const enough = new AbortController();
      if (!isFresh()) await Promise.race([begin(), clock.sleepUntil(clock.now() + PATIENCE_MS, enough.signal)]);
      enough.abort();
      return isFresh() ? (found?.finding ?? null) : null;
    },
    async stop() {
      ending.abort();
      await looking;
    },
  };
}
