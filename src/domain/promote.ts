import { goTo, nextStep } from './advance.ts';
import type { Command } from './event.ts';
import { endQuestion } from './question.ts';
import { finishRollback } from './rollback.ts';
import type { Actor, Rollout } from './state.ts';
import type { Turn } from './turn.ts';
import { because, list, percent, who } from './words.ts';

/** "Promote" is the person's word for going on: the next step, or all steps. */

export function promote(turn: Turn, command: Extract<Command, { name: 'promote' }>, actor: Actor): void {
  const rollout =
    turn.rollout ??
    turn.refuse('conflict', `No rollout of ${turn.policy.service} is under way: there is nothing to promote.`);
  const { phase } = rollout;
  const open = phase.name === 'advancing' || phase.name === 'holding' || phase.name === 'deciding';
  if (!open) turn.refuse('conflict', `${rollout.id} is ${phase.name.replace('_', ' ')}: it cannot be promoted now.`);
  if (turn.state.freeze)
    turn.refuse(
      'conflict',
      `${turn.policy.service} is frozen by ${who(turn.state.freeze.by)}.${because(turn.state.freeze.reason)} Unfreeze it before you raise exposure.`,
    );
  if (turn.state.shift)
    turn.refuse(
      'conflict',
      `A shift to ${percent(turn.state.shift.split.exposurePercent)} is in flight. Wait until it is read back, then promote.`,
    );
  const last = rollout.plan.steps.length - 1;
  const index = command.scope === 'all' ? last : nextStep(rollout);
  if (rollout.exposurePercent >= 100 || index > last)
    turn.refuse('conflict', `${rollout.candidate.id} already gets all traffic.`);
  if (command.scope === 'all' && !hasQuorum(turn, rollout, actor)) return;
  const degraded = rollout.comparison?.metrics.filter((m) => m.verdict === 'degraded') ?? [];
  turn.setRollout({ overridden: degraded.map((m) => m.metric) });
  const to = rollout.plan.steps[index]?.exposurePercent ?? 100;
  const over = degraded.length > 0 ? ` Overridden: ${list(degraded.map((m) => m.title))}.` : '';
  turn.tell(
    'promoted',
    actor,
    `${who(actor)} promoted ${rollout.candidate.id} to ${percent(to)}.${over}${because(command.reason)}`,
    {
      from: turn.position,
      to: { version: rollout.candidate.id, exposurePercent: to },
      reason: command.reason,
    },
  );
  if (turn.question) {
    turn.setQuestion({
      decision: { by: actor, action: `Promoted to ${percent(to)}`, reason: command.reason, atMs: turn.now },
    });
    endQuestion(turn, 'promoted', `${who(actor)} promoted`);
  }
  goTo(turn, turn.rollout ?? rollout, index, actor, command.reason);
  turn.reply = `${rollout.candidate.id} goes to ${percent(to)}.${over}`;
}

/** "Promote all" takes several approvers; until then the vote is kept, and nothing waits for it. */
function hasQuorum(turn: Turn, rollout: Rollout, actor: Actor): boolean {
  const { quorum } = turn.policy.approvers;
  if (rollout.votes.some((v) => v.by.id === actor.id) && quorum > 1)
    turn.refuse(
      'conflict',
      `You already voted to promote ${rollout.candidate.id} to 100 %. It takes ${quorum} different approvers.`,
    );
  const votes = [...rollout.votes, { by: actor, atMs: turn.now }];
  if (votes.length >= quorum) return true;
  turn.setRollout({ votes });
  turn.tell(
    'voted',
    actor,
    `${who(actor)} votes to promote ${rollout.candidate.id} to 100 %: ${votes.length} of ${quorum} approvers.`,
  );
  turn.reply = `Your vote counts: ${votes.length} of ${quorum}. Nothing moves until the others agree.`;
  return false;
}

export function cancelRollout(turn: Turn, reason: string, actor: Actor): void {
  const rollout = turn.rollout;
  if (!rollout) {
    if (!turn.question)
      turn.refuse('conflict', `Nothing is under way on ${turn.policy.service}: there is nothing to cancel.`);
    turn.setQuestion({ decision: { by: actor, action: 'Dismissed', reason, atMs: turn.now } });
    endQuestion(turn, 'dismissed', `${who(actor)} dismissed it.${because(reason)}`);
    turn.reply = 'The question is closed.';
    return;
  }
  if (turn.state.shift)
    turn.refuse(
      'conflict',
      `A shift to ${percent(turn.state.shift.split.exposurePercent)} is in flight. Wait until it is read back.`,
    );
  if (rollout.exposurePercent > 0)
    turn.refuse(
      'conflict',
      `${rollout.candidate.id} gets ${percent(rollout.exposurePercent)} of the traffic: cancelling would leave it there. Use \`/rollout rollback ${turn.policy.service}\` instead.`,
    );
  const { phase } = rollout;
  if (phase.name === 'stuck' && typeof phase.during === 'object') {
    // All traffic is back, only the proof that it helped is missing: a person says it is done.
    finishRollback(turn, { ...phase.during, by: actor, reason }, `${who(actor)} closed it.${because(reason)}`);
    turn.reply = `${rollout.id} is closed; ${rollout.stable.id} serves everything.`;
    return;
  }
  turn.cancel('look', 'hold', 'watch', 'reassert');
  turn.tell('rollout-cancelled', actor, `${who(actor)} cancelled ${rollout.id} at 0 %.${because(reason)}`, { reason });
  if (turn.question) {
    turn.setQuestion({ decision: { by: actor, action: 'Cancelled', reason, atMs: turn.now } });
    endQuestion(turn, 'cancelled', `${who(actor)} cancelled the rollout`);
  }
  turn.enter({ name: 'cancelled', atMs: turn.now, reason });
  turn.reply = `${rollout.id} is cancelled; ${rollout.stable.id} serves everything.`;
}
