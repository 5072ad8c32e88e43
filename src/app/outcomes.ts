import type { Chat } from '../ports/chat.ts';
import { PortError } from '../ports/failure.ts';
import type { Pager } from '../ports/pager.ts';
import type { Finding } from './health.ts';

/** What came of the latest calls to something that cannot be tried without doing something. */
export interface Outcomes {
  /** Of the channel, or the pager as a whole. */
  of(name: string): Finding;
}

interface Tally {
  readonly failures: number;
  readonly problem: string | null;
}

/** A refusal is believed at once; of failures that pass, one may be chance. */
const failuresToBelieve = 2;

/**
 * The chat, with the outcomes of its posts remembered by channel: refusals alone, for whether Slack answers is seen elsewhere. Only
 * what stands in a channel by itself counts: threads are named by id. Updates do not: one that is taken says nothing of whether the
 * next question can be asked, and one that is refused is followed by a post.
 */
export function watchedChat(chat: Chat): Chat & { readonly outcomes: Outcomes } {
  const memory = createMemory({
    untried: 'nothing was posted yet',
    taken: 'the last post was taken',
    onlyRefusals: true,
  });
  return {
    post(message, signal) {
      const call = chat.post(message, signal);
      return message.thread === null ? memory.note(message.channel, call) : call;
    },
    waitMs: (message) => chat.waitMs?.(message) ?? 0,
    update: (address, message, signal) => chat.update(address, message, signal),
    remove: async (address, message, signal) => chat.remove?.(address, message, signal),
    find: (message, signal) => chat.find(message, signal),
    outcomes: memory,
  };
}

/** The pager, with its outcome remembered. */
export function watchedPager(pager: Pager): Pager & { readonly outcomes: Outcomes } {
  const memory = createMemory({ untried: 'not tried yet', taken: 'the last page was taken', onlyRefusals: false });
  return { send: (page, signal) => memory.note('', pager.send(page, signal)), outcomes: memory };
}

interface Manner {
  readonly untried: string;
  readonly taken: string;
  readonly onlyRefusals: boolean;
}

/** One for all: every channel of thousands is nearly always so. */
const noFailure: Tally = { failures: 0, problem: null };

function createMemory({ untried, taken, onlyRefusals }: Manner) {
  const tallies = new Map<string, Tally>();
  const nothingYet: Finding = { ok: true, detail: untried };
  const allWell: Finding = { ok: true, detail: taken };
  /** How much an error weighs; being asked to come again later (a limit, a breaker) is neither good nor bad. */
  const weight = (error: unknown): number => {
    if (!(error instanceof PortError)) return 0;
    if (error.failure === 'permanent') return failuresToBelieve;
    return onlyRefusals || error.retryAfterMs !== null ? 0 : 1;
  };
  async function note<T>(name: string, call: Promise<T>): Promise<T> {
    try {
      const value = await call;
      tallies.set(name, noFailure);
      return value;
    } catch (error) {
      const failures = weight(error);
      if (failures > 0 && error instanceof PortError)
        tallies.set(name, { failures: (tallies.get(name)?.failures ?? 0) + failures, problem: error.message });
      throw error;
    }
  }
  const of = (name: string): Finding => {
    const tally = tallies.get(name);
    if (!tally) return nothingYet;
    if (tally.problem === null) return allWell;
    if (tally.failures < failuresToBelieve) return { ok: true, detail: `failed once: ${tally.problem}` };
    return { ok: false, detail: tally.problem, sure: true };
  };
  return { note, of };
}
