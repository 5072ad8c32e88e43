import { lookAgain } from './looking.ts';
import { holdAndPage, open } from './question.ts';
import { liftSilence } from './silencing.ts';
import type { HeldReason, Rollback } from './state.ts';
import type { Turn } from './turn.ts';
import { percent } from './words.ts';

/** Automation stops the way back where it is; a person has to say how it goes on. */
export function pause(
  turn: Turn,
  rollback: Rollback,
  why: Extract<HeldReason, 'stable-worse' | 'frozen' | 'observe'>,
  text: string,
): void {
  turn.cancel('look');
  liftSilence(turn);
  turn.enter({
    name: 'holding',
    sinceMs: turn.now,
    untilMs: null,
    by: turn.automation,
    reason: text,
    during: rollback,
  });
  if (!turn.question) open(turn, { kind: 'stuck', reason: text, atMs: turn.now }, 'critical');
  holdAndPage(turn, why, text);
  lookAgain(turn);
}

/**
 * A way back that nobody but automation decided goes no further where automation must not move anything any more: it is paused
 * (rule 6: the shift in flight is finished, then it holds and pages). False: it may go on.
 */
export function stopsHere(turn: Turn, rollback: Rollback): boolean {
  if (rollback.by.kind !== 'policy') return false;
  if (turn.state.freeze) {
    const at = percent(turn.rollout?.exposurePercent ?? 0);
    pause(turn, rollback, 'frozen', `${turn.policy.service} was frozen: the rollback is held at ${at}.`);
    return true;
  }
  if (!turn.quiet) return false;
  pause(turn, rollback, 'observe', `Would have gone on with the rollback, but ${turn.quiet}.`);
  return true;
}
