import type { Comparison } from '../analysis/types.ts';
import { askGate, gateOf, passedWords, plansShadow } from './gates.ts';
import { lookAgain } from './looking.ts';
import { openQuestion } from './question.ts';
import { serves } from './served.ts';
import { orderShift } from './shifting.ts';
import { inTheWayOfMoving, standBefore } from './standing.ts';
import type { Actor, Rollout } from './state.ts';
import type { Turn } from './turn.ts';
import { percent } from './words.ts';

/** Moving forward: steps, gates, the watch after 100 %. Only a passed gate or a permitted person raises exposure. */

export function onShiftedForward(turn: Turn): void {
  const rollout = turn.rollout;
  // What lands while it warms up was asserted once more, and is no step.
  if (rollout?.phase.name !== 'advancing' || rollout.phase.stage === 'warming') return;
  if (rollout.exposurePercent >= 100) {
    complete(turn, rollout);
    return;
  }
  soakAnew(turn);
}

/** The step's soak begins (again): the gate has to pass from here on. */
function soakAnew(turn: Turn): void {
  const rollout = turn.rollout;
  if (!rollout) return;
  const step = rollout.plan.steps[rollout.step];
  if (!step) throw new Error(`${rollout.id} has no step ${rollout.step}`);
  const soakUntilMs = turn.now + step.soakMs;
  turn.setRollout({
    phase: {
      name: 'advancing',
      sinceMs: turn.now,
      stage: 'soaking',
      soakUntilMs,
      maxSoakUntilMs: turn.now + step.maxSoakMs,
    },
  });
  lookAgain(turn, soakUntilMs);
}

function complete(turn: Turn, rollout: Rollout): void {
  const untilMs = turn.now + turn.policy.watchMs;
  turn.set({ served: serves(turn.state.served, rollout.candidate, turn.now) });
  turn.enter({ name: 'watching', sinceMs: turn.now, untilMs });
  turn.timer('watch', untilMs);
  lookAgain(turn);
  turn.tell(
    'rollout-completed',
    turn.automation,
    `${rollout.candidate.id} gets all traffic. It is watched from now on.`,
  );
}

export function onWatchEnd(turn: Turn): void {
  const rollout = turn.rollout;
  if (rollout?.phase.name !== 'watching') return;
  turn.cancel('look');
  turn.enter({ name: 'succeeded', atMs: turn.now, reason: 'watched without a degradation' });
  turn.tell(
    'rollout-succeeded',
    turn.automation,
    `${rollout.id} succeeded: ${rollout.candidate.id} was watched to the end.`,
  );
  turn.effects.push({ kind: 'report', card: { kind: 'rollout', id: rollout.id } });
}

/** Where the watch ends; kept from the moment 100 % was reached, whatever came in between. */
export function backToWatching(turn: Turn): void {
  const rollout = turn.rollout;
  if (!rollout) return;
  const reachedMs = rollout.shifts.findLast((s) => s.exposurePercent >= 100)?.atMs ?? turn.now;
  const untilMs = Math.max(turn.now, reachedMs + turn.policy.watchMs);
  turn.enter({ name: 'watching', sinceMs: turn.now, untilMs });
  turn.timer('watch', untilMs);
  lookAgain(turn);
}

/** A look while a step soaks: the gate. */
export function gate(turn: Turn, comparison: Comparison): void {
  const rollout = turn.rollout;
  if (rollout?.phase.name !== 'advancing' || rollout.phase.stage !== 'soaking') return;
  const { soakUntilMs, maxSoakUntilMs } = rollout.phase;
  const soaked = turn.now >= soakUntilMs;
  const waited = turn.now >= maxSoakUntilMs;
  const found = askGate(gateOf(rollout), comparison);
  switch (found.answer) {
    case 'failed': {
      const isNews = found.culprits.length === 0 || found.culprits.some((name) => !rollout.overridden.includes(name));
      if (!soaked && !waited && !isNews) break;
      openQuestion(turn, { kind: 'gate-failed', culprits: found.culprits, atMs: turn.now }, 'warning');
      return;
    }
    case 'passed':
      if (!soaked) break;
      pass(turn, rollout, found.better);
      return;
    case 'undecided':
      if (!waited) break;
      openQuestion(turn, { kind: 'gate-undecided', verdict: found.why, atMs: turn.now }, 'warning');
      return;
  }
  lookAgain(turn, soaked ? maxSoakUntilMs : soakUntilMs);
}

function pass(turn: Turn, rollout: Rollout, better: readonly string[]): void {
  const index = nextStep(rollout);
  const next = rollout.plan.steps[index];
  if (!next) throw new Error(`${rollout.id} has no step after ${rollout.step}`);
  turn.tell('gate-passed', turn.automation, passedWords(rollout, better));
  // What a person promoted over held for that step.
  turn.setRollout({ overridden: [] });
  const inTheWay = inTheWayOfMoving(turn);
  if (inTheWay) {
    standBefore(turn, next.exposurePercent, inTheWay);
    return;
  }
  goTo(turn, rollout, index, turn.automation, '');
}

export function goTo(turn: Turn, rollout: Rollout, index: number, actor: Actor, reason: string): void {
  const step = rollout.plan.steps[index];
  if (!step) return;
  turn.cancel('look', 'hold');
  turn.enter({ name: 'advancing', sinceMs: turn.now, stage: 'shifting', soakUntilMs: 0, maxSoakUntilMs: 0 });
  turn.setRollout({ step: index });
  turn.note(
    'step-ordered',
    actor,
    `Step ${index + 1} of ${rollout.plan.steps.length}: to ${percent(step.exposurePercent)}.`,
    {
      from: { version: rollout.candidate.id, exposurePercent: rollout.exposurePercent },
      to: { version: rollout.candidate.id, exposurePercent: step.exposurePercent },
      reason,
    },
  );
  orderShift(turn, step.exposurePercent);
}

/** The first step above the present exposure; a shadow step, at 0 % as what was before it, while it has not begun. */
export function nextStep(rollout: Rollout): number {
  if (rollout.shifts.length === 0 && rollout.step === 0 && plansShadow(rollout)) return 0;
  const index = rollout.plan.steps.findIndex((s) => s.exposurePercent > rollout.exposurePercent);
  return index === -1 ? rollout.plan.steps.length : index;
}
