import { binding } from '../../src/domain/binding.ts';
import type { Effect, JournalEntry } from '../../src/domain/effect.ts';
import type { DomainEvent } from '../../src/domain/event.ts';
import { permit } from '../../src/domain/permit.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { Rollback, ServiceState, TimerKey } from '../../src/domain/state.ts';

/** One accepted decision: what was, what happened, what came of it. */
export interface Decided {
  readonly before: ServiceState;
  readonly event: DomainEvent;
  readonly state: ServiceState;
  readonly effects: readonly Effect[];
  readonly journal: readonly JournalEntry[];
  readonly policy: Policy;
}

type Rule = (decided: Decided) => string | null | undefined | false;

/** What product.md's rules say of a single decision, by their number. Answers what is broken; empty: nothing. */
export function brokenRules(decided: Decided): string[] {
  return rules.flatMap((rule) => rule(decided) || []);
}

const OVERDUE_MS = 60_000;
const quietTimers: readonly TimerKey[] = ['reassert', 'repage', 'probe'];

const phaseOf = (state: ServiceState) => state.rollout?.phase;
const stageOf = (state: ServiceState) => state.degradation?.stage;
const has = ({ journal }: Decided, what: JournalEntry['what']) => journal.some((entry) => entry.what === what);
const byAutomation = ({ journal }: Decided, what: JournalEntry['what']) =>
  journal.some((entry) => entry.what === what && entry.actor.kind === 'policy');
const shiftsOf = ({ effects }: Decided) => effects.flatMap((effect) => (effect.kind === 'shift' ? [effect] : []));
const isQuiet = ({ before, policy }: Decided) =>
  policy.mode === 'observe' || before.automationOff !== null || before.freeze !== null;

/** The rollback under way or interrupted, in whatever phase. */
function rollbackOf(state: ServiceState): Rollback | null {
  const phase = phaseOf(state);
  if (phase === undefined) return null;
  if ('rollback' in phase) return phase.rollback;
  return 'during' in phase && typeof phase.during === 'object' ? phase.during : null;
}

function isOpen(state: ServiceState): boolean {
  const stage = stageOf(state);
  return stage !== undefined && stage.name !== 'ended';
}

