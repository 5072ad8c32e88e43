import type { Method } from './method.ts';
import { firstLook } from './readings.ts';

/** Index of the first failed check; -1: none. */
export function singleFailure(failed: readonly boolean[]): number {
  return failed.indexOf(true);
}

/**
 * One failed check is enough: an Argo Rollouts AnalysisTemplate with `failureLimit: 0`, which is its default
 * (https://argo-rollouts.readthedocs.io/en/stable/features/analysis/), on an error rate of the last minute.
 */
export const singleThreshold: Method = {
  name: 'one failure',
  firstAlarm: (traffic) => firstLook(traffic, singleFailure),
};
