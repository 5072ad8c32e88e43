import { messageIdOf } from '../../ports/store.ts';
import { bring, cardOf } from './message.ts';
import { CHAT_LIMIT_MS, chatRetry, done, type EffectOf, type Performer, type World } from './performer.ts';
import { stateOf } from './policy.ts';

/** After an outage of the chat what is true now is shown on the card; lines older than this stay in the journal and the report. */
const OLD_NEWS_AFTER_MS = 10 * 60_000;

/** One line in the card's thread, once; the card is posted first where it is not there yet. */
export function sayPerformer(world: World): Performer<EffectOf<'say'>> {
  return {
    limitMs: CHAT_LIMIT_MS,
    retry: chatRetry,
    async perform(effect, job, signal, stillOurs) {
      const { card, entry } = effect;
      if (world.clock.now() - entry.atMs > OLD_NEWS_AFTER_MS) return done;
      const parent = await cardOf(world, card, await stateOf(world, job.service));
      if (!parent) return done;
      const known = await world.store.messages.get(parent.id);
      const thread = known?.address ?? (await bring(world, parent, signal, stillOurs, 'unhurried'));
      const id = messageIdOf(job, effect);
      const message = { id, channel: thread.channel, thread, content: { kind: 'entry' as const, entry } };
      // It would be refused: what is written down before a post need not be.
      const waitMs = world.chat.waitMs?.(message) ?? 0;
      if (waitMs > 0)
        return { kind: 'again', atMs: world.clock.now() + waitMs, problem: null, progress: job.progress ?? '' };
      await bring(world, message, signal, stillOurs, 'unhurried');
      return done;
    },
    givenUp: () => null,
  };
}
