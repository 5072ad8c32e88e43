import type { Method } from './method.ts';
import { firstLook } from './readings.ts';

/** Index of the check that makes `limit` failures in a row; -1: there is none. */
export function failuresInARow(failed: readonly boolean[], limit: number): number {
  let row = 0;
  return failed.findIndex((bad) => {
    row = bad ? row + 1 : 0;
    return row >= limit;
  });
}

/**
 * Three failed checks in a row: a Prometheus alert with `for: 3m` on a rule that is evaluated every minute
 * (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/), or a Kubernetes probe's `failureThreshold: 3`.
 */
export const consecutive: Method = {
  name: 'three in a row',
  firstAlarm: (traffic) => firstLook(traffic, (failed) => failuresInARow(failed, 3)),
};
