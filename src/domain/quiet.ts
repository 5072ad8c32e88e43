import type { Comparison, MetricComparison } from '../analysis/types.ts';
import type { Decision, Effect } from './effect.ts';
import { backstopMs, wayBack } from './looking.ts';
import type { Rollout, ServiceState } from './state.ts';
import { isEnded } from './turn.ts';

/**
 * A quiet look says again what the look before it said, and nothing follows from it but that it is looked again. It need not be
 * kept: the state stands as it is, and the same look is taken once more when the next one would be.
 */
export interface PutOff {
  /** When it is taken again. */
  readonly untilMs: number;
  /** When it is given up and another one taken in its place. */
  readonly backstopMs: number;
}

/** Whether a look at this service can be quiet at all: a rollout that was looked at, nobody is asked about, and is on no way back. */
export function canBeQuiet(state: ServiceState): boolean {
  return standing(state) !== null;
}

/**
 * Until when a look is put off; null: it has to be kept. `decision`: what its numbers come to.
 */
export function putOff(state: ServiceState, found: Comparison, decision: Decision<ServiceState>): PutOff | null {
  const rollout = standing(state);
  if (!rollout?.comparison || decision.outcome !== 'accepted') return null;
  const { state: after, effects, journal } = decision;
  const next = after.timers.look;
  if (!next || journal.length > 0 || !effects.every(isOfLooking)) return null;
  if (!isSameButNumbers(state, after) || !saysTheSame(rollout.comparison, found)) return null;
  return { untilMs: next.atMs, backstopMs: backstopMs(next.atMs, rollout.plan.comparison) };
}

function standing({ rollout, degradation }: ServiceState): Rollout | null {
  if (!rollout?.comparison || isEnded(rollout.phase) || wayBack(rollout)) return null;
  return degradation && degradation.stage.name !== 'ended' ? null : rollout;
}

function isOfLooking(effect: Effect): boolean {
  if (effect.kind === 'timer' || effect.kind === 'cancel_timer') return effect.key === 'look';
  return effect.kind === 'card';
}

/** A decision leaves what it does not change as it is, so that what differs is another object. */
function isSameButNumbers(before: ServiceState, after: ServiceState): boolean {
  return (
    sameBut(before, after, ['rollout', 'look', 'timers', 'served', 'clockMs', 'sequence']) &&
    before.rollout !== null &&
    after.rollout !== null &&
    sameBut(before.rollout, after.rollout, ['comparison']) &&
    sameBut(before.timers, after.timers, ['look']) &&
    before.served.length === after.served.length &&
    before.served.every((served, i) => sameBut(served, after.served[i] ?? {}, ['looks']))
  );
}

function sameBut<T extends object>(before: T, after: Partial<T>, but: readonly (keyof T)[]): boolean {
  for (const key in before) if (before[key] !== after[key] && !but.includes(key)) return false;
  for (const key in after) if (before[key] !== after[key] && !but.includes(key)) return false;
  return true;
}

/** What is told of it and what decides, not the numbers it stands on. */
function saysTheSame(before: Comparison, after: Comparison): boolean {
  return (
    before.verdict === after.verdict &&
    before.stableVerdict === after.stableVerdict &&
    before.commonCause === after.commonCause &&
    before.critical === after.critical &&
    (before.canTellCommonCause ?? true) === (after.canTellCommonCause ?? true) &&
    before.missing === after.missing &&
    sameNames(before.culprits, after.culprits) &&
    sameNames(before.warnings ?? [], after.warnings ?? []) &&
    sameNames(before.improved, after.improved) &&
    before.metrics.length === after.metrics.length &&
    before.metrics.every((metric, i) => sameMetric(metric, after.metrics[i]))
  );
}

function sameMetric(before: MetricComparison, after: MetricComparison | undefined): boolean {
  return before.metric === after?.metric && before.verdict === after.verdict && before.critical === after.critical;
}

function sameNames(before: readonly string[], after: readonly string[]): boolean {
  return before.length === after.length && before.every((name, i) => name === after[i]);
}
