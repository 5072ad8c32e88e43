import { bring, cardOf } from './message.ts';
import { CHAT_LIMIT_MS, cardRetry, done, type EffectOf, type Performer, type World } from './performer.ts';
import { stateOf } from './policy.ts';

/** State, not messages, is the truth: the card is brought to what the state is when it is drawn, not when it was asked for. */
export function cardPerformer(world: World): Performer<EffectOf<'card'>> {
  return {
    limitMs: CHAT_LIMIT_MS,
    retry: cardRetry,
    async perform({ card }, job, signal, stillOurs) {
      const message = await cardOf(world, card, await stateOf(world, job.service));
      if (message) await bring(world, message, signal, stillOurs, 'unhurried');
      return done;
    },
    givenUp: () => null,
  };
}
