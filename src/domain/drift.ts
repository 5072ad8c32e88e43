import type { DomainEvent, Observed } from './event.ts';
import { servesAlone, shareOf } from './in-force.ts';
import { lookAgain } from './looking.ts';
import { serves, serving } from './served.ts';
import { noteShare, orderShift } from './shifting.ts';
import { inTheWayOfMoving } from './standing.ts';
import type { Rollout, ServiceState } from './state.ts';
import { Ignored, isEnded, type Turn } from './turn.ts';
import { percent, sentence } from './words.ts';

/** What the target shows between our shifts: moved by hand, lost by a reload, or what served before Lastgood came. */

/** Off by more than this, in percentage points, is somebody's doing and no rounding. */
const ROUNDING_POINTS = 1;

/**
 * Whether an observation says anything new: most do not, and are no event. One that was asked for before our last change shows what
 * was before it; and while a lost call may still land, what it does is put right by asserting again.
 */
export function isNews(state: ServiceState, observed: Observed, askedAtMs: number): boolean {
  if (state.shift || state.timers.reassert) return false;
  const { rollout } = state;
  if (!rollout || isEnded(rollout.phase)) {
    const alone = servesAlone(observed);
    const sinceMs = state.served[state.served.length - 1]?.sinceMs ?? 0;
    return alone !== null && alone !== serving(state.served)?.id && askedAtMs > sinceMs;
  }
  const lastMs = rollout.shifts[rollout.shifts.length - 1]?.atMs ?? rollout.startedAtMs;
  if (askedAtMs <= lastMs) return false;
  const share = shareOf(observed, versions(rollout), rollout.candidate.id);
  if (share === null) return false;
  const known = rollout.driftPercent ?? rollout.exposurePercent;
  return Math.abs(share - known) > ROUNDING_POINTS;
}

export function onSeen(turn: Turn, { observed, askedAtMs }: Extract<DomainEvent, { type: 'seen' }>): void {
  if (!isNews(turn.state, observed, askedAtMs)) throw new Ignored('the target shows what is known');
  const rollout = turn.rollout;
  if (!rollout) {
    newlyServing(turn, observed);
    return;
  }
  const share = shareOf(observed, versions(rollout), rollout.candidate.id) ?? rollout.exposurePercent;
  if (Math.abs(share - rollout.exposurePercent) <= ROUNDING_POINTS) {
    turn.setRollout({ driftPercent: undefined });
    turn.tell(
      'drift-noticed',
      turn.automation,
      `The traffic is as ordered again: ${rollout.candidate.id} gets ${percent(rollout.exposurePercent)}.`,
    );
    return;
  }
  noteShare(turn, share);
  // Once it is put right; who moves it up again means it, and is not fought.
  if (share > rollout.exposurePercent && !rollout.driftCorrected) above(turn, rollout, share, observed);
  else accept(turn, rollout, share, observed);
}

/** Without a rollout the target is the truth: what serves from now on, by whoever's hand. */
function newlyServing(turn: Turn, observed: Observed): void {
  const id = servesAlone(observed);
  if (id === null) return;
  const before = serving(turn.state.served);
  turn.set({ served: serves(turn.state.served, { id }, turn.now) });
  const instead = before ? ` instead of ${before.id}; Lastgood did not move it` : '';
  turn.note('drift-noticed', turn.automation, `${id} serves all traffic of ${turn.policy.service}${instead}.`);
}

/** More than was ordered: brought down, unless automation must not act. */
function above(turn: Turn, rollout: Rollout, share: number, observed: Observed): void {
  const why = inTheWayOfMoving(turn);
  const then = why
    ? `Would have taken it back to ${percent(rollout.exposurePercent)}, but ${why}.`
    : `It is taken back to ${percent(rollout.exposurePercent)}.`;
  turn.setRollout({ driftPercent: share, driftCorrected: why === null });
  turn.tell('drift-noticed', turn.automation, `${moved(rollout, share, observed)} ${then}`, { from: turn.position });
  if (why === null) orderShift(turn, rollout.exposurePercent);
}

/** That is the truth now. Less than was ordered is raised again only by a person (rule 1). */
function accept(turn: Turn, rollout: Rollout, share: number, observed: Observed): void {
  const from = turn.position;
  turn.setRollout({
    exposurePercent: share,
    shifts: [...rollout.shifts, { atMs: turn.now, exposurePercent: share }],
  });
  const { phase } = rollout;
  const stops = phase.name === 'advancing' || phase.name === 'watching';
  const then = stops ? ' The rollout is held: resume it, or roll it back.' : '';
  turn.tell('drift-noticed', turn.automation, `${moved(rollout, share, observed)}${then}`, { from, to: turn.position });
  if (!stops) return;
  turn.cancel('watch', 'look');
  const reason = `its traffic was moved to ${percent(share)} from outside`;
  turn.enter({ name: 'holding', sinceMs: turn.now, untilMs: null, by: turn.automation, reason, during: 'advancing' });
  lookAgain(turn);
}

function moved({ candidate, exposurePercent }: Rollout, share: number, { notice }: Observed): string {
  const why = notice ? sentence(notice) : 'it was moved by hand, or the target was reloaded.';
  return `${candidate.id} gets ${percent(share)} of the traffic instead of ${percent(exposurePercent)}: ${why}`;
}

function versions({ stable, candidate }: Rollout): { stable: string; candidate: string } {
  return { stable: stable.id, candidate: candidate.id };
}
