import type { Comparison, Metric, MetricComparison } from '../../src/analysis/types.ts';
import type { Gate, Step } from '../../src/domain/policy.ts';
import type { Phase, Rollout } from '../../src/domain/state.ts';
import { errorRate, HOUR, MINUTE } from '../support/policy.ts';
import { at, comparison, metric, rollout } from './states.ts';

/** A comparison of every kind of metric, and the definitions behind them. */

const none = { value: null, samples: 0 };
const line = (stable: number, candidate: number) =>
  [0, 1, 2, 3].map((i) => ({ endMs: at(i), stable: stable * (1 + i / 50), candidate: candidate * (1 + i / 40) }));

const healthy = { verdict: 'healthy', candidateVersusPast: 'healthy', evidence: 0.3 } as const;

export const byKind: Readonly<Record<NonNullable<MetricComparison['kind']>, MetricComparison>> = {
  proportion: metric({ kind: 'proportion', basis: 'stable' }),
  labelled: metric({
    ...healthy,
    metric: 'precision',
    title: 'Precision',
    kind: 'labelled',
    basis: 'stable',
    direction: 'higher-is-better',
    stableBefore: { value: 0.934, samples: 9000 },
    stableNow: { value: 0.931, samples: 1200 },
    candidateNow: { value: 0.929, samples: 1180 },
    change: { estimate: 1.03, lower: 0.9, upper: 1.18 },
    sentence: 'Precision 92.9 % vs 93.1 % on stable: 1.0× the failures (0.90×–1.18×), well within the 1.25× limit.',
    line: line(0.931, 0.929),
  }),
  rate: metric({
    ...healthy,
    metric: 'orders',
    title: 'Orders',
    kind: 'rate',
    basis: 'stable',
    unit: '/s',
    isShare: false,
    direction: 'higher-is-better',
    stableBefore: { value: 3.2, samples: 36_000 },
    stableNow: { value: 3.1, samples: 18_000 },
    candidateNow: { value: 3.35, samples: 18_000 },
    change: { estimate: 0.926, lower: 0.87, upper: 0.99 },
    sentence:
      'Orders 3.35 /s vs 3.1 /s on stable: 0.9× in the bad direction (0.87×–0.99×), well within the 1.25× limit.',
    line: line(3.1, 3.35),
  }),
  latency: metric({
    metric: 'latency',
    title: 'Latency',
    kind: 'latency',
    basis: 'stable',
    unit: 's',
    isShare: false,
    verdict: 'inconclusive',
    stableBefore: { value: 0.21, samples: 9000 },
    stableNow: { value: 0.214, samples: 9000 },
    candidateNow: { value: 0.24, samples: 8800 },
    change: { estimate: 1.2, lower: 1.02, upper: 1.4 },
    evidence: 12,
    sentence:
      'Latency p95 about 0.24 s vs 0.214 s on stable; 4.8 % vs 4.0 % slower than 0.25 s: 1.2× (1.02×–1.40×), looks worse than the 1.25× limit allows, not yet certain.',
    line: line(0.214, 0.24),
  }),
  gauge: metric({
    ...healthy,
    metric: 'memory',
    title: 'Memory',
    kind: 'gauge',
    basis: 'past',
    unit: 'GB',
    isShare: false,
    changeIs: 'difference',
    stableBefore: { value: 2.1, samples: 40 },
    stableNow: { value: 2.15, samples: 40 },
    candidateNow: none,
    change: { estimate: 0.05, lower: -0.02, upper: 0.11 },
    limit: 0.5,
    limitText: '0.5 GB',
    sentence: 'Memory 2.15 GB vs 2.1 GB a day ago: 0.05 GB worse (-0.02 GB to 0.11 GB), well within the 0.5 GB limit.',
    line: line(2.1, 2.15).map((point) => ({ ...point, candidate: null })),
  }),
  drift: metric({
    metric: 'amount',
    title: 'Amount',
    kind: 'drift',
    basis: 'stable',
    unit: '',
    isShare: false,
    verdict: 'inconclusive',
    stableBefore: none,
    stableNow: { value: null, samples: 18_000 },
    candidateNow: { value: null, samples: 17_900 },
    change: null,
    limit: 0.25,
    limitText: 'PSI 0.25',
    evidence: 1,
    weight: 0,
    sentence: 'Amount: distribution shifted, PSI 0.31 (alert above 0.25), 17,900 vs 18,000 values.',
    line: [],
  }),
  'drift-score': metric({
    ...healthy,
    metric: 'score_drift',
    title: 'Score drift',
    kind: 'drift-score',
    basis: 'limit',
    unit: '',
    isShare: false,
    changeIs: 'difference',
    stableNow: { value: 0.04, samples: 40 },
    stableBefore: { value: 0.03, samples: 40 },
    candidateNow: { value: 0.06, samples: 40 },
    change: { estimate: -0.14, lower: -0.15, upper: -0.13 },
    limit: 0.2,
    limitText: '0.2',
    weight: 0,
    sentence: 'Score drift 0.06, below its limit of 0.2.',
    line: line(0.04, 0.06),
  }),
  limit: metric({
    ...healthy,
    metric: 'queue',
    title: 'Queue length',
    kind: 'limit',
    basis: 'limit',
    unit: '',
    isShare: false,
    changeIs: 'difference',
    stableNow: { value: 12, samples: 40 },
    stableBefore: { value: 11, samples: 40 },
    candidateNow: { value: 14, samples: 40 },
    change: { estimate: -86, lower: -88, upper: -84 },
    limit: 100,
    limitText: '100',
    sentence: 'Queue length 14 (12–16), within the limit of 100.',
    line: line(12, 14),
  }),
  objective: metric({
    metric: 'availability',
    title: 'Availability',
    kind: 'objective',
    basis: 'limit',
    direction: 'higher-is-better',
    verdict: 'inconclusive',
    stableBefore: { value: 0.9995, samples: 90_000 },
    stableNow: { value: 0.9994, samples: 18_000 },
    candidateNow: { value: 0.9988, samples: 17_900 },
    change: { estimate: 1.2, lower: 0.8, upper: 1.9 },
    limit: 1,
    limitText: '99.9 %',
    evidence: 2,
    sentence:
      'Availability 99.88 % (99.81–99.92 %), not yet certain on which side of the 99.9 % required; the service burns its error budget 6.4 times as fast as allowed.',
    line: line(0.9994, 0.9988),
  }),
  split: metric({
    ...healthy,
    metric: 'split',
    title: 'Traffic split',
    kind: 'split',
    basis: 'split',
    stableBefore: none,
    stableNow: { value: 0.502, samples: 18_000 },
    candidateNow: { value: 0.498, samples: 18_000 },
    change: null,
    limitText: '50 %',
    sentence: 'Traffic split: 49.8 % of 18,000 requests to the candidate, 50 % configured.',
    line: [],
  }),
};

