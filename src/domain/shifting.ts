import { plansShadow } from './gates.ts';
import type { Rollout, Split } from './state.ts';
import type { Turn } from './turn.ts';

/** One shift in flight a service: while one is, the wish is kept and follows it. */
export function orderShift(turn: Turn, exposurePercent: number): void {
  const rollout = turn.state.rollout;
  if (!rollout) throw new Error(`${turn.state.service} has no rollout to shift`);
  const split: Split = { stable: rollout.stable.id, candidate: rollout.candidate.id, exposurePercent };
  if (turn.state.shift) {
    const isOnItsWay = same(turn.state.shift.split, split) && !isGivenUp(rollout);
    turn.set({ shift: { ...turn.state.shift, next: isOnItsWay ? null : split } });
    return;
  }
  const grows = exposurePercent > rollout.exposurePercent || beginsShadow(rollout, exposurePercent);
  begin(turn, split, grows ? split.candidate : split.stable);
}

/** From 0 to 0: no traffic moves, but the candidate gets copies of it, so it has to be ready and the target has to know it. */
function beginsShadow(rollout: Rollout, exposurePercent: number): boolean {
  const { phase } = rollout;
  return exposurePercent === 0 && phase.name === 'advancing' && phase.stage === 'shifting' && plansShadow(rollout);
}

/** What is in flight asks for the candidate and may fail for its sake; 0 % is owed without it. */
function isGivenUp({ phase, highestPercent }: Rollout): boolean {
  return phase.name === 'rolling_back' && highestPercent === 0;
}

function begin(turn: Turn, split: Split, gaining: string | null): void {
  const shiftId = `${turn.state.service}-s${turn.number()}`;
  turn.set({
    shift: { id: shiftId, split, orderedAtMs: turn.now, next: null },
    assertedPercent: split.exposurePercent,
  });
  noteShare(turn, split.exposurePercent);
  turn.effects.push({ kind: 'shift', shiftId, split, gaining });
}

/** The candidate was given this share, by us or by somebody else. */
export function noteShare(turn: Turn, sharePercent: number): void {
  const known = turn.state.rollout?.highestPercent;
  if (known !== undefined && sharePercent > known) turn.setRollout({ highestPercent: sharePercent });
}

/**
 * A call whose reply was lost can still land: what was asserted last is asserted again. Where that never came into force it is
 * the lower of the two: a failed step forward is undone, a way back is not.
 */
export function reassert(turn: Turn): void {
  const rollout = turn.state.rollout;
  // Another shift has been ordered since, and is read back itself. The timer is over all the same: drift is looked for again.
  if (!rollout || turn.state.shift) return;
  const exposurePercent = Math.min(rollout.exposurePercent, turn.state.assertedPercent ?? rollout.exposurePercent);
  begin(turn, { stable: rollout.stable.id, candidate: rollout.candidate.id, exposurePercent }, null);
}

function same(a: Split, b: Split): boolean {
  return a.stable === b.stable && a.candidate === b.candidate && a.exposurePercent === b.exposurePercent;
}
