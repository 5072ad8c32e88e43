import { type ArmRead, higherIsBetter } from '../arms/arm.ts';
import { type Counts, NO_COUNTS, others, totalsOf } from '../arms/counts.ts';
import { pairCounts } from '../arms/pairs.ts';
import type { Metric } from '../types.ts';
import { noData, type Outcome } from '../verdict/outcome.ts';
import { type Stratum, testCounted } from './counted.ts';
import { latencyStrata } from './latency.ts';
import type { Question } from './question.ts';

/** A share of bad requests that is as good as none where a policy gives no absolute tolerance and none was seen. */
const SHARE_AS_GOOD_AS_NONE = 0.01;

/** Proportions, labelled answers, rates and latencies: the ratio test over their strata. */
export function testCountedMetric(question: Question): Outcome {
  const { metric, reference, period, settings, mayBeHealthy } = question;
  if (reference === null) return noData('there is nothing to hold it against');
  const strata = strataOf(question, reference);
  if (strata.length === 0) return noData('the two arms have no bucket bound in common');
  return testCounted({
    strata,
    tolerance: metric.tolerance,
    period,
    windowMs: settings.windowMs,
    weight: metric.weight,
    minimumWindows: settings.minimumWindows,
    mayBeHealthy,
    asGoodAsNone: asGoodAsNone(metric),
    concurrent: question.concurrent,
    memory: question.memory,
  });
}

function strataOf({ metric, suspect, past, memory: { room } }: Question, reference: ArmRead): Stratum[] {
  if (suspect.kind === 'tails' && reference.kind === 'tails') {
    const only = metric.source.kind === 'latency' ? metric.source.bounds : [];
    return latencyStrata(suspect.bounds, reference.bounds, past?.kind === 'tails' ? past.bounds : [], only, room);
  }
  if (suspect.kind !== 'counts' || reference.kind !== 'counts') return [];
  const [ours, theirs] = [suspect.counts, reference.counts];
  const before = past?.kind === 'counts' ? past.counts : NO_COUNTS;
  if (metric.source.kind !== 'rate' && mostAreBad(theirs)) {
    // As with a conversion of 4 %: the ratio of the others (96 %) hardly moves, whatever happens to it.
    const pairs = pairCounts(others(theirs, room), others(ours, room), room);
    return [{ pairs, past: others(before, room), ofGood: true, tail: null }];
  }
  // Where a drop is bad, the arms change places: what is asked is how much higher stable is.
  const swap = metric.source.kind === 'rate' && higherIsBetter(metric);
  const pairs = swap ? pairCounts(theirs, ours, room) : pairCounts(ours, theirs, room);
  return [{ pairs, past: before, tail: null }];
}

function mostAreBad(counts: Counts): boolean {
  const { events, exposure } = totalsOf(counts);
  return events > exposure / 2;
}

/** A rate's unit is anybody's guess: five events in as much exposure as the policy calls enough. */
export function asGoodAsNone(metric: Metric): number {
  if (metric.source.kind !== 'rate') return SHARE_AS_GOOD_AS_NONE;
  return higherIsBetter(metric) ? 0 : 5 / Math.max(1, metric.minimumSamples);
}
