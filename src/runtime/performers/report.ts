import type { CardRef, JournalEntry } from '../../domain/effect.ts';
import { messageIdOf, type StoredEntry } from '../../ports/store.ts';
import { bring, cardOf } from './message.ts';
import { CHAT_LIMIT_MS, chatRetry, done, type EffectOf, type Performer, type World } from './performer.ts';
import { stateOf } from './policy.ts';

/** The newest lines a report is made of; more is the history's. */
const MAX_ENTRIES = 500;

/** The report at the end, in the card's thread, with everything the journal has about it. */
export function reportPerformer(world: World): Performer<EffectOf<'report'>> {
  return {
    limitMs: CHAT_LIMIT_MS,
    retry: chatRetry,
    async perform(effect, job, signal, stillOurs) {
      const { card } = effect;
      const parent = await cardOf(world, card, await stateOf(world, job.service));
      if (parent?.content.kind !== 'card') return done;
      const { view } = parent.content;
      const known = await world.store.messages.get(parent.id);
      const thread = known?.address ?? (await bring(world, parent, signal, stillOurs, 'unhurried'));
      const journal = await journalOf(world, job.service, card, view.rollout?.id ?? null);
      const content = { kind: 'report' as const, view, journal };
      const id = messageIdOf(job, effect);
      await bring(world, { id, channel: thread.channel, thread, content }, signal, stillOurs, 'unhurried');
      return done;
    },
    givenUp: () => null,
  };
}

/** Oldest first: the degradation's lines and its rollout's, each once. */
async function journalOf(
  world: World,
  service: string,
  card: CardRef,
  rolloutId: string | null,
): Promise<readonly JournalEntry[]> {
  const entries = new Map<number, StoredEntry>();
  const add = async (query: { degradationId?: string; rolloutId?: string }) => {
    for (const entry of await world.store.journal({ service, ...query, limit: MAX_ENTRIES })) {
      entries.set(entry.sequence, entry);
    }
  };
  if (card.kind === 'degradation') await add({ degradationId: card.id });
  if (rolloutId) await add({ rolloutId });
  return [...entries.values()].sort((a, b) => a.sequence - b.sequence).map(({ entry }) => entry);
}
