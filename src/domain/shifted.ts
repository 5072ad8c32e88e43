import { onShiftedForward } from './advance.ts';
import type { DomainEvent } from './event.ts';
import { plansShadow } from './gates.ts';
import { lookAgain } from './looking.ts';
import { stopsHere } from './pausing.ts';
import { getStuck } from './question.ts';
import { beginPhase, goDown, onShiftedBack } from './rollback.ts';
import { orderShift } from './shifting.ts';
import { standBefore } from './standing.ts';
import type { Rollback, Rollout, ShiftInFlight, Split } from './state.ts';
import { Ignored, type Turn } from './turn.ts';
import { byEvidence, takeWayBack } from './way-back.ts';
import { percent, sentence } from './words.ts';

/** Longer than any adapter's call can take to land after its reply was lost (rule 11). */
const REASSERT_AFTER_MS = 30_000;

export function onShifted(turn: Turn, event: Extract<DomainEvent, { type: 'shifted' }>): void {
  const { shift } = turn.state;
  const rollout = turn.state.rollout;
  if (!rollout || shift?.id !== event.shiftId) throw new Ignored(`${event.shiftId} is not the shift in flight`);
  const from = turn.position;
  turn.set({ shift: null });
  if (isForeign(rollout, shift)) {
    if (shift.next) follow(turn, shift.next);
    return;
  }
  const moved = event.exposurePercent !== rollout.exposurePercent;
  const begunShadow = !moved && landsInShadow(rollout, event.exposurePercent);
  if (rollout.driftPercent !== undefined) turn.setRollout({ driftPercent: undefined });
  if (moved || begunShadow)
    turn.setRollout({
      exposurePercent: event.exposurePercent,
      shifts: [...rollout.shifts, { atMs: turn.now, exposurePercent: event.exposurePercent }],
    });
  if (moved)
    turn.tell(
      'shifted',
      turn.automation,
      `${rollout.candidate.id} now gets ${percent(event.exposurePercent)} of the traffic, read back from the target.`,
      {
        from,
        to: turn.position,
      },
    );
  if (begunShadow)
    turn.tell(
      'shifted',
      turn.automation,
      `${rollout.candidate.id} runs in the shadow of ${rollout.stable.id}: it gets copies of the traffic and answers nobody.`,
      { from, to: turn.position },
    );
  if (event.uncertain) turn.timer('reassert', turn.now + REASSERT_AFTER_MS);
  if (shift.next) {
    follow(turn, shift.next);
    return;
  }
  const { phase } = rollout;
  if (phase.name === 'advancing') onShiftedForward(turn);
  else if (phase.name === 'rolling_back') onShiftedBack(turn, phase.rollback);
  else lookAgain(turn);
}

/** What was wished for while a shift was in flight, unless the service was frozen or automation stopped since. */
function follow(turn: Turn, { exposurePercent }: Split): void {
  const { rollout } = turn;
  const phase = rollout?.phase;
  const isUp = rollout !== null && exposurePercent > rollout.exposurePercent;
  if (phase?.name === 'rolling_back') {
    if (stopsHere(turn, phase.rollback)) return;
    // The way back was planned from where a step forward would have landed. It never did.
    if (isUp) goDown(turn, phase.rollback);
    else orderShift(turn, exposurePercent);
    return;
  }
  const isFrozen = phase?.name === 'advancing' && turn.state.freeze !== null;
  if (isFrozen && isUp) standBefore(turn, exposurePercent, `${turn.policy.service} is frozen`);
  else orderShift(turn, exposurePercent);
}

/** Nothing has moved, but from now on the candidate gets copies: what is compared begins here. */
function landsInShadow(rollout: Rollout, exposurePercent: number): boolean {
  const { phase, shifts } = rollout;
  const isSuspended = (phase.name === 'holding' || phase.name === 'deciding') && phase.during === 'advancing';
  const goesForward = isSuspended || (phase.name === 'advancing' && phase.stage === 'shifting');
  return exposurePercent === 0 && shifts.length === 0 && goesForward && plansShadow(rollout);
}

/** What an earlier rollout asserted last, once more: it says nothing about where this one stands. */
function isForeign(rollout: Rollout, { split }: ShiftInFlight): boolean {
  return split.candidate !== rollout.candidate.id || split.stable !== rollout.stable.id;
}

export function onShiftFailed(turn: Turn, event: Extract<DomainEvent, { type: 'shift_failed' }>): void {
  const { shift } = turn.state;
  const rollout = turn.state.rollout;
  if (!rollout || shift?.id !== event.shiftId) throw new Ignored(`${event.shiftId} is not the shift in flight`);
  turn.set({ shift: null });
  const { exposurePercent } = shift.split;
  const what =
    event.problem === 'not-ready'
      ? sentence(event.reason)
      : sentence(`The shift to ${percent(exposurePercent)} did not succeed: ${event.reason}`);
  turn.tell('shift-failed', turn.automation, what, { from: turn.position, reason: event.reason });
  if (event.uncertain) turn.timer('reassert', turn.now + REASSERT_AFTER_MS);
  if (shift.next) {
    follow(turn, shift.next);
    return;
  }
  const { phase } = rollout;
  if (phase.name === 'advancing') getStuck(turn, what, 'advancing');
  else if (phase.name === 'rolling_back' && !goesElsewhere(turn, event, phase.rollback))
    getStuck(turn, what, phase.rollback);
}

/** The last known good is not ready and nothing has moved yet: the next best that qualifies takes its place. */
function goesElsewhere(
  turn: Turn,
  { problem, reason }: Extract<DomainEvent, { type: 'shift_failed' }>,
  rollback: Rollback,
): boolean {
  const rollout = turn.rollout;
  if (!rollout || problem !== 'not-ready' || rollout.wayBack?.chosenBy !== 'evidence' || rollout.exposurePercent < 100)
    return false;
  if (stopsHere(turn, rollback)) return true;
  const { passedOver } = rollout.wayBack;
  const next = byEvidence(turn, rollout.candidate, [...passedOver, { version: rollout.stable.id, why: reason }]);
  if (!next) return false;
  takeWayBack(turn, next);
  beginPhase(turn, rollback);
  return true;
}
