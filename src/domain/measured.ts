import type { Comparison, Verdict } from '../analysis/types.ts';
import { gate } from './advance.ts';
import { askAgainOnEvidence, decideAtDeadline } from './deadline.ts';
import { judgePhase, judgeVerification } from './judging.ts';
import { lookAgain } from './looking.ts';
import { openQuestion } from './question.ts';
import { followHealth } from './recovery.ts';
import { lookedAt } from './served.ts';
import { postponeLateDecision } from './timing.ts';
import { Ignored, type Turn } from './turn.ts';

/**
 * A look has come back: kept for the cards, then judged by whoever has the floor. `alike`: so many looks before it came to the same as
 * the one that is kept, and were not told (see quiet.ts).
 */
export function onMeasured(turn: Turn, lookId: number, comparison: Comparison, alike = 0): void {
  const { look } = turn.state;
  if (look?.id !== lookId) throw new Ignored(`look ${lookId} was replaced by a newer one`);
  turn.set({ look: null });
  turn.cancel('look');
  const kept = turn.rollout?.comparison;
  if (kept && alike > 0) turn.set({ served: lookedAt(turn.state.served, verdictOnServing(turn, kept), alike) });
  if (turn.rollout) turn.setRollout({ comparison });
  turn.set({ served: lookedAt(turn.state.served, verdictOnServing(turn, comparison)) });
  keepForQuestion(turn, comparison);
  const stage = turn.question?.stage;
  if (stage?.name === 'asking' && stage.measuring) {
    if (!postponeLateDecision(turn, look.askedAtMs)) decideAtDeadline(turn, comparison);
  } else judge(turn, comparison);
  if (!turn.state.timers.look && !turn.state.look && (turn.question || isLookedAt(turn))) lookAgain(turn);
}

/** How what serves looks: below 100 % that is stable. */
function verdictOnServing(turn: Turn, comparison: Comparison): Verdict {
  const exposurePercent = turn.rollout?.exposurePercent ?? 100;
  return exposurePercent >= 100 ? comparison.verdict : comparison.stableVerdict;
}

function keepForQuestion(turn: Turn, comparison: Comparison): void {
  const question = turn.question;
  // Once a way back is decided on, its looks judge stable; the card keeps the numbers that led to the decision.
  if (!question || (question.stage.name === 'decided' && question.comparison !== null)) return;
  // The report's "during": the first numbers there were, not the emptiness before the first look.
  const milestones = question.milestones.map((m) =>
    m.what === 'opened' && m.comparison === null ? { ...m, comparison } : m,
  );
  turn.setQuestion({ comparison, milestones });
}

function judge(turn: Turn, comparison: Comparison): void {
  const phase = turn.rollout?.phase;
  switch (phase?.name) {
    case 'advancing':
      gate(turn, comparison);
      return;
    case 'watching':
      if (comparison.verdict === 'degraded')
        openQuestion(turn, { kind: 'gate-failed', culprits: comparison.culprits, atMs: turn.now }, 'warning');
      return;
    case 'rolling_back':
      judgePhase(turn, comparison, phase.rollback);
      return;
    case 'verifying':
      judgeVerification(turn, comparison, phase.rollback, phase.soakUntilMs, phase.maxSoakUntilMs);
      return;
    default:
      followHealth(turn);
      askAgainOnEvidence(turn, comparison);
  }
}

function isLookedAt(turn: Turn): boolean {
  const phase = turn.rollout?.phase;
  if (phase?.name === 'rolling_back') return phase.rollback.stage === 'soaking';
  if (phase?.name === 'advancing') return phase.stage === 'soaking';
  return phase !== undefined;
}
