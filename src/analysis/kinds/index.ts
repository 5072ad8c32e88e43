import type { MetricKind } from '../types.ts';
import type { Outcome } from '../verdict/outcome.ts';
import { testCountedMetric } from './counted-metric.ts';
import { testDrift, testDriftScore } from './drift.ts';
import { testFixed } from './fixed.ts';
import { testGaugeMetric } from './gauge.ts';
import { testLimit } from './limit.ts';
import { testObjective } from './objective.ts';
import type { Question } from './question.ts';
import { testSplit } from './split.ts';

/** One test a kind of metric: the table of analysis.md. */
export function testOf(question: Question): Outcome {
  const { kind } = question.metric.source;
  return takesTotals(kind) && question.reference === null ? testFixed(question) : TESTS[kind](question);
}

/** Kinds that can be held against totals known beforehand (a `fixed` baseline): without a reference they are. */
export function takesTotals(kind: MetricKind['kind']): boolean {
  return kind === 'proportion' || kind === 'labelled' || kind === 'rate';
}

/** Kinds whose suspect is held against something other than an arm need no reference. A split is between both arms. */
export function needsReference(kind: MetricKind['kind']): boolean {
  return kind !== 'limit' && kind !== 'objective' && kind !== 'drift-score';
}

const TESTS: Readonly<Record<MetricKind['kind'], (question: Question) => Outcome>> = {
  proportion: testCountedMetric,
  labelled: testCountedMetric,
  rate: testCountedMetric,
  latency: testCountedMetric,
  gauge: testGaugeMetric,
  drift: testDrift,
  'drift-score': testDriftScore,
  limit: testLimit,
  objective: testObjective,
  split: testSplit,
};
