import type { Phase, Rollback, Rollout } from '../../domain/state.ts';
import { duration, percent } from '../../domain/words.ts';
import { gateWords, shareAlone, stepName } from './gate.ts';
import { code, moment } from './text.ts';

/** How the way forward and back reads: by steps, or in one. */

/** Steps that get a line of their own. */
const LINES = 12;

type Advancing = Extract<Phase, { name: 'advancing' }>;

/** All traffic moves at once: blue/green, or a target that cannot split. */
export function isOneStep({ plan }: Rollout): boolean {
  return plan.strategy.kind !== 'canary';
}

/** "step 2 of 3 (50 %)"; in one step what is left of it. */
export function stepWords(rollout: Rollout): string {
  if (isOneStep(rollout)) {
    return rollout.exposurePercent > 0 ? 'all traffic was switched in one step' : 'before the switch';
  }
  const { steps } = rollout.plan;
  const number = Math.min(Math.max(rollout.step, 0) + 1, steps.length);
  const target = steps[Math.max(rollout.step, 0)];
  return `step ${number} of ${steps.length}${target ? ` (${shareAlone(target)})` : ''}`;
}

/** What is moving forward now. Markdown, escaped. */
export function movingWords(rollout: Rollout): string {
  return isOneStep(rollout)
    ? `all traffic switches to ${code(rollout.candidate.id)} in one step`
    : `moving to ${stepWords(rollout)}`;
}

/** "Warming up `v43`: ready for 40 s of 1 min, until 12:13:20, at the latest 12:14:00". Markdown, escaped. */
export function warmingWords(rollout: Rollout, phase: Advancing, nowMs: number): string {
  const neededMs = rollout.plan.strategy.warmUp?.soakMs ?? 0;
  const latest = `at the latest ${moment(phase.maxSoakUntilMs, 'seconds')}`;
  if (phase.soakUntilMs === 0)
    return `*Warming up ${code(rollout.candidate.id)}*: not ready yet, it has to be for ${duration(neededMs)} on end; ${latest}`;
  const readyMs = Math.min(neededMs, Math.max(0, nowMs - (phase.soakUntilMs - neededMs)));
  return `*Warming up ${code(rollout.candidate.id)}*: ready for ${duration(readyMs)} of ${duration(neededMs)}, done ${moment(phase.soakUntilMs, 'seconds')}, ${latest}`;
}

/** Where a rollback by phases is; in one step there are none to count. Markdown, escaped. */
export function rollbackWords(rollback: Rollback, rollout: Rollout): string {
  const target = rollback.phases[rollback.phase];
  const isMoving = rollback.stage === 'shifting';
  if (rollout.highestPercent === 0) return `ending: it never got traffic, ${code(rollout.stable.id)} serves everything`;
  if (rollback.phases.length === 1 && isMoving)
    return `rolling back: all traffic switches to ${code(rollout.stable.id)} in one step`;
  const number = `phase ${rollback.phase + 1} of ${rollback.phases.length}`;
  if (!target) return number;
  return isMoving
    ? `rolling back, ${number}: moving to ${percent(target.exposurePercent)}`
    : `rolling back, ${number} (${percent(target.exposurePercent)}), next phase ${moment(rollback.soakUntilMs, 'seconds')}, at the latest ${moment(rollback.maxSoakUntilMs, 'seconds')}`;
}

/** While the old arm still runs after 100 %, the way back to it takes no time; empty where that is not known. Markdown, escaped. */
export function keptWords(rollout: Rollout, nowMs: number): string {
  const { keepMs } = rollout.plan.strategy;
  const reached = rollout.shifts.findLast((s) => s.exposurePercent >= 100);
  if (keepMs === 0 || !reached || rollout.exposurePercent < 100) return '';
  const untilMs = reached.atMs + keepMs;
  const arm = `old arm ${code(rollout.stable.id)}`;
  return nowMs < untilMs
    ? `${arm} is kept until ${moment(untilMs)}: the way back to it is instant`
    : `${arm} was kept until ${moment(untilMs)}: it may have to be started again before it can take traffic`;
}

/** Each step with ✅, 🔄 (⏪ on the way back) or ⬜; a warm-up stands before them. With gates by name each has a line of its own. */
export function progressMarks(rollout: Rollout, most: number): string {
  const { steps, strategy } = rollout.plan;
  const { phase } = rollout;
  const done = phase.name === 'succeeded' || phase.name === 'watching';
  const ended = phase.name === 'rolled_back' || phase.name === 'cancelled';
  const warming = phase.name === 'advancing' && phase.stage === 'warming';
  const now = isGoingBack(phase) ? '⏪' : '🔄';
  const reached = Math.max(0, ...rollout.shifts.map((s) => s.exposurePercent));
  const shown = steps.some((step) => step.gate) ? Math.min(most, LINES) : most;
  const marks = steps.slice(0, shown).map((step, index) => {
    const present = index === Math.max(rollout.step, 0) && !ended && !warming;
    // After the end every step that was reached counts, also the one it came back from.
    // A shadow's 0 % was passed where anything more was reached.
    const was = index < rollout.step || (ended && reached > 0 && reached >= step.exposurePercent);
    const mark = done || was ? '✅' : present ? now : '⬜';
    return `${mark} ${isOneStep(rollout) ? `All traffic in one step${step.gate ? ` · ${gateWords(step.gate)}` : ''}` : stepName(step)}`;
  });
  const warm = warming ? '🔄' : hasLeftZero(rollout) || done ? '✅' : '⬜';
  const before = strategy.warmUp ? [`${warm} Warm-up`] : [];
  const more = steps.length > shown ? [`…and ${steps.length - shown} more steps`] : [];
  return [...before, ...marks, ...more].join(steps.some((step) => step.gate) ? '\n' : '  ›  ');
}

function isGoingBack(phase: Phase): boolean {
  return 'rollback' in phase || ('during' in phase && typeof phase.during === 'object');
}

function hasLeftZero({ exposurePercent, shifts, phase }: Rollout): boolean {
  const isShifting = phase.name === 'advancing' && phase.stage === 'shifting';
  // A shadow comes after the warm-up, and stays at 0.
  return isShifting || exposurePercent > 0 || shifts.length > 0;
}
