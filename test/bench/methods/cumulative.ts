import type { Method } from './method.ts';
import { firstLook } from './readings.ts';

/** Index of the check that makes `limit` failures altogether; -1: there is none. */
export function failuresAltogether(failed: readonly boolean[], limit: number): number {
  let count = 0;
  return failed.findIndex((bad) => {
    count += bad ? 1 : 0;
    return count >= limit;
  });
}

/**
 * Ten failed checks over the whole rollout: Flagger's `analysis.threshold: 10`, a counter that a check that passes does not reset
 * (https://docs.flagger.app/usage/how-it-works, "max number of failed metric checks before rollback"). Here every metric
 * has a counter of its own, which is kinder where there are ten.
 */
export const cumulative: Method = {
  name: 'ten altogether',
  firstAlarm: (traffic) => firstLook(traffic, (failed) => failuresAltogether(failed, 10)),
};
