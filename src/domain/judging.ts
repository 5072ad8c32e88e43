import type { Comparison } from '../analysis/types.ts';
import { lookAgain } from './looking.ts';
import { pause, stopsHere } from './pausing.ts';
import { getStuck } from './question.ts';
import { beginPhase, endWithoutTraffic, finishRollback, goDown, gotNoTraffic } from './rollback.ts';
import type { Rollback, Rollout } from './state.ts';
import type { Turn } from './turn.ts';
import { duration, list, percent } from './words.ts';

/** A rollback's phases are judged by what they protect: stable under the returning load (rule 9). */

/** A look while a phase soaks: rule 9. */
export function judgePhase(turn: Turn, comparison: Comparison, rollback: Rollback): void {
  if (rollback.stage !== 'soaking') return;
  if (comparison.critical && rollback.phase < rollback.phases.length - 1) {
    if (stopsHere(turn, rollback)) return;
    const last = rollback.phases.slice(-1);
    turn.tell('phase-passed', turn.automation, `${critical(comparison)}: to 0 % at once.`);
    beginPhase(turn, { ...rollback, phases: last, phase: 0 });
    return;
  }
  if (comparison.stableVerdict === 'degraded') {
    const stable = turn.rollout?.stable.id ?? 'stable';
    pause(
      turn,
      rollback,
      'stable-worse',
      `${stable} got worse under the returning load, so the rollback is held at ${percent(turn.rollout?.exposurePercent ?? 0)}.`,
    );
    return;
  }
  const fine = turn.now >= rollback.soakUntilMs && comparison.stableVerdict === 'healthy';
  const waited = turn.now >= rollback.maxSoakUntilMs;
  if (!fine && !waited) {
    lookAgain(turn, turn.now < rollback.soakUntilMs ? rollback.soakUntilMs : rollback.maxSoakUntilMs);
    return;
  }
  if (stopsHere(turn, rollback)) return;
  const why = fine
    ? 'stable carries the load well'
    : `no clear answer within the longest wait (${comparison.stableVerdict})`;
  turn.tell(
    'phase-passed',
    turn.automation,
    `Phase ${rollback.phase + 1} of ${rollback.phases.length} passed: ${why}.`,
  );
  // Somebody may have moved it further down meanwhile: nothing on the way back raises it again.
  goDown(turn, { ...rollback, phase: rollback.phase + 1 });
}

function critical(comparison: Comparison): string {
  const titles = comparison.metrics.filter((m) => m.critical).map((m) => m.title);
  return `${list(titles)} of the candidate is past its critical limit`;
}

/** A look after 0: is it really well again? */
export function judgeVerification(
  turn: Turn,
  comparison: Comparison,
  rollback: Rollback,
  soakUntilMs: number,
  maxSoakUntilMs: number,
): void {
  const firing = turn.firing;
  const { rollout } = turn;
  if (rollout && gotNoTraffic(rollout)) {
    judgeWithoutTraffic(turn, rollout, rollback, maxSoakUntilMs);
    return;
  }
  const worse = comparison.stableVerdict === 'degraded';
  const well = firing.length === 0 && comparison.stableVerdict === 'healthy' && turn.now >= soakUntilMs;
  const waited = turn.now >= maxSoakUntilMs;
  if (!well && !waited) {
    lookAgain(turn, turn.now < soakUntilMs ? soakUntilMs : maxSoakUntilMs);
    return;
  }
  if (worse || firing.length > 0) {
    const what =
      firing.length > 0
        ? `${list(firing.map((a) => a.name))} still fires`
        : `${turn.rollout?.stable.id} is worse than before`;
    getStuck(
      turn,
      `All traffic is back, but ${what} after ${duration(turn.now - rollback.beganAtMs)}: the rollout is probably not the cause.`,
      rollback,
    );
    return;
  }
  finishRollback(
    turn,
    rollback,
    well ? 'It looks well again.' : 'Nothing fires; there was too little data to confirm it by numbers.',
  );
}

/** It never served, so only what fires is waited for: the copies it got may have been to blame. */
function judgeWithoutTraffic(turn: Turn, rollout: Rollout, rollback: Rollback, maxSoakUntilMs: number): void {
  const { firing } = turn;
  if (firing.length === 0) {
    endWithoutTraffic(turn, rollback);
    return;
  }
  if (turn.now < maxSoakUntilMs) {
    lookAgain(turn, maxSoakUntilMs);
    return;
  }
  getStuck(
    turn,
    `${rollout.candidate.id} never got traffic, and ${list(firing.map((a) => a.name))} still fires ${duration(turn.now - rollback.beganAtMs)} after it was ended: the rollout is probably not the cause.`,
    rollback,
  );
}