export const everyKind = Object.values(byKind);

const definition = (name: string, patch: Partial<Metric> = {}): Metric => ({
  ...errorRate,
  name,
  title: name,
  ...patch,
});

export const definitions: readonly Metric[] = [
  errorRate,
  definition('precision', { labelDelayMs: HOUR }),
  definition('memory', { arms: 'one', baseline: { kind: 'offset', offsetMs: 24 * HOUR } }),
];

export const waitingForLabels = metric({
  ...byKind.labelled,
  verdict: 'no-data',
  stableNow: none,
  candidateNow: none,
  change: null,
  limitText: '–',
  sentence: 'Precision: no data (labels come 60 min late: the first windows can be judged in about 42 min).',
});

export const conversion = metric({
  ...healthy,
  metric: 'conversion',
  title: 'Conversion',
  kind: 'proportion',
  basis: 'stable',
  direction: 'higher-is-better',
  stableBefore: { value: 0.038, samples: 40_000 },
  stableNow: { value: 0.038, samples: 9036 },
  candidateNow: { value: 0.041, samples: 8964 },
  change: { estimate: 0.926, lower: 0.8696, upper: 0.9901 },
  changeOf: 'good',
  sentence: 'Conversion 4.1 % vs 3.8 % on stable: 1.0× the failures (0.99×–1.00×), well within the 1.25× limit.',
  line: line(0.038, 0.041),
});

export const shadowGate: Gate = { name: 'shadow-check', kind: 'shadow', objective: 'no-worse', metrics: ['errors'] };
export const abGate: Gate = { name: 'experiment', kind: 'ab', objective: 'better', metrics: ['conversion'] };

const soak = { soakMs: 10 * MINUTE, maxSoakMs: 30 * MINUTE };
export const gatedSteps: readonly Step[] = [
  { exposurePercent: 0, ...soak, gate: shadowGate },
  { exposurePercent: 10, ...soak },
  { exposurePercent: 50, ...soak, gate: abGate },
  { exposurePercent: 100, soakMs: 0, maxSoakMs: 0 },
];

export const soaking: Phase = {
  name: 'advancing',
  sinceMs: at(-5),
  stage: 'soaking',
  soakUntilMs: at(5),
  maxSoakUntilMs: at(25),
};

/** A rollout with gates by name, on its step `step`. */
export function gated(step: number, found: Partial<Comparison> | null, patch: Partial<Rollout> = {}): Partial<Rollout> {
  const { plan } = rollout();
  return {
    plan: { ...plan, steps: gatedSteps, metrics: definitions },
    step,
    exposurePercent: gatedSteps[step]?.exposurePercent ?? 0,
    phase: soaking,
    shifts: gatedSteps
      .slice(0, step + 1)
      .map((s, i) => ({ atMs: at(-20 + i * 5), exposurePercent: s.exposurePercent })),
    comparison: found === null ? null : comparison({ verdict: 'healthy', culprits: [], ...found }),
    ...patch,
  };
}

/** The split is off, as the comparison tells it. */
export const offSplit = metric({
  ...byKind.split,
  verdict: 'inconclusive',
  stableNow: { value: 0.56, samples: 10_000 },
  candidateNow: { value: 0.44, samples: 10_000 },
  sentence: 'Traffic split: the split is not as configured: 44.0 % instead of 50 % of 10,000 requests.',
});
