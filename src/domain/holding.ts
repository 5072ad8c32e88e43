import { goTo } from './advance.ts';
import type { Command } from './event.ts';
import { look, lookAgain } from './looking.ts';
import { stopsHere } from './pausing.ts';
import { ask } from './question.ts';
import { goOn } from './recovery.ts';
import { beginRollback, resumeRollback } from './rollback.ts';
import { orderShift } from './shifting.ts';
import { liftSilence } from './silencing.ts';
import type { Actor, Degradation, Phase, Rollback, Rollout } from './state.ts';
import type { Turn } from './turn.ts';
import { setOut } from './warming.ts';
import { byEvidence, noneQualifies, takeWayBack } from './way-back.ts';
import { because, duration, percent, utcTime, who } from './words.ts';

/** Hold and Pause: no automatic action until it expires, then it asks again. */

const LONGEST_HOLD_MS = 24 * 3_600_000;

export function hold(turn: Turn, command: Extract<Command, { name: 'hold' }>, actor: Actor): void {
  const { rollout, question, policy } = turn;
  if (!rollout && !question)
    turn.refuse(
      'conflict',
      `Nothing is under way on ${policy.service}: there is nothing to hold. To keep rollouts out, freeze it.`,
    );
  const forMs = command.forMs ?? policy.respond.holdMs;
  if (!(forMs > 0 && forMs <= LONGEST_HOLD_MS))
    turn.refuse(
      'invalid',
      `A hold lasts up to ${duration(LONGEST_HOLD_MS)}; to stop automation for longer, freeze the service.`,
    );
  const untilMs = turn.now + forMs;
  const pausing = rollout?.phase.name === 'rolling_back';
  // A person is at it: whatever fires is to be heard.
  if (pausing) liftSilence(turn);
  if (rollout) holdRollout(turn, rollout, untilMs, actor, command.reason);
  turn.cancel('grace', 'deadline', 'escalate', 'stability', 'repage', 'watch');
  turn.timer('hold', untilMs);
  if (question) {
    turn.setQuestion({
      decision: { by: actor, action: pausing ? 'Paused' : 'Held', reason: command.reason, atMs: turn.now },
    });
    turn.stage({ name: 'held', why: 'person' }, true);
  }
  const at = rollout ? ` at ${percent(rollout.exposurePercent)}` : '';
  turn.tell(
    'held',
    actor,
    `${who(actor)} ${pausing ? 'paused the rollback' : 'holds'}${at} until ${utcTime(untilMs)}.${because(command.reason)}`,
    { reason: command.reason },
  );
  lookAgain(turn);
  turn.reply = `Held until ${utcTime(untilMs)}. No automatic action until then; after that it asks again.`;
}

function holdRollout(turn: Turn, rollout: Rollout, untilMs: number, by: Actor, reason: string): void {
  const during = interrupted(rollout.phase);
  if (during === null) {
    const why =
      rollout.phase.name === 'stuck'
        ? 'stuck: nothing moves until somebody presses Try again or Roll back'
        : 'at 0 % and being verified: nothing moves any more';
    turn.refuse('conflict', `${rollout.id} is ${why}.`);
  }
  turn.enter({ name: 'holding', sinceMs: turn.now, untilMs, by, reason, during });
}

/** What a hold interrupts; null: nothing that could be held. */
export function interrupted(phase: Phase): 'advancing' | 'watching' | Rollback | null {
  switch (phase.name) {
    case 'advancing':
    case 'watching':
      return phase.name;
    case 'deciding':
    case 'holding':
      return phase.during;
    case 'rolling_back':
      return phase.rollback;
    default:
      return null;
  }
}

/** The hold has expired: it asks again, or goes on where nothing was asked. */
export function onHoldEnd(turn: Turn): void {
  const { rollout, question } = turn;
  const phase = rollout?.phase;
  if (rollout && phase?.name !== 'holding') return;
  if (question) {
    askAgain(turn, 'The hold has expired');
    return;
  }
  if (phase?.name !== 'holding') return;
  if (typeof phase.during === 'object' && stopsHere(turn, phase.during)) return;
  turn.tell('resumed', turn.automation, 'The hold has expired; it goes on where it was.');
  if (typeof phase.during === 'object') resumeRollback(turn, phase.during);
  else goOn(turn, phase.during);
}

function freshClock(
  turn: Turn,
  { severity }: Degradation,
): { remainingMs: number; escalateRemainingMs: number | null } {
  const { respond, escalate } = turn.policy;
  const remainingMs = severity === 'critical' ? respond.criticalDeadlineMs : respond.deadlineMs;
  return { remainingMs, escalateRemainingMs: escalate?.afterMs ?? null };
}

