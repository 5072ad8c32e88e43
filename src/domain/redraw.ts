import type { CardRef, Effect } from './effect.ts';
import type { ServiceState } from './state.ts';
import { isEnded } from './turn.ts';

/** Which cards no longer show what is true: those of what changed, and of what something new took over from. */
export function cardsToDraw(before: ServiceState, after: ServiceState, urgent: boolean): Effect[] {
  const { rollout, degradation } = after;
  const marked = after.freeze !== before.freeze || after.automationOff !== before.automationOff;
  const rolloutChanged = rollout !== before.rollout || marked;
  const cards: Effect[] = [];
  const draw = (kind: CardRef['kind'], id: string, now: boolean) =>
    cards.push({ kind: 'card', card: { kind, id }, urgent: now });

  if (rollout && (rolloutChanged || after.shift !== before.shift)) draw('rollout', rollout.id, urgent);
  if (degradation) {
    // An open question's card shows its rollout as well, and so does an ended one's as long as the rollout is the same.
    const showsRollout = degradation.stage.name !== 'ended' || degradation.rolloutId === rollout?.id;
    if (degradation !== before.degradation || (rolloutChanged && showsRollout))
      draw('degradation', degradation.id, urgent);
  }
  if (before.degradation && before.degradation.id !== degradation?.id)
    draw('degradation', before.degradation.id, false);
  // A rollout that a new one follows: its buttons are over.
  if (before.rollout && before.rollout.id !== rollout?.id && !isEnded(before.rollout.phase))
    draw('rollout', before.rollout.id, false);
  return cards;
}
