import type { MetricKind } from '../types.ts';
import { noData, type Outcome } from '../verdict/outcome.ts';
import { testCountedMetric } from './counted-metric.ts';
import { testGaugeMetric } from './gauge.ts';
import type { Question } from './question.ts';

/** One test a kind of metric: the table of analysis.md. */
export function testOf(question: Question): Outcome {
  return TESTS[question.metric.source.kind](question);
}

/** Kinds whose suspect is held against something other than an arm: they need no reference. */
export function needsReference(kind: MetricKind['kind']): boolean {
  return kind !== 'limit' && kind !== 'objective' && kind !== 'drift-score' && kind !== 'split';
}

const notYet = () => noData('this kind is not judged yet');

const TESTS: Readonly<Record<MetricKind['kind'], (question: Question) => Outcome>> = {
  proportion: testCountedMetric,
  labelled: testCountedMetric,
  rate: testCountedMetric,
  latency: testCountedMetric,
  gauge: testGaugeMetric,
  drift: notYet,
  'drift-score': notYet,
  limit: notYet,
  objective: notYet,
  split: notYet,
};
