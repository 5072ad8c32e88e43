import type { DomainEvent } from './event.ts';
import { getStuck } from './question.ts';
import { orderShift } from './shifting.ts';
import { inTheWayOfMoving, standBefore } from './standing.ts';
import type { Rollout } from './state.ts';
import { Ignored, type Turn } from './turn.ts';
import { duration, percent, sentence } from './words.ts';

/** Before the first shift a candidate may have to prove that it is ready, for a while on end: blue/green and switch. */

/** An answer that never comes must not end the asking. */
const BACKSTOP_MS = 60_000;

/** The beginning of the way forward: warm-up where the policy asks for one, else the first step. */
export function setOut(turn: Turn): void {
  const rollout = turn.rollout;
  const first = rollout?.plan.steps[0];
  if (!rollout || !first) throw new Error(`${turn.state.service} has no first step`);
  const { warmUp } = rollout.plan.strategy;
  const advancing = { name: 'advancing' as const, sinceMs: turn.now };
  if (!warmUp) {
    turn.enter({ ...advancing, stage: 'shifting', soakUntilMs: 0, maxSoakUntilMs: 0 });
    turn.setRollout({ step: 0 });
    orderShift(turn, first.exposurePercent);
    return;
  }
  turn.enter({ ...advancing, stage: 'warming', soakUntilMs: 0, maxSoakUntilMs: turn.now + warmUp.maxSoakMs });
  turn.tell(
    'warming',
    turn.automation,
    `${rollout.candidate.id} warms up at 0 %: it has to be ready for ${duration(warmUp.soakMs)} on end, within ${duration(warmUp.maxSoakMs)}.`,
  );
  probe(turn, rollout);
}

function probe(turn: Turn, { candidate }: Rollout): void {
  const probeId = turn.number();
  turn.set({ probe: { id: probeId, askedAtMs: turn.now } });
  turn.effects.push({ kind: 'probe', probeId, version: candidate.id });
  turn.timer('probe', turn.now + BACKSTOP_MS);
}

export function onProbeTimer(turn: Turn): void {
  const rollout = turn.rollout;
  if (rollout?.phase.name === 'advancing' && rollout.phase.stage === 'warming') probe(turn, rollout);
}

export function onProbed(turn: Turn, event: Extract<DomainEvent, { type: 'probed' }>): void {
  if (turn.state.probe?.id !== event.probeId) throw new Ignored(`probe ${event.probeId} was replaced by a newer one`);
  turn.set({ probe: null });
  const rollout = turn.rollout;
  const warmUp = rollout?.plan.strategy.warmUp;
  if (!rollout || !warmUp || rollout.phase.name !== 'advancing' || rollout.phase.stage !== 'warming') return;
  const { phase } = rollout;
  const isReady = event.readiness?.ready === true;
  const soakUntilMs = isReady ? phase.soakUntilMs || turn.now + warmUp.soakMs : 0;
  if (isReady && turn.now >= soakUntilMs) {
    warmedUp(turn, rollout);
    return;
  }
  if (turn.now >= phase.maxSoakUntilMs) {
    const why = event.readiness?.detail ?? event.problem ?? 'the target does not say why';
    const reason = isReady
      ? `${rollout.candidate.id} was not ready long enough within ${duration(warmUp.maxSoakMs)}.`
      : sentence(`${rollout.candidate.id} did not get ready within ${duration(warmUp.maxSoakMs)}: ${why}`);
    getStuck(turn, reason, 'advancing');
    return;
  }
  turn.setRollout({ phase: { ...phase, soakUntilMs } });
  const nextMs = turn.now + rollout.plan.comparison.everyMs;
  turn.timer('probe', Math.min(nextMs, isReady ? soakUntilMs : nextMs, phase.maxSoakUntilMs));
}

function warmedUp(turn: Turn, rollout: Rollout): void {
  const first = rollout.plan.steps[0];
  if (!first) throw new Error(`${rollout.id} has no first step`);
  const inTheWay = inTheWayOfMoving(turn);
  const then = inTheWay ? '' : ` It goes to ${percent(first.exposurePercent)}.`;
  turn.tell(
    'warmed-up',
    turn.automation,
    `${rollout.candidate.id} is warm: all of its arm was ready long enough.${then}`,
  );
  if (inTheWay) {
    standBefore(turn, first.exposurePercent, inTheWay);
    return;
  }
  turn.enter({ name: 'advancing', sinceMs: turn.now, stage: 'shifting', soakUntilMs: 0, maxSoakUntilMs: 0 });
  turn.setRollout({ step: 0 });
  orderShift(turn, first.exposurePercent);
}
