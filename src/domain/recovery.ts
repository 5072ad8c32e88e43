import type { Comparison } from '../analysis/types.ts';
import { backToWatching, onShiftedForward } from './advance.ts';
import { askGate, gateOf } from './gates.ts';
import { endQuestion } from './question.ts';
import type { Degradation } from './state.ts';
import type { Turn } from './turn.ts';
import { setOut } from './warming.ts';
import { duration } from './words.ts';

/** Rule 7: flapping neither cancels nor extends for ever. */

/** Well again: every matched alert is resolved and what was measured is not degraded. Missing data is no objection, nor a proof. */
function isWell(turn: Turn, question: Degradation): boolean {
  if (turn.firing.length > 0) return false;
  const verdict = question.comparison?.verdict ?? 'no-data';
  if (verdict === 'degraded') return false;
  const undecided = question.signals.some((s) => s.kind === 'gate-undecided');
  const alone = question.signals.every((s) => s.kind !== 'alert');
  // A question that no alert opened has nothing that resolves: only a look that answers what was asked ends it.
  return undecided || alone ? isAnswered(turn, question, question.comparison) : true;
}

/** What the step's gate asks for is healthy; where it was not better in time, it is better now. */
function isAnswered({ rollout }: Turn, { signals }: Degradation, comparison: Comparison | null): boolean {
  if (!comparison) return false;
  // Only a step forward has a gate.
  if (!rollout || !('during' in rollout.phase) || rollout.phase.during !== 'advancing')
    return comparison.verdict === 'healthy';
  const wantsBetter = signals.some((s) => s.kind === 'gate-undecided' && s.verdict === 'not-better');
  const gate = gateOf(rollout);
  return askGate({ ...gate, objective: wantsBetter ? gate.objective : 'no-worse' }, comparison).answer === 'passed';
}

/** Pauses the clock where all is well, and lets the remaining time run on where it is not. */
export function followHealth(turn: Turn): void {
  const question = turn.question;
  if (!question) return;
  const { stage } = question;
  if (stage.name === 'recovering') {
    if (!isWell(turn, question)) resumeClock(turn, question);
    return;
  }
  if (!isWell(turn, question)) return;
  const untilMs = turn.now + turn.policy.respond.stabilityMs;
  switch (stage.name) {
    case 'grace':
      turn.stage({
        name: 'recovering',
        untilMs,
        remainingMs: Math.max(0, stage.untilMs - turn.now),
        escalateRemainingMs: null,
        unasked: true,
        held: null,
      });
      break;
    case 'asking': {
      const escalateRemainingMs =
        stage.escalateAtMs === null || !turn.state.timers.escalate ? null : Math.max(0, stage.escalateAtMs - turn.now);
      const remainingMs = Math.max(0, stage.deadlineMs - turn.now);
      turn.stage({ name: 'recovering', untilMs, remainingMs, escalateRemainingMs, unasked: false, held: null });
      break;
    }
    case 'held':
      // What is stuck, paused on its way back or older than the world ends only by a person.
      if (stage.why === 'stuck' || stage.why === 'stable-worse' || stage.why === 'restored') return;
      turn.stage({
        name: 'recovering',
        untilMs,
        remainingMs: 0,
        escalateRemainingMs: null,
        unasked: false,
        held: stage.why,
      });
      break;
    default:
      return;
  }
  turn.cancel('grace', 'deadline', 'escalate', 'repage');
  turn.timer('stability', untilMs);
  turn.tell(
    'question-paused',
    turn.automation,
    `All alerts are resolved and nothing is measured as degraded. The clock stands still; if it stays so for ${duration(turn.policy.respond.stabilityMs)}, this is over.`,
  );
}

/** It came back: the remaining time goes on, no more and no less. */
function resumeClock(turn: Turn, question: Degradation): void {
  const { stage } = question;
  if (stage.name !== 'recovering') return;
  turn.cancel('stability');
  if (stage.held) {
    turn.stage({ name: 'held', why: stage.held });
  } else if (stage.unasked) {
    const untilMs = turn.now + stage.remainingMs;
    turn.stage({ name: 'grace', untilMs });
    turn.timer('grace', untilMs);
  } else {
    const deadlineMs = turn.now + stage.remainingMs;
    const escalateAtMs = stage.escalateRemainingMs === null ? null : turn.now + stage.escalateRemainingMs;
    turn.stage({ name: 'asking', deadlineMs, escalateAtMs, measuring: false });
    turn.timer('deadline', deadlineMs);
    if (escalateAtMs !== null) turn.timer('escalate', escalateAtMs);
  }
  // Who was paged before the pause and has not answered is paged again, as if it had not been.
  if (turn.policy.escalate && question.page.state === 'triggered' && !question.acknowledged)
    turn.timer('repage', turn.now + turn.policy.escalate.repeatMs);
  const left = stage.held ? '' : ` ${duration(stage.remainingMs)} are left.`;
  turn.tell('question-resumed', turn.automation, `It is back before it was stable.${left}`);
}

/** It stayed well: the question is answered by itself, and what was suspended goes on. */
export function onStable(turn: Turn): void {
  const question = turn.question;
  if (question?.stage.name !== 'recovering') return;
  endQuestion(turn, 'recovered', `recovered, and well for ${duration(turn.policy.respond.stabilityMs)}.`);
  const phase = turn.rollout?.phase;
  if (phase?.name !== 'deciding') return;
  goOn(turn, phase.during);
}

/** Takes up again what a question or a hold interrupted. A paused rollback waits for a person. */
export function goOn(turn: Turn, during: 'advancing' | 'watching' | object): void {
  if (during === 'watching') {
    backToWatching(turn);
    return;
  }
  if (during !== 'advancing') {
    const phase = turn.rollout?.phase;
    if (phase?.name !== 'deciding' || typeof phase.during !== 'object') return;
    const reason = 'it recovered while the rollback was paused';
    turn.enter({
      name: 'holding',
      sinceMs: turn.now,
      untilMs: null,
      by: turn.automation,
      reason,
      during: phase.during,
    });
    return;
  }
  // Nothing was reached yet, not even a shadow step: what it was interrupted in was the warm-up.
  const hasNotBegun = turn.rollout?.shifts.length === 0 && turn.rollout.exposurePercent === 0 && !turn.state.shift;
  if (hasNotBegun && turn.rollout?.plan.strategy.warmUp) {
    setOut(turn);
    return;
  }
  turn.enter({ name: 'advancing', sinceMs: turn.now, stage: 'shifting', soakUntilMs: 0, maxSoakUntilMs: 0 });
  if (!turn.state.shift) onShiftedForward(turn);
}
