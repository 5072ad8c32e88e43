import type { EffectOf, Performer } from './performer.ts';

/** A timer's job is due at its moment, and what it does is to say so: the event and the end of the job are one commit. */
export function timerPerformer(): Performer<EffectOf<'timer'>> {
  return {
    limitMs: 5_000,
    retry: { firstMs: 500, capMs: 60_000, giveUpAfterMs: null },
    async perform({ key, epoch }, { progress }) {
      // What was written when it was put off: see `postpone`.
      const putOff = progress === null ? {} : { putOffToMs: Number(progress) };
      return { kind: 'event', event: { type: 'timer', key, epoch, ...putOff } };
    },
    givenUp: () => null,
  };
}
