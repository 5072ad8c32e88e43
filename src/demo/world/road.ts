import type { Degradation, Phase, Rollback, Rollout, ServiceState } from '../../domain/state.ts';
import { isEnded } from '../../domain/turn.ts';
import { openQuestion } from './now.ts';
import type { Milestone, Moment } from './types.ts';

/** Where the story is. Pure. */
export function momentOf(state: ServiceState | null): Moment {
  if (state === null) return 'starting';
  const { rollout } = state;
  const question = openQuestion(state);
  if (rollout?.phase.name === 'rolling_back') return 'rolling-back';
  if (rollout?.phase.name === 'verifying') return 'verifying';
  if (question) return ofQuestion(question);
  switch (rollout?.phase.name) {
    case 'holding':
    case 'stuck':
      return 'held';
    case 'advancing':
    case 'watching':
    case 'deciding':
      return 'rolling-out';
    case 'rolled_back':
      return 'rolled-back';
    case 'succeeded':
      return 'succeeded';
    default:
      return 'serving';
  }
}

function ofQuestion({ stage, page }: Degradation): Moment {
  if (stage.name === 'held' || stage.name === 'decided') return 'held';
  return page.state === 'triggered' || page.state === 'acknowledged' ? 'paged' : 'asked';
}

/** The exposures of the plan on the way forward, and of the way back as soon as there is one. Pure. */
export function roadOf(state: ServiceState | null, nowMs: number): readonly Milestone[] {
  const rollout = state?.rollout ?? null;
  if (rollout === null) return [];
  return [...forward(rollout, openQuestion(state), nowMs), ...back(rollout, nowMs)];
}

type Present = Pick<Milestone, 'sinceMs' | 'untilMs' | 'note'>;
const NOTHING_RUNS = { sinceMs: null, untilMs: null };

function forward(rollout: Rollout, question: Degradation | null, nowMs: number): Milestone[] {
  const { plan, phase, shifts } = rollout;
  const present = presentStep(rollout, question, nowMs);
  const peak = Math.max(0, ...shifts.map((shift) => shift.exposurePercent));
  const goesOn = present !== null;
  return plan.steps.map(({ exposurePercent }, index): Milestone => {
    const at = { direction: 'forward', exposurePercent } as const;
    if (present && index === Math.max(0, rollout.step)) return { ...at, state: 'present', ...present };
    const reached = (shifts.length > 0 && exposurePercent <= peak) || phase.name === 'succeeded';
    if (reached) return { ...at, state: 'done', ...NOTHING_RUNS, note: goesOn ? 'gate passed' : 'reached' };
    return { ...at, state: goesOn ? 'next' : 'skipped', ...NOTHING_RUNS, note: goesOn ? '' : 'not reached' };
  });
}

/** What runs at the step it is on; null: it is on its way back, or over. */
function presentStep({ phase, stable }: Rollout, question: Degradation | null, nowMs: number): Present | null {
  if (isEnded(phase) || rollbackOf(phase)) return null;
  const { sinceMs } = phase;
  switch (phase.name) {
    case 'advancing':
      if (phase.stage === 'warming') return { sinceMs, untilMs: phase.soakUntilMs, note: 'warming up' };
      if (phase.stage === 'shifting') return { sinceMs, untilMs: null, note: 'moving traffic' };
      return nowMs < phase.soakUntilMs
        ? { sinceMs, untilMs: phase.soakUntilMs, note: 'soaking' }
        : { sinceMs, untilMs: phase.maxSoakUntilMs, note: 'not sure yet' };
    case 'holding':
      return { sinceMs, untilMs: phase.untilMs, note: 'held' };
    case 'watching':
      return { sinceMs, untilMs: phase.untilMs, note: 'watched' };
    case 'stuck':
      return { sinceMs, untilMs: null, note: `stuck: a person is needed, ${stable.id} is safe` };
    default:
      return asked(question, sinceMs);
  }
}

function asked(question: Degradation | null, sinceMs: number): Present {
  const stage = question?.stage;
  switch (stage?.name) {
    case 'asking':
      return { sinceMs: question?.openedAtMs ?? sinceMs, untilMs: stage.deadlineMs, note: 'people are asked' };
    case 'recovering':
      return { sinceMs, untilMs: stage.untilMs, note: 'looks well again' };
    case 'held':
      return { sinceMs, untilMs: null, note: 'held: a person is needed' };
    default:
      return { sinceMs, untilMs: null, note: 'deciding' };
  }
}

function back(rollout: Rollout, nowMs: number): Milestone[] {
  const { phase, shifts } = rollout;
  const rollback = rollbackOf(phase);
  if (rollback) return rollback.phases.map((_, index) => ofPhase(rollout, rollback, index, nowMs));
  if (phase.name !== 'rolled_back') return [];
  const exposures = shifts.map((shift) => shift.exposurePercent);
  const done = exposures.slice(exposures.lastIndexOf(Math.max(0, ...exposures)) + 1);
  return done.map((exposurePercent) => ({
    direction: 'back',
    exposurePercent,
    state: 'done',
    ...NOTHING_RUNS,
    note: exposurePercent === 0 ? 'well again' : 'stable carried the load',
  }));
}

function ofPhase({ phase, shifts }: Rollout, rollback: Rollback, index: number, nowMs: number): Milestone {
  const { exposurePercent } = rollback.phases[index] ?? { exposurePercent: 0 };
  const at = { direction: 'back', exposurePercent } as const;
  if (index < rollback.phase) return { ...at, state: 'done', ...NOTHING_RUNS, note: 'stable carried the load' };
  if (index > rollback.phase) return { ...at, state: 'next', ...NOTHING_RUNS, note: '' };
  const reachedMs = shifts.at(-1)?.atMs ?? rollback.beganAtMs;
  if (phase.name === 'verifying') {
    const untilMs = nowMs < phase.soakUntilMs ? phase.soakUntilMs : phase.maxSoakUntilMs;
    return { ...at, state: 'present', sinceMs: phase.sinceMs, untilMs, note: 'is it well again?' };
  }
  if (phase.name !== 'rolling_back') return { ...at, state: 'present', sinceMs: null, untilMs: null, note: 'held' };
  if (rollback.stage === 'shifting') {
    return { ...at, state: 'present', sinceMs: reachedMs, untilMs: null, note: 'moving traffic' };
  }
  const untilMs = nowMs < rollback.soakUntilMs ? rollback.soakUntilMs : rollback.maxSoakUntilMs;
  return { ...at, state: 'present', sinceMs: reachedMs, untilMs, note: 'does stable carry the load?' };
}

function rollbackOf(phase: Phase): Rollback | null {
  if (phase.name === 'rolling_back' || phase.name === 'verifying') return phase.rollback;
  return 'during' in phase && typeof phase.during === 'object' ? phase.during : null;
}