function askAgain(turn: Turn, why: string): void {
  const { question, rollout } = turn;
  const phase = rollout?.phase;
  if (!question) return;
  if (phase?.name === 'holding') turn.enter({ name: 'deciding', sinceMs: turn.now, during: phase.during });
  if (question.stage.name === 'recovering') {
    // It looks well: what the hold interrupted goes on when that lasts, and should it come back people are asked anew.
    turn.stage({ ...question.stage, held: null, unasked: false, ...freshClock(turn, question) });
    turn.note(
      'question-resumed',
      turn.automation,
      `${why}. It looks well: should that not last, people are asked anew.`,
    );
    return;
  }
  turn.setQuestion({ epoch: question.epoch + 1, decision: null });
  ask(turn);
  look(turn);
  const stage = turn.question?.stage;
  const left = stage?.name === 'asking' ? ` ${duration(stage.deadlineMs - turn.now)} to answer.` : '';
  turn.tell('question-resumed', turn.automation, `${why}: the question is put again.${left}`);
}

export function resume(turn: Turn, reason: string, actor: Actor): void {
  const { rollout, question } = turn;
  const phase = rollout?.phase;
  if (phase?.name === 'stuck') {
    tryAgain(turn, phase.during, actor, reason);
    return;
  }
  if (phase?.name !== 'holding' && question?.stage.name !== 'held')
    turn.refuse(
      'conflict',
      `Nothing is held on ${turn.policy.service}: ${phase ? `it is ${phase.name.replace('_', ' ')}` : 'nothing is under way'}.`,
    );
  turn.cancel('hold', 'repage');
  turn.tell('resumed', actor, `${who(actor)} ended the hold.${because(reason)}`, { reason });
  turn.reply = 'The hold is over.';
  if (phase?.name === 'holding' && typeof phase.during === 'object') {
    if (question) turn.stage({ name: 'decided' }, true);
    resumeRollback(turn, { ...phase.during, by: actor });
  } else if (question) {
    askAgain(turn, `${who(actor)} ended the hold`);
  } else if (phase?.name === 'holding') catchUp(turn, phase.during, actor, reason);
}

/** A person goes on: what was moved down from outside meanwhile is brought back to its step. */
function catchUp(
  turn: Turn,
  during: Extract<Phase, { name: 'holding' }>['during'],
  actor: Actor,
  reason: string,
): void {
  const { rollout } = turn;
  const step = rollout?.plan.steps[rollout.step];
  const isBelow = rollout && step && rollout.exposurePercent < step.exposurePercent && !turn.state.shift;
  if (during === 'advancing' && isBelow && rollout.exposurePercent > 0 && !turn.state.freeze)
    goTo(turn, rollout, rollout.step, actor, reason);
  else if (during === 'advancing' && isBelow && !turn.state.freeze) setOut(turn);
  else goOn(turn, during);
}

/** What is stuck is tried again by a person: the same shift, from what is in force now. */
function tryAgain(
  turn: Turn,
  during: Extract<Rollout['phase'], { name: 'stuck' }>['during'],
  actor: Actor,
  reason: string,
): void {
  const rollout = turn.rollout;
  if (!rollout) return;
  turn.cancel('repage');
  turn.tell('resumed', actor, `${who(actor)} tries again.${because(reason)}`, { reason });
  turn.reply = 'Trying again.';
  if (during === 'watching') {
    // Nothing qualified as a way back. It may by now; else a person has to name it.
    const chosen = byEvidence(turn, rollout.candidate);
    if (!chosen)
      turn.refuse(
        'conflict',
        `${noneQualifies(turn, rollout.candidate)} \`/rollout rollback ${turn.policy.service} --to VERSION\` names one.`,
      );
    takeWayBack(turn, chosen);
    beginRollback(turn, actor, 'phased', reason);
    return;
  }
  if (during !== 'advancing') {
    if (turn.question) turn.stage({ name: 'decided' }, true);
    resumeRollback(turn, { ...during, by: actor });
    return;
  }
  const step = rollout.plan.steps[rollout.step];
  if (turn.state.freeze && step && step.exposurePercent > rollout.exposurePercent)
    turn.refuse(
      'conflict',
      `${turn.policy.service} is frozen by ${who(turn.state.freeze.by)}. Unfreeze it before you raise exposure, or roll back.`,
    );
  // What comes after a shadow step stands at 0 as well; the shadow is behind it.
  if (rollout.exposurePercent === 0 && rollout.step <= 0) {
    setOut(turn);
    return;
  }
  turn.enter({ name: 'advancing', sinceMs: turn.now, stage: 'shifting', soakUntilMs: 0, maxSoakUntilMs: 0 });
  if (step) orderShift(turn, step.exposurePercent);
}
