import type { Split } from './state.ts';
import { Ignored, type Turn } from './turn.ts';

/** One shift in flight a service: while one is, the wish is kept and follows it. */
export function orderShift(turn: Turn, exposurePercent: number): void {
  const rollout = turn.state.rollout;
  if (!rollout) throw new Error(`${turn.state.service} has no rollout to shift`);
  const split: Split = { stable: rollout.stable.id, candidate: rollout.candidate.id, exposurePercent };
  if (turn.state.shift) {
    turn.set({ shift: { ...turn.state.shift, next: same(turn.state.shift.split, split) ? null : split } });
    return;
  }
  begin(turn, split, exposurePercent > rollout.exposurePercent ? split.candidate : split.stable);
}

function begin(turn: Turn, split: Split, gaining: string | null): void {
  const shiftId = `${turn.state.service}-s${turn.number()}`;
  turn.set({
    shift: { id: shiftId, split, orderedAtMs: turn.now, next: null },
    assertedPercent: split.exposurePercent,
  });
  turn.effects.push({ kind: 'shift', shiftId, split, gaining });
}

/**
 * A call whose reply was lost can still land: what was asserted last is asserted again. Where that never came into force it is
 * the lower of the two: a failed step forward is undone, a way back is not.
 */
export function reassert(turn: Turn): void {
  const rollout = turn.state.rollout;
  if (!rollout || turn.state.shift) throw new Ignored('another shift has been ordered since');
  const exposurePercent = Math.min(rollout.exposurePercent, turn.state.assertedPercent ?? rollout.exposurePercent);
  begin(turn, { stable: rollout.stable.id, candidate: rollout.candidate.id, exposurePercent }, null);
}

function same(a: Split, b: Split): boolean {
  return a.stable === b.stable && a.candidate === b.candidate && a.exposurePercent === b.exposurePercent;
}
