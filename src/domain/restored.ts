import { interrupted } from './holding.ts';
import { lookAgain } from './looking.ts';
import { holdAndPage } from './question.ts';
import { Ignored, type Turn } from './turn.ts';
import { utcTime } from './words.ts';

/**
 * The state was put back from a backup, so it is older than the world: nothing that was under way goes on by itself, and where
 * traffic is now is taken as it is found (rule 1: what automation once decided is no reason to move it again).
 */
export function onRestored(turn: Turn, asOfMs: number): void {
  const { rollout, question, state } = turn;
  const isMoving = state.shift !== null || state.timers.reassert !== undefined;
  if (!rollout && !question && !isMoving) throw new Ignored('nothing was under way when the backup was made');
  turn.set({ shift: null });
  turn.cancel('grace', 'deadline', 'escalate', 'stability', 'repage', 'hold', 'watch', 'look', 'probe', 'reassert');
  const text =
    `The database was put back from a backup: what happened since ${utcTime(asOfMs)} is not known here. ` +
    'Nothing goes on by itself. Look at what is in force, then resume it or roll it back.';
  if (rollout) {
    // A verification stands still as well, unlike where a person holds.
    const { phase } = rollout;
    const during = phase.name === 'verifying' ? phase.rollback : interrupted(phase);
    if (during !== null)
      turn.enter({ name: 'holding', sinceMs: turn.now, untilMs: null, by: turn.automation, reason: text, during });
    // More than was ordered then may be what somebody ordered since: it is told, and not taken back.
    turn.setRollout({ driftCorrected: true });
  }
  if (question) holdAndPage(turn, 'restored', text);
  else turn.tell('held', turn.automation, text);
  lookAgain(turn);
}
