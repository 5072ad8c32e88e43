import { noData, type Outcome } from '../verdict/outcome.ts';
import { testGauge } from './gauge.ts';
import type { Question } from './question.ts';

/**
 * A gauge against an absolute limit: the always-valid t test of gauges on value less limit. `change` is how far the value is past
 * the limit, in the bad direction, and is held against 0; nothing is tolerated beyond the limit.
 */
export function testLimit({ metric, suspect, period, settings, mayBeHealthy }: Question): Outcome {
  if (metric.source.kind !== 'limit' || suspect.kind !== 'values') return noData('it is no value');
  const { limit } = metric.source;
  // A value that has not moved is held by the exporter or by Prometheus: no other observation.
  const moved = suspect.windows.filter((w, i) => i === 0 || w.value !== suspect.windows[i - 1]?.value);
  return testGauge({
    pairs: moved.map((w) => ({ endMs: w.endMs, suspect: w.value, reference: limit })),
    pairedWindows: suspect.windows.length,
    direction: metric.direction,
    tolerance: { relative: null, absolute: null, healthyRatio: metric.tolerance.healthyRatio },
    period,
    weight: metric.weight,
    minimumWindows: settings.minimumWindows,
    mayBeHealthy,
  });
}
