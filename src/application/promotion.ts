import type { Promotion } from '../domain/event.ts';
import type { Served } from '../domain/served.ts';
import { cleanMs, serving } from '../domain/served.ts';
import type { Rollout, ServiceState } from '../domain/state.ts';
import { duration, percent, sentence, utcTime } from '../domain/words.ts';

/** What is asked of the service that is required. */
export interface Required {
  readonly service: string;
  /** How long it calls for without a degradation before a version is good there (its `lastGood.after`, ms). */
  readonly neededMs: number;
  readonly nowMs: number;
}

/**
 * Whether a version has succeeded where it is required to have: its latest rollout there was watched to the end, or it served all
 * traffic there long enough without an open degradation (the version Lastgood found serving, or one that was gone back to). What
 * happened last counts: a version that succeeded once and was taken back later has not, and neither has one that is under way or
 * watched, however long it served. A question that is open on it says it has not yet.
 */
export function promotionOf(state: ServiceState | null, versionId: string, required: Required): Promotion {
  const { service } = required;
  const not = (detail: string): Promotion => ({ service, outcome: 'not-succeeded', detail });
  const rollout = latestRollout(state, versionId);
  const served = state?.served.findLast((s) => s.version.id === versionId) ?? null;
  if (state === null || (rollout === null && served === null)) return not(`${versionId} was never rolled out there`);
  if (rollout !== null && rollout.phase.name !== 'succeeded') return not(stateOf(rollout, versionId));
  const open = openQuestion(state, versionId);
  if (open !== null) return not(`the question ${open} is open there while ${versionId} serves`);
  if (rollout !== null && wasWatched(state, rollout)) {
    return { service, outcome: 'succeeded', detail: `${rollout.id} succeeded: ${versionId} was watched to the end` };
  }
  if (served !== null && !served.tainted) return byServing(served, required);
  return not(`${rollout === null ? versionId : `${rollout.id} (${versionId})`} was not watched to the end`);
}

/** A watch that a new rollout cut short ends in `succeeded` as well, and takes the version's credit away. */
function wasWatched(state: ServiceState, rollout: Rollout): boolean {
  const { candidate, phase } = rollout;
  if (phase.name !== 'succeeded') return false;
  const then = state.served.findLast((s) => s.version.id === candidate.id && s.sinceMs <= phase.atMs);
  return then !== undefined && !then.tainted;
}

/** Also one that is taken back: its candidate is what serves. */
function latestRollout(state: ServiceState | null, versionId: string): Rollout | null {
  if (state === null) return null;
  const all = [...state.past.rollouts, ...(state.rollout === null ? [] : [state.rollout])];
  return all.findLast((rollout) => rollout.candidate.id === versionId) ?? null;
}

function stateOf(rollout: Rollout, versionId: string): string {
  const { id, phase } = rollout;
  const which = `${id} (${versionId})`;
  switch (phase.name) {
    case 'watching':
      return `${which} is watched until ${utcTime(phase.untilMs)}`;
    case 'rolling_back':
    case 'verifying':
      return `${which} is being rolled back: ${ending(phase.rollback.reason)}`;
    case 'rolled_back':
      return `${which} was rolled back: ${ending(phase.reason)}`;
    case 'cancelled':
      return `${which} was cancelled: ${ending(phase.reason)}`;
    default:
      return `${which} is under way at ${percent(rollout.exposurePercent)}`;
  }
}

/** A reason from outside, without its full stop: the sentence it becomes part of goes on. */
function ending(reason: string): string {
  return reason.trim() === '' ? 'no reason was given' : sentence(reason).replace(/\.$/, '');
}

function openQuestion(state: ServiceState, versionId: string): string | null {
  const { degradation, served } = state;
  const open = degradation !== null && degradation.stage.name !== 'ended';
  return open && serving(served)?.id === versionId ? degradation.id : null;
}

function byServing(served: Served, { service, neededMs, nowMs }: Required): Promotion {
  const { id } = served.version;
  const clean = cleanMs(served, nowMs);
  const long = `${id} served all traffic there for ${duration(clean)} without a degradation`;
  return clean >= neededMs
    ? { service, outcome: 'succeeded', detail: long }
    : { service, outcome: 'not-succeeded', detail: `${long}, of ${duration(neededMs)} that it takes` };
}
