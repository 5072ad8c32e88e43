import type { Command } from './event.ts';
import type { Actor } from './state.ts';
import type { Turn } from './turn.ts';
import { because, duration, utcTime, who } from './words.ts';

/** Extend, acknowledge, and what people do in PagerDuty: all of it about who is on it and how long there is. */

export function extend(turn: Turn, command: Extract<Command, { name: 'extend' }>, actor: Actor): void {
  const stage = turn.question?.stage;
  if (stage?.name !== 'asking')
    turn.refuse(
      'conflict',
      stage?.name === 'recovering'
        ? 'The clock stands still while it looks well: there is no deadline to extend.'
        : `No deadline is running on ${turn.policy.service}: there is nothing to extend.`,
    );
  if (!(command.byMs > 0)) turn.refuse('invalid', 'Say by how long, for instance 10m, 30m or 60m.');
  const left = remainingExtension(turn);
  if (command.byMs > left)
    turn.refuse(
      'conflict',
      left > 0
        ? `At most ${duration(left)} more can be added (the policy allows ${duration(turn.policy.respond.extendCapMs)} in all). Use Hold if you need longer.`
        : `All ${duration(turn.policy.respond.extendCapMs)} the policy allows have been added. Use Hold if you need longer.`,
    );
  const deadlineMs = lengthen(turn, command.byMs);
  turn.tell(
    'extended',
    actor,
    `${who(actor)} extended the deadline by ${duration(command.byMs)} to ${utcTime(deadlineMs)}.${because(command.reason)}`,
    { reason: command.reason },
  );
  turn.reply = `The deadline is now ${utcTime(deadlineMs)}.`;
}

export function acknowledge(turn: Turn, reason: string, actor: Actor): void {
  const question =
    turn.question ??
    turn.refuse('conflict', `No question is open on ${turn.policy.service}: there is nothing to acknowledge.`);
  if (question.acknowledged)
    turn.refuse(
      'stale',
      `${who(question.acknowledged.by)} is already on it, since ${utcTime(question.acknowledged.atMs)}.`,
    );
  turn.setQuestion({ acknowledged: { by: actor, atMs: turn.now, reason } });
  turn.cancel('repage');
  const byMs =
    question.stage.name === 'asking' ? Math.min(turn.policy.respond.acknowledgeMs, remainingExtension(turn)) : 0;
  const more = byMs > 0 ? ` The deadline moves once, to ${utcTime(lengthen(turn, byMs))}.` : '';
  if (question.page.state === 'triggered')
    turn.effects.push({
      kind: 'page',
      action: 'acknowledge',
      degradationId: question.id,
      summary: `${who(actor)} is on it`,
    });
  turn.tell('acknowledged', actor, `${who(actor)} is on it.${more}${because(reason)}`, { reason });
  turn.reply = `You are on it.${more}`;
}

/** One total cap for extensions and the acknowledgement. */
function remainingExtension(turn: Turn): number {
  return Math.max(0, turn.policy.respond.extendCapMs - (turn.question?.extendedMs ?? 0));
}

function lengthen(turn: Turn, byMs: number): number {
  const question = turn.question;
  if (question?.stage.name !== 'asking') return turn.now;
  const deadlineMs = question.stage.deadlineMs + byMs;
  turn.setQuestion({ extendedMs: question.extendedMs + byMs });
  turn.stage({ ...question.stage, deadlineMs, measuring: false });
  turn.timer('deadline', deadlineMs);
  return deadlineMs;
}

export function freeze(turn: Turn, reason: string, actor: Actor): void {
  const { state, policy } = turn;
  if (state.freeze)
    turn.refuse(
      'stale',
      `${policy.service} is already frozen by ${who(state.freeze.by)}, since ${utcTime(state.freeze.atMs)}.`,
    );
  turn.set({ freeze: { by: actor, atMs: turn.now, reason } });
  turn.tell(
    'frozen',
    actor,
    `${who(actor)} froze ${policy.service}: nothing is moved automatically, nothing can be started or promoted.${because(reason)}`,
    { reason },
  );
  turn.reply = `${policy.service} is frozen. A shift in flight is finished; then it holds. Rolling back by hand still works.`;
}

export function unfreeze(turn: Turn, reason: string, actor: Actor): void {
  const { state, policy } = turn;
  if (!state.freeze) turn.refuse('stale', `${policy.service} is not frozen.`);
  turn.set({ freeze: null });
  turn.tell('unfrozen', actor, `${who(actor)} lifted the freeze of ${policy.service}.${because(reason)}`, { reason });
  const held =
    turn.rollout?.phase.name === 'holding' ? ' Its rollout is still held: resume it when you are ready.' : '';
  turn.reply = `${policy.service} is no longer frozen.${held}`;
}

export function automation(turn: Turn, on: boolean, reason: string, actor: Actor): void {
  const { state, policy } = turn;
  if (on === (state.automationOff === null))
    turn.refuse(
      'stale',
      `Automation of ${policy.service} is already ${on ? 'on' : `off, by ${state.automationOff ? who(state.automationOff.by) : 'nobody'}`}.`,
    );
  turn.set({ automationOff: on ? null : { by: actor, atMs: turn.now, reason } });
  turn.tell(
    on ? 'automation-on' : 'automation-off',
    actor,
    `${who(actor)} switched the automation of ${policy.service} ${on ? 'on' : 'off: it neither shifts nor pages, it only says what it would have done'}.${because(reason)}`,
    { reason },
  );
  turn.reply = `Automation of ${policy.service} is ${on ? 'on again' : 'off. Buttons and commands still work'}.`;
}
