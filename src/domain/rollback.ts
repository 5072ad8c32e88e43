import { lookAgain } from './looking.ts';
import { stopsHere } from './pausing.ts';
import type { Step } from './policy.ts';
import { endQuestion, getStuck } from './question.ts';
import { compatible, serves, taint } from './served.ts';
import { orderShift } from './shifting.ts';
import { silence } from './silencing.ts';
import type { Actor, Rollback, Rollout } from './state.ts';
import type { Turn } from './turn.ts';
import { because, duration, percent, who } from './words.ts';

/** The way back: by phases or at once, each phase judged by what it protects (rule 9), then verified. */

export type Pace = 'phased' | 'at-once';

export function beginRollback(turn: Turn, by: Actor, pace: Pace, reason: string): void {
  const rollout = turn.rollout;
  if (!rollout) return;
  if (!gotNoTraffic(rollout) && !compatible(rollout.stable, rollout.candidate)) {
    getStuck(
      turn,
      `${rollout.stable.id} has another signature than ${rollout.candidate.id}: it cannot take the traffic back.`,
      rollout.exposurePercent >= 100 ? 'watching' : 'advancing',
    );
    return;
  }
  // A shift forward that is still in flight may land: the way back starts from the higher of the two.
  const fromPercent = Math.max(rollout.exposurePercent, turn.state.shift?.split.exposurePercent ?? 0);
  const rollback: Rollback = {
    by,
    reason,
    beganAtMs: turn.now,
    fromPercent,
    phases: phasesBelow(rollout, fromPercent, pace),
    phase: 0,
    stage: 'shifting',
    soakUntilMs: 0,
    maxSoakUntilMs: 0,
  };
  turn.cancel('deadline', 'escalate', 'stability', 'grace', 'hold', 'watch', 'repage', 'look');
  const plan = [fromPercent, ...rollback.phases.map((p) => p.exposurePercent)].map(percent).join(' → ');
  const action = pace === 'at-once' ? 'Rolled back at once' : 'Rolled back';
  const question = turn.question;
  if (question) {
    turn.setQuestion({
      decision: { by, action, reason, atMs: turn.now },
      milestones: [
        ...question.milestones,
        { what: 'decided', atMs: turn.now, exposurePercent: rollout.exposurePercent, comparison: question.comparison },
      ],
    });
    turn.stage({ name: 'decided' }, true);
  }
  silence(turn);
  turn.tell(
    'rollback-decided',
    by,
    gotNoTraffic(rollout)
      ? `${who(by)} ends the rollout of ${rollout.candidate.id}, which never got traffic: ${rollout.stable.id} serves everything, and 0 % is asserted once more.${because(reason)}`
      : `${who(by)} takes ${turn.policy.service} back to ${rollout.stable.id}: ${plan}.${because(reason)}`,
    {
      from: turn.position,
      to: { version: rollout.stable.id, exposurePercent: 100 },
      reason,
    },
  );
  beginPhase(turn, rollback);
}

/** Nothing was ever ordered for it above 0, nor seen: there is nothing to take back. */
export function gotNoTraffic({ highestPercent }: Rollout): boolean {
  return highestPercent === 0;
}

function phasesBelow(rollout: Rollout, exposurePercent: number, pace: Pace): readonly Step[] {
  const { phases } = rollout.plan.rollback;
  const last = phases[phases.length - 1] ?? { exposurePercent: 0, soakMs: 0, maxSoakMs: 0 };
  if (pace === 'at-once') return [last];
  const below = phases.filter((p) => p.exposurePercent < exposurePercent);
  return below.length > 0 ? below : [last];
}

export function beginPhase(turn: Turn, rollback: Rollback): void {
  const phase = rollback.phases[rollback.phase];
  if (!phase) throw new Error(`${turn.state.service}: the rollback has no phase ${rollback.phase}`);
  setRollback(turn, { ...rollback, stage: 'shifting' });
  turn.cancel('look');
  turn.note('phase-ordered', rollback.by, `${place(rollback)}${percent(phase.exposurePercent)}.`, {
    from: turn.position,
    to: turn.rollout && { version: turn.rollout.candidate.id, exposurePercent: phase.exposurePercent },
  });
  orderShift(turn, phase.exposurePercent);
}

function place({ phase, phases }: Rollback): string {
  return phases.length === 1 ? 'To ' : `Phase ${phase + 1} of ${phases.length}: to `;
}

