import type { Metric } from '../../src/analysis/types.ts';
import { errorRate } from '../support/policy.ts';
import type { Dice } from './dice.ts';

const slow: Metric = {
  ...errorRate,
  name: 'slow',
  title: 'Slow answers',
  source: { kind: 'proportion', bad: 'slow{version="{{version}}"}', good: null, total: 'all{version="{{version}}"}' },
  criticalLimit: null,
};
const latency: Metric = {
  ...slow,
  name: 'latency',
  title: 'Latency',
  unit: 's',
  source: { kind: 'latency', buckets: 'seconds_bucket{version="{{version}}"}', bounds: [0.1, 0.5, 1] },
};
const memory: Metric = {
  ...slow,
  name: 'memory',
  title: 'Memory',
  unit: 'MB',
  source: { kind: 'gauge', value: 'memory{version="{{version}}"}' },
  minimumSamples: 5,
};

/** What a policy measures: errors, and how fast by this or by that. */
export function metricsBy(dice: Dice): readonly Metric[] {
  const all = [errorRate, ...dice.pick([[slow], [slow], [slow], [latency], [memory], [latency, memory]])];
  return all.map((metric) => ({ ...metric, weight: 1 / all.length }));
}
