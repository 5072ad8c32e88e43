import type { Comparison } from '../analysis/types.ts';
import { look } from './looking.ts';
import type { Policy } from './policy.ts';
import { ask, getStuck, holdAndPage } from './question.ts';
import { beginRollback } from './rollback.ts';
import type { HeldReason, ServiceState } from './state.ts';
import { Turn } from './turn.ts';
import { byEvidence, noneQualifies, takeWayBack } from './way-back.ts';
import { duration, list } from './words.ts';

/** What happens when nobody answers. */

/** The clock has run out: measure anew, then decide. */
export function onDeadline(turn: Turn): void {
  const question = turn.question;
  if (question?.stage.name !== 'asking') return;
  turn.stage({ ...question.stage, measuring: true });
  look(turn);
}

/** The measurement made at the deadline is in. */
export function decideAtDeadline(turn: Turn, comparison: Comparison): void {
  const rollout = turn.rollout;
  const { respond, service } = turn.policy;
  const measured = `Measured at the deadline: ${finding(comparison)}.`;
  const held = inTheWay(turn, comparison);
  if (turn.quiet && !held) {
    turn.tell(
      'would-have',
      turn.automation,
      `Nobody answered. Would have done the default action (${respond.defaultAction}), but ${turn.quiet}. ${measured}`,
    );
    turn.stage({ name: 'held', why: 'observe' }, true);
    turn.cancel('escalate');
    return;
  }
  if (held) {
    holdAndPage(turn, held.why, `Nobody answered. ${held.text} ${measured}`);
    return;
  }
  if (respond.defaultAction !== 'rollback' || !rollout) {
    const what =
      respond.defaultAction === 'hold'
        ? 'Exposure is held, as the policy says'
        : 'A person is paged, as the policy says';
    holdAndPage(turn, 'policy', `Nobody answered. ${what}; nothing moves until somebody decides. ${measured}`);
    return;
  }
  turn.tell('deadline-reached', turn.automation, `Nobody answered in time on ${service}. ${measured}`);
  if (rollout.exposurePercent >= 100) {
    const chosen = byEvidence(turn, rollout.candidate);
    if (!chosen) {
      getStuck(turn, noneQualifies(turn, rollout.candidate), 'watching');
      return;
    }
    takeWayBack(turn, chosen);
  }
  beginRollback(
    turn,
    turn.automation,
    comparison.critical ? 'at-once' : 'phased',
    comparison.critical ? 'past the critical limit at the deadline' : 'nobody answered by the deadline',
  );
}

/**
 * What the deadline would come to if it were now, for who reads the card: why automation would hold and page instead of rolling
 * back; null: nothing known stands in the way.
 */
export function wouldHold(state: ServiceState, policy: Policy): HeldReason | null {
  const turn = new Turn(state, state.clockMs, policy);
  const comparison = turn.question?.comparison;
  return comparison ? (inTheWay(turn, comparison)?.why ?? null) : null;
}

/** The rows of "at the deadline" in which automation must not move anything. */
function inTheWay(turn: Turn, comparison: Comparison): { why: HeldReason; text: string } | null {
  const { rollout, policy } = turn;
  if (!rollout) return { why: 'no-rollout', text: 'No rollout is under way: a person has to look.' };
  if (turn.state.freeze) return { why: 'frozen', text: `${policy.service} is frozen, so exposure is held.` };
  if (comparison.commonCause)
    return {
      why: 'common-cause',
      text: `${rollout.stable.id} is as bad as ${rollout.candidate.id}: the rollout is not the cause and a rollback will not help. Exposure is held.`,
    };
  switch (comparison.verdict) {
    case 'no-data':
      if (policy.respond.whenUnknown === 'rollback') return null;
      return {
        why: 'no-data',
        text: `There is no data to decide on${comparison.missing ? ` (${comparison.missing})` : ''}: exposure is held.`,
      };
    case 'healthy':
      return {
        why: 'healthy',
        text: `The numbers look healthy${turn.firing.length > 0 ? ` although ${list(turn.firing.map((a) => a.name))} fires` : ''}: exposure is held.`,
      };
    case 'inconclusive':
      return turn.firing.length > 0
        ? null
        : { why: 'inconclusive', text: 'The numbers are inconclusive and no alert fires: exposure is held.' };
    case 'degraded':
      return null;
  }
}

function finding(comparison: Comparison): string {
  const sentences = comparison.metrics
    .filter((m) => m.verdict === comparison.verdict)
    .map((m) => m.sentence.replace(/\.$/, ''));
  const verdict = comparison.verdict === 'no-data' ? 'no data' : comparison.verdict;
  return sentences.length > 0 ? `${verdict}. ${sentences.slice(0, 2).join('. ')}` : verdict;
}

/** Held for want of evidence, and now there is some: people are asked again, with the whole time. */
export function askAgainOnEvidence(turn: Turn, comparison: Comparison): void {
  const question = turn.question;
  if (question?.stage.name !== 'held' || turn.quiet || turn.state.freeze || turn.rollout?.phase.name !== 'deciding')
    return;
  const { why } = question.stage;
  const wanted = why === 'no-data' || why === 'healthy' || why === 'inconclusive' || why === 'common-cause';
  if (!wanted || comparison.verdict !== 'degraded' || comparison.commonCause) return;
  turn.setQuestion({ epoch: question.epoch + 1 });
  ask(turn);
  turn.tell(
    'question-resumed',
    turn.automation,
    `Now it is measured as degraded, so the question is put again: ${duration(deadlineIn(turn))} to answer.`,
  );
}

function deadlineIn(turn: Turn): number {
  const stage = turn.question?.stage;
  return stage?.name === 'asking' ? stage.deadlineMs - turn.now : 0;
}