function setRollback(turn: Turn, rollback: Rollback): void {
  const phase = turn.rollout?.phase;
  // Phase after phase it is the same decision: "Pause here" means here, wherever it is by now.
  if (phase?.name === 'rolling_back') turn.setRollout({ phase: { ...phase, rollback } });
  else turn.enter({ name: 'rolling_back', sinceMs: turn.now, rollback });
}

export function onShiftedBack(turn: Turn, rollback: Rollback): void {
  const rollout = turn.rollout;
  const phase = rollback.phases[rollback.phase];
  if (!rollout || !phase) return;
  if (rollout.exposurePercent > phase.exposurePercent) {
    // What was in flight when the way back began has landed; now the phase itself.
    if (!stopsHere(turn, rollback)) orderShift(turn, phase.exposurePercent);
    return;
  }
  if (rollout.exposurePercent === 0) {
    // No load has returned anywhere; only what fires could still be its doing, by the copies it got.
    if (gotNoTraffic(rollout) && turn.firing.length === 0) endWithoutTraffic(turn, rollback);
    else verify(turn, rollout, rollback);
    return;
  }
  const soakUntilMs = turn.now + phase.soakMs;
  setRollback(turn, { ...rollback, stage: 'soaking', soakUntilMs, maxSoakUntilMs: turn.now + phase.maxSoakMs });
  lookAgain(turn, soakUntilMs);
}

function verify(turn: Turn, rollout: Rollout, rollback: Rollback): void {
  const { soakMs, maxSoakMs } = rollout.plan.rollback.verify;
  const soakUntilMs = turn.now + soakMs;
  // It may stand there already: moved by hand, or by a call that was given up.
  if (turn.journal.length === 0)
    turn.note(
      'phase-passed',
      turn.automation,
      `All traffic is on ${rollout.stable.id} as it is, read back from the target.`,
    );
  turn.enter({ name: 'verifying', sinceMs: turn.now, soakUntilMs, maxSoakUntilMs: turn.now + maxSoakMs, rollback });
  turn.set({ served: serves(taint(turn.state.served, rollout.candidate.id), rollout.stable, turn.now) });
  lookAgain(turn, soakUntilMs);
}

/** The end of what never served: nothing came back that would have to be looked at. */
export function endWithoutTraffic(turn: Turn, rollback: Rollback): void {
  const rollout = turn.rollout;
  if (!rollout) return;
  turn.set({ served: serves(taint(turn.state.served, rollout.candidate.id), rollout.stable, turn.now) });
  finishRollback(turn, rollback, 'Nothing had to come back.');
}

export function finishRollback(turn: Turn, rollback: Rollback, finding: string): void {
  const rollout = turn.rollout;
  if (!rollout) return;
  turn.cancel('look', 'hold', 'watch');
  const text = gotNoTraffic(rollout)
    ? `${rollout.candidate.id} never got traffic: ${turn.policy.service} is on ${rollout.stable.id}, as it was.`
    : `${turn.policy.service} is back on ${rollout.stable.id} after ${duration(turn.now - rollback.beganAtMs)}.`;
  turn.tell('rolled-back', rollback.by, `${text} ${finding} Decided by ${who(rollback.by)}.`, {
    from: { version: rollout.candidate.id, exposurePercent: rollback.fromPercent },
    to: { version: rollout.stable.id, exposurePercent: 100 },
    reason: rollback.reason,
  });
  turn.enter({ name: 'rolled_back', atMs: turn.now, reason: rollback.reason });
  if (turn.question) endQuestion(turn, 'rolled-back', text);
  else turn.effects.push({ kind: 'report', card: { kind: 'rollout', id: rollout.id } });
}

/** Goes on where a rollback was paused or got stuck: the phase it was in is asserted again. */
export function resumeRollback(turn: Turn, rollback: Rollback): void {
  silence(turn);
  turn.enter({ name: 'rolling_back', sinceMs: turn.now, rollback });
  goDown(turn, rollback);
}

/** The next phase that is below what is in force: what was already reached need not be waited for again, and nothing is raised. */
export function goDown(turn: Turn, rollback: Rollback): void {
  const exposurePercent = turn.rollout?.exposurePercent ?? 0;
  const next = rollback.phases.findIndex((p, i) => i >= rollback.phase && p.exposurePercent < exposurePercent);
  beginPhase(turn, { ...rollback, phase: next === -1 ? rollback.phases.length - 1 : next });
}
