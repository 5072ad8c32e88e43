import type { MetricComparison } from '../../analysis/types.ts';
import type { Status } from '../../application/api.ts';
import type { Step } from '../../domain/policy.ts';
import { serving } from '../../domain/served.ts';
import type { Degradation, Rollout, ServiceState } from '../../domain/state.ts';
import { isEnded } from '../../domain/turn.ts';
import { duration, percent } from '../../domain/words.ts';
import { standing } from '../cards/footer.ts';
import { gateWords, isSatisfied, presentGate } from '../cards/gate.ts';
import { factsOf } from '../cards/held-against.ts';
import { reading } from '../cards/numbers.ts';
import { isOneStep } from '../cards/strategy.ts';
import { title } from '../cards/table.ts';
import { code, moment, outside } from '../cards/text.ts';
import { choosesWayBack, wayBackLine } from '../cards/way-back.ts';
import type { ModalMetadata } from './metadata.ts';

/** What will happen if this is submitted, in words. Markdown, escaped. */
export function explain(metadata: ModalMetadata, status: Status): string {
  return [where(status), what(metadata, status), ...others(status)].filter((line) => line !== '').join('\n');
}

/** The rollout that is under way or watched. */
export function underWay(state: ServiceState): Rollout | null {
  const { rollout } = state;
  return rollout && !isEnded(rollout.phase) ? rollout : null;
}

export function openDegradation(state: ServiceState): Degradation | null {
  return state.degradation && state.degradation.stage.name !== 'ended' ? state.degradation : null;
}

function where({ state }: Status): string {
  const rollout = underWay(state);
  if (rollout) {
    const { exposurePercent, candidate, stable } = rollout;
    const share =
      exposurePercent >= 100
        ? `*all traffic* is on ${code(candidate.id)}`
        : `*${percent(exposurePercent)}* of traffic is on ${code(candidate.id)}, the rest on ${code(stable.id)}`;
    return `*${outside(state.service, 80)}*: ${share}.`;
  }
  const version = serving(state.served);
  return `*${outside(state.service, 80)}*: no rollout is under way${version ? `, ${code(version.id)} serves everything` : ''}.`;
}

function what(metadata: ModalMetadata, status: Status): string {
  switch (metadata.command) {
    case 'rollback':
      return rollback(status);
    case 'hold':
      return 'Exposure stays where it is, and automation does nothing until the hold ends; then it asks again. A new critical alert opens a new question.';
    case 'promote':
      return promote(status);
    case 'extend':
      return extend(status);
    case 'resume':
      return resume(status);
    case 'cancel':
      return underWay(status.state)
        ? 'The rollout ends where it stands, at 0 %. Nothing is moved.'
        : 'The question is closed. Nothing is moved.';
    default:
      return '';
  }
}

function rollback({ state, policy }: Status): string {
  const rollout = underWay(state);
  if (choosesWayBack(rollout)) return wayBackLine({ state, policy, rollout });
  const to = code(rollout?.stable.id ?? '-');
  const evidence = rollout?.wayBack ? `\n${wayBackLine({ state, policy, rollout })}` : '';
  const how = rollout && isOneStep(rollout) ? ', in one step' : '';
  return `All of it goes back to ${to}${how}.${evidence}`;
}

/** The exposures a rollback by phases goes through, from where it stands. */
export function phasesFrom({ state, policy }: Status): readonly Step[] {
  const rollout = underWay(state);
  const phases = (rollout?.plan.rollback ?? policy.rollback).phases;
  const below = phases.filter((phase) => phase.exposurePercent < (rollout?.exposurePercent ?? 100));
  return below.length > 0 ? below : phases.slice(-1);
}

function promote({ state, policy }: Status): string {
  const rollout = underWay(state);
  if (!rollout) return '';
  const next = nextStep(rollout);
  const culprits = rollout.comparison?.metrics.filter((m) => m.verdict === 'degraded') ?? [];
  const named = culprits.slice(0, 10).map((m) => `• ${culpritWords(m)}`);
  const lines = [
    nextWords(rollout, next),
    overGate({ rollout, policy }),
    policy.approvers.quorum > 1 && !isOneStep(rollout)
      ? `All steps at once takes ${policy.approvers.quorum} approvers.`
      : '',
    named.length > 0 ? `⚠️ *This overrides what is degraded*:\n${named.join('\n')}` : '',
  ];
  return lines.filter((line) => line !== '').join('\n');
}

/** Candidate against stable; what is held against something else says against what. */
function culpritWords(m: MetricComparison): string {
  if ((m.basis ?? 'stable') !== 'stable') return outside(m.sentence, 300);
  return `${title(m)}: ${reading(m, m.candidateNow)} against ${reading(m, m.stableNow)} on stable`;
}

function nextWords(rollout: Rollout, next: Step | undefined): string {
  if (!next) return 'All steps are done.';
  return isOneStep(rollout)
    ? `All traffic switches to ${code(rollout.candidate.id)} in one step.`
    : `The next step is *${percent(next.exposurePercent)}*${next.gate ? ` (${gateWords(next.gate)})` : ''}.`;
}

/** A person goes past what the step's gate would still ask. */
function overGate({ rollout, policy }: { rollout: Rollout; policy: Status['policy'] }): string {
  const gate = presentGate(rollout);
  const isOpen = rollout.exposurePercent < 100 && !isSatisfied(rollout, factsOf({ rollout, policy }));
  return gate && isOpen ? `The ${gateWords(gate)} has not passed: this goes on without it.` : '';
}

export function nextStep(rollout: Rollout): Step | undefined {
  return rollout.plan.steps.find((step) => step.exposurePercent > rollout.exposurePercent);
}

/** How much more the deadline may be moved, in milliseconds. */
export function extensionLeft({ state, policy }: Status): number {
  return Math.max(0, policy.respond.extendCapMs - (openDegradation(state)?.extendedMs ?? 0));
}

function extend(status: Status): string {
  const stage = openDegradation(status.state)?.stage;
  const deadline = stage?.name === 'asking' ? `The deadline is ${moment(stage.deadlineMs, 'seconds')}. ` : '';
  return `${deadline}${duration(extensionLeft(status))} more can be added in all.`;
}

function resume({ state }: Status): string {
  const phase = underWay(state)?.phase;
  if (phase?.name === 'stuck') return `It is stuck: ${outside(phase.reason, 500)}\nThe same is tried again.`;
  if (phase?.name !== 'holding') return '';
  const goesOn = typeof phase.during === 'object' ? 'The rollback goes on.' : 'It goes on where it was held.';
  return openDegradation(state) && typeof phase.during !== 'object'
    ? 'The hold ends, and the question is put again.'
    : goesOn;
}

function others({ state, policy }: Status): string[] {
  const view = { policy, state, degradation: openDegradation(state), rollout: underWay(state) };
  const notes = standing({ card: { kind: 'rollout', id: '' }, current: true, ...view });
  return notes === '' ? [] : [notes];
}