const rules: readonly Rule[] = [
  function rule1raises(d) {
    for (const shift of shiftsOf(d)) {
      const raises = shift.split.exposurePercent > (d.state.rollout?.exposurePercent ?? 0);
      if (raises && phaseOf(d.state)?.name === 'rolling_back')
        return `rule 1: the way back raises to ${shift.split.exposurePercent} %`;
      const wanted = d.before.shift?.next?.exposurePercent === shift.split.exposurePercent;
      // A shadow has a gate before the first traffic; a warm-up alone is none.
      const warmedUp = has(d, 'warmed-up') && d.state.rollout?.plan.steps[0]?.gate?.kind !== 'shadow';
      if (raises && !wanted && d.event.type !== 'command' && !has(d, 'gate-passed') && !warmedUp)
        return `rule 1: ${d.event.type} raises to ${shift.split.exposurePercent} % without a gate or a person`;
    }
    const next = d.state.shift?.next;
    const isNew = next && next.exposurePercent !== d.before.shift?.next?.exposurePercent;
    const raises = isNew && next.exposurePercent > (d.state.rollout?.exposurePercent ?? 0);
    if (raises && d.event.type !== 'command' && next.exposurePercent > (d.before.shift?.split.exposurePercent ?? 0))
      return `rule 1: ${d.event.type} wants ${next.exposurePercent} % next`;
    return null;
  },
  function rule1permits({ event, policy }) {
    if (event.type !== 'command' || permit(policy, event.actor, event.command.name) === null) return null;
    return `rule 1: ${event.actor.id} was let ${event.command.name}`;
  },
  function rule2(d) {
    if (!byAutomation(d, 'rollback-decided')) return null;
    if (d.event.type === 'command') return null;
    const decision = d.before.degradation?.decision;
    if (isOpen(d.before) && decision?.by.kind === 'person')
      return `rule 2: automation rolls back over ${decision.by.name}'s ${decision.action}`;
    const stage = stageOf(d.before);
    return stage?.name === 'asking' && stage.measuring ? null : `rule 2: automation rolls back from ${stage?.name}`;
  },
  function rule2hold(d) {
    const phase = phaseOf(d.before);
    const isHeld = phase?.name === 'holding' && phase.by.kind === 'person' && (phase.untilMs ?? 0) > d.state.clockMs;
    const isAutomatic = d.event.type === 'measured' || d.event.type === 'timer' || d.event.type === 'probed';
    const moves = shiftsOf(d).some((shift) => shift.gaining !== null);
    return isHeld && isAutomatic && moves && 'rule 2: moved while a person holds';
  },
  function rule3(d) {
    const phase = phaseOf(d.before)?.name;
    const isGoingBack = phase === 'rolling_back' || phase === 'verifying';
    if (isGoingBack && byAutomation(d, 'rollback-decided')) return 'rule 3: a rollback of a rollback';
    return isGoingBack && d.event.type === 'alert' && !isOpen(d.before) && isOpen(d.state)
      ? 'rule 3: an alert asks anew on the way back'
      : null;
  },
  function rule4(d) {
    if (d.event.type !== 'measured') return null;
    const { comparison } = d.event;
    if (has(d, 'gate-passed')) {
      const names = d.before.rollout?.plan.steps[d.before.rollout.step]?.gate?.metrics ?? [];
      const asked = comparison.metrics.filter((metric) => names.includes(metric.metric));
      const verdicts = names.length > 0 ? asked.map((metric) => metric.verdict) : [comparison.verdict];
      if (verdicts.some((verdict) => verdict !== 'healthy') || comparison.verdict === 'degraded')
        return `rule 4: a gate passed with ${verdicts.join()}`;
    }
    const isBlind = comparison.verdict === 'no-data' && d.policy.respond.whenUnknown === 'hold';
    return isBlind && byAutomation(d, 'rollback-decided') && 'rule 4: rolled back without data';
  },
  function rule5(d) {
    const isCommon = d.event.type === 'measured' && d.event.comparison.commonCause;
    return isCommon && byAutomation(d, 'rollback-decided') && 'rule 5: rolled back for a common cause';
  },
  function rule6(d) {
    if (!isQuiet(d) || d.event.type === 'command') return null;
    const ofAPerson = rollbackOf(d.state)?.by.kind === 'person';
    for (const shift of shiftsOf(d)) {
      if (shift.gaining === null) continue;
      const why = d.before.freeze ? 'frozen' : d.before.automationOff ? 'switched off' : 'observed';
      const raises = shift.split.exposurePercent > (d.state.rollout?.exposurePercent ?? 0);
      if (raises || !ofAPerson)
        return `rule 6: ${d.event.type} moves a ${why} service to ${shift.split.exposurePercent} %, ${phaseOf(d.before)?.name} → ${phaseOf(d.state)?.name}`;
    }
    return null;
  },
  function rule6pages(d) {
    const isOff = d.policy.mode === 'observe' || (d.before.automationOff !== null && d.state.automationOff !== null);
    const pages = d.effects.some((effect) => effect.kind === 'page' && effect.action === 'trigger');
    return isOff && pages && 'mode: observe pages';
  },
  function rule7(d) {
    const [was, is] = [stageOf(d.before), stageOf(d.state)];
    if (d.before.degradation?.id !== d.state.degradation?.id || !was || !is) return null;
    const now = d.state.clockMs;
    if (was.name === 'asking' && is.name === 'recovering') {
      const leftMs = Math.max(0, was.deadlineMs - now);
      return is.remainingMs !== leftMs && `rule 7: ${is.remainingMs} ms remain of ${leftMs}`;
    }
    const isHealth = d.event.type === 'alert' || d.event.type === 'measured';
    if (was.name === 'recovering' && is.name === 'asking' && isHealth) {
      // What was held for want of evidence has none left; now that there is some it is a question anew.
      const { respond } = d.policy;
      const isCritical = d.state.degradation?.severity === 'critical';
      const wholeMs = isCritical ? respond.criticalDeadlineMs : respond.deadlineMs;
      const leftMs = was.held === null ? was.remainingMs : wholeMs;
      return is.deadlineMs - now !== leftMs && `rule 7: ${is.deadlineMs - now} ms to answer, ${leftMs} were left`;
    }
    const isLonger = was.name === 'asking' && is.name === 'asking' && is.deadlineMs > was.deadlineMs;
    return isLonger && d.event.type === 'alert' && 'rule 7: an alert lengthens the deadline';
  },
  function rule8({ before, event }) {
    if (event.type !== 'command' || event.binding === undefined) return null;
    return event.binding !== binding(before, event.command.name) && `rule 8: a stale ${event.command.name} was done`;
  },
  function rule9(d) {
    const phase = phaseOf(d.before);
    if (d.event.type !== 'measured' || phase?.name !== 'rolling_back' || phase.rollback.stage !== 'soaking')
      return null;
    const { critical, stableVerdict } = d.event.comparison;
    const { soakUntilMs, maxSoakUntilMs, phases } = phase.rollback;
    const now = d.state.clockMs;
    const isFine = stableVerdict === 'healthy' && now >= soakUntilMs;
    const hasWaited = stableVerdict !== 'degraded' && now >= maxSoakUntilMs;
    if (has(d, 'phase-passed') && !critical && !isFine && !hasWaited)
      return `rule 9: a phase passed with stable ${stableVerdict}`;
    const isWorse = stableVerdict === 'degraded' && !(critical && phase.rollback.phase < phases.length - 1);
    return isWorse && phaseOf(d.state)?.name !== 'holding' && 'rule 9: goes on although stable got worse';
  },
  function rule10(d) {
    if (d.event.type !== 'timer' || quietTimers.includes(d.event.key)) return null;
    const lateMs = d.state.clockMs - (d.before.timers[d.event.key]?.atMs ?? d.state.clockMs);
    if (lateMs <= OVERDUE_MS) return null;
    const acts = d.effects.some((effect) => effect.kind === 'shift' || effect.kind === 'page');
    return acts && `rule 10: acts by ${d.event.key}, ${lateMs} ms overdue`;
  },
  function rule11(d) {
    const shifts = shiftsOf(d);
    if (shifts.length > 1) return 'rule 11: two shifts at once';
    const isSettled = d.event.type === 'shifted' || d.event.type === 'shift_failed';
    if (shifts.length === 1 && d.before.shift !== null && !isSettled) return 'rule 11: a second shift in flight';
    const inFlight = d.state.shift?.id;
    const isKnown = inFlight === d.before.shift?.id || shifts.some((shift) => shift.shiftId === inFlight);
    return inFlight !== undefined && !isKnown && 'rule 11: a shift in flight that nobody performs';
  },
  function rule12(d) {
    for (const entry of d.journal) {
      if (/undefined|NaN|\[object/.test(entry.text)) return `rule 12: "${entry.text}"`;
      if (entry.policyRevision !== d.policy.revision) return `rule 12: not the revision in force: ${entry.what}`;
      const isDefault = entry.actor.kind === 'policy' && entry.actor.id !== `${d.policy.service}@${d.policy.revision}`;
      // A rollback goes on as whose it is, also where the policy was edited since.
      if (isDefault && rollbackOf(d.before)?.by.id !== entry.actor.id) return `rule 12: the actor is ${entry.actor.id}`;
    }
    const [was, is] = [d.before.rollout, d.state.rollout];
    if (was && is && was.id === is.id && was.exposurePercent !== is.exposurePercent && !d.journal.some((e) => e.to))
      return `rule 12: ${was.exposurePercent} → ${is.exposurePercent} % is not in the journal`;
    const isSilent = d.journal.length === 0;
    if (isSilent && phaseOf(d.before)?.name !== phaseOf(d.state)?.name)
      return `rule 12: ${phaseOf(d.before)?.name} → ${phaseOf(d.state)?.name} is not in the journal`;
    if (isSilent && (d.before.freeze !== d.state.freeze || d.before.automationOff !== d.state.automationOff))
      return 'rule 12: a mark is not in the journal';
    return null;
  },
  ({ state }) => brokenWaits(state)[0],
  function timersAreJobs({ before, event, state, effects }) {
    const timers: Partial<Record<TimerKey, number>> = {};
    for (const [key, timer] of Object.entries(before.timers)) timers[key as TimerKey] = timer.epoch;
    if (event.type === 'timer') delete timers[event.key];
    for (const effect of effects) {
      if (effect.kind === 'timer') timers[effect.key] = effect.epoch;
      if (effect.kind === 'cancel_timer') delete timers[effect.key];
    }
    const known = Object.keys(state.timers) as TimerKey[];
    const same =
      known.length === Object.keys(timers).length && known.every((k) => state.timers[k]?.epoch === timers[k]);
    return !same && `rule 10: timers ${JSON.stringify(state.timers)} and their jobs ${JSON.stringify(timers)} differ`;
  },
];

/** Whoever waits, waits for something that will come. */
export function brokenWaits(state: ServiceState): string[] {
  const { rollout, degradation, timers, look, shift } = state;
  const phase = rollout?.phase;
  const stage = degradation?.stage;
  const broken: string[] = [];
  const at = `${phase?.name}/${stage?.name}`;
  const waits = (key: TimerKey) => {
    if (!timers[key]) broken.push(`${at} waits for ${key}, which is not set`);
  };
  const open = isOpen(state);
  if (phase?.name === 'deciding' && !open) broken.push('deciding without a question');
  if (phase?.name === 'stuck' && !(stage?.name === 'held' && stage.why === 'stuck')) broken.push(`stuck, and ${at}`);
  if (phase?.name === 'holding' && phase.untilMs !== null) waits('hold');
  if (phase?.name === 'watching') waits('watch');
  if (phase?.name === 'advancing' && phase.stage === 'warming') waits('probe');
  else if (timers.probe) broken.push(`${at} asks about readiness outside a warm-up`);
  const isSoaking =
    (phase?.name === 'advancing' && phase.stage === 'soaking') ||
    (phase?.name === 'rolling_back' && phase.rollback.stage === 'soaking') ||
    phase?.name === 'verifying';
  if (isSoaking || look) waits('look');
  const isShifting =
    (phase?.name === 'advancing' && phase.stage === 'shifting') ||
    (phase?.name === 'rolling_back' && phase.rollback.stage === 'shifting');
  if (isShifting && !shift) broken.push(`${at} shifts without a shift`);
  if (stage?.name === 'grace') waits('grace');
  if (stage?.name === 'recovering') waits('stability');
  if (stage?.name === 'asking' && !stage.measuring) waits('deadline');
  if (stage?.name === 'asking' && stage.measuring && !look && !timers.look) broken.push('measuring without a look');
  const isHeld = phase?.name === 'holding' || stage?.name === 'held' || stage?.name === 'recovering';
  if (timers.hold && !isHeld) broken.push(`${at} has a hold set, and nothing is held`);
  if (!open)
    for (const key of ['grace', 'deadline', 'escalate', 'stability', 'repage'] as const)
      if (timers[key]) broken.push(`${key} is set without a question`);
  return broken;
}
