import type { Application } from '../application/api.ts';
import type { JournalEntry } from '../domain/effect.ts';
import type { ServiceState } from '../domain/state.ts';
import type { Narrator } from './narrator.ts';
import { pause } from './pause.ts';
import { SERVICE } from './scenario.ts';
import { every, type Ticking } from './ticking.ts';

/** What Lastgood knows, looked at a few times a second; its journal is told as it is written. */
export interface Watch {
  /** Before it there is nothing to see. */
  begin(application: Application): void;
  /** Null until the first look. */
  state(): ServiceState | null;
  /** What was written while it watched, newest last; the newest sixty. */
  journal(): readonly JournalEntry[];
  /**
   * Resolves with the state as soon as it is so, null when it was not within the time or `signal` was aborted.
   * Throws what `isSo` throws.
   */
  until(isSo: (state: ServiceState) => boolean, withinMs: number, signal: AbortSignal): Promise<ServiceState | null>;
  stop(): Promise<void>;
}

const EVERY_MS = 250;
/** More lines than this are never written between two looks. */
const JOURNAL_PAGE = 50;
const KEPT_ENTRIES = 60;

export function createWatch(narrator: Narrator): Watch {
  let current: ServiceState | null = null;
  let told = 0;
  const journal: JournalEntry[] = [];
  let ticking: Ticking | null = null;
  const look = async (application: Application) => {
    current = (await application.status(SERVICE))?.state ?? null;
    const news = (await application.history(SERVICE, JOURNAL_PAGE)).filter(({ sequence }) => sequence > told);
    for (const { sequence, entry } of news.toReversed()) {
      narrator.tell('journal', entry.text, entry.atMs);
      told = sequence;
      journal.push(entry);
      if (journal.length > KEPT_ENTRIES) journal.shift();
    }
  };
  return {
    begin(application) {
      ticking = every(
        EVERY_MS,
        () => look(application),
        (error) => narrator.tell('note', `The journal could not be read: ${messageOf(error)}`),
      );
    },
    state: () => current,
    journal: () => [...journal],
    async until(isSo, withinMs, signal) {
      const endMs = Date.now() + withinMs;
      while (!signal.aborted && Date.now() < endMs) {
        if (current && isSo(current)) return current;
        await pause(EVERY_MS / 2, signal);
      }
      return null;
    },
    stop: async () => ticking?.stop(),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
