import { unmatchedNote } from '../application/unmatched-note.ts';
import type { Policy } from '../domain/policy.ts';
import type { ChatMessage } from '../ports/chat.ts';
import type { Clock } from '../ports/clock.ts';
import type { UnmatchedBook } from '../ports/store.ts';
import { DUTY_LEASE_MS, type Duty, soleDuty } from './duty.ts';

/** What was not heard of since then is old news. */
const NEWS_MS = 6 * 3_600_000;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 5 * 60_000;
const LIMIT_MS = 60_000;

export interface TellingParts {
  readonly channel: string;
  readonly book: UnmatchedBook;
  readonly policies: () => readonly Policy[];
  /** Brings a message to what it says, once, whatever becomes of us meanwhile. */
  readonly bring: (message: ChatMessage, signal: AbortSignal) => Promise<unknown>;
  readonly clock: Clock;
  readonly onProblem: (error: unknown) => void;
  /** Which replica tells; absent: this one does. */
  readonly duty?: Duty | undefined;
}

export interface Telling {
  start(): void;
  /** There may be something to tell. */
  wake(): void;
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Tells the default channel of alerts that no policy matches: once each start, those that came together in one message. Which
 * message they are in is stored before it is posted, so that after a kill it is looked for and not posted again.
 */
export function createUnmatchedTelling(parts: TellingParts): Telling {
  const { book, clock, duty = soleDuty } = parts;
  // Whoever has the duty says so again in time, and the others look whether it has become free.
  const idleMs = parts.duty === undefined ? NEWS_MS : DUTY_LEASE_MS / 3;
  const ending = new AbortController();
  let sleep: AbortController | null = null;
  let running: Promise<void> | null = null;
  let busy: Promise<boolean> | null = null;
  let woken = false;

  async function next(): Promise<boolean> {
    if (!(await duty.isOurs())) return false;
    const batch = await book.toTell(clock.now() - NEWS_MS);
    if (!batch) return false;
    const text = unmatchedNote(batch.alerts, parts.policies());
    const message: ChatMessage = {
      id: batch.id,
      channel: parts.channel,
      thread: null,
      content: { kind: 'note', text },
    };
    await parts.bring(message, AbortSignal.any([ending.signal, AbortSignal.timeout(LIMIT_MS)]));
    await book.told(batch.id);
    return true;
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!ending.signal.aborted) {
      woken = false;
      busy = next();
      try {
        const more = await busy;
        failures = 0;
        if (more) continue;
      } catch (error) {
        if (ending.signal.aborted) return;
        if (failures === 0) parts.onProblem(error);
        failures += 1;
      } finally {
        busy = null;
      }
      await pause(failures);
    }
  }

  /** Woken by a new alert, unless the channel did not take the last message: then the wait is for the channel. */
  async function pause(failures: number): Promise<void> {
    if (ending.signal.aborted || (woken && failures === 0)) return;
    const waitMs = failures === 0 ? idleMs : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 16));
    sleep = new AbortController();
    const signal = failures === 0 ? AbortSignal.any([ending.signal, sleep.signal]) : ending.signal;
    await clock.sleepUntil(clock.now() + waitMs, signal);
    sleep = null;
  }

  return {
    start: () => {
      running ??= run();
    },
    wake: () => {
      woken = true;
      sleep?.abort();
    },
    async settled() {
      await new Promise((resolve) => setImmediate(resolve));
      while (busy) {
        await busy.catch(() => undefined);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async stop() {
      ending.abort();
      await running;
      await duty.release();
    },
  };
}
