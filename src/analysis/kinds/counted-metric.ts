import { higherIsBetter } from '../arms/arm.ts';
import { pairCounts } from '../arms/windows.ts';
import type { CountWindow, Metric, Series } from '../types.ts';
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

function strataOf({ metric, suspect, past }: Question, reference: Series): Stratum[] {
  if (suspect.kind === 'tails' && reference.kind === 'tails') {
    const only = metric.source.kind === 'latency' ? metric.source.bounds : [];
    return latencyStrata(suspect.bounds, reference.bounds, past?.kind === 'tails' ? past.bounds : [], only);
  }
  if (suspect.kind !== 'counts' || reference.kind !== 'counts') return [];
  const before = past?.kind === 'counts' ? past.windows : [];
  if (metric.source.kind !== 'rate' && mostAreBad(reference.windows)) {
    // As with a conversion of 4 %: the ratio of the others (96 %) hardly moves, whatever happens to it.
    const pairs = pairCounts(goodOnes(reference.windows), goodOnes(suspect.windows));
    return [{ pairs, past: goodOnes(before), ofGood: true, tail: null }];
  }
  // Where a drop is bad, the arms change places: what is asked is how much higher stable is.
  const swap = metric.source.kind === 'rate' && higherIsBetter(metric);
  const pairs = swap ? pairCounts(reference.windows, suspect.windows) : pairCounts(suspect.windows, reference.windows);
  return [{ pairs, past: before, tail: null }];
}

function mostAreBad(windows: readonly CountWindow[]): boolean {
  let bad = 0;
  let all = 0;
  for (const w of windows) {
    bad += w.events;
    all += w.exposure;
  }
  return bad > all / 2;
}

function goodOnes(windows: readonly CountWindow[]): CountWindow[] {
  return windows.map((w) => ({ ...w, events: Math.max(0, w.exposure - w.events) }));
}

/** A rate's unit is anybody's guess: five events in as much exposure as the policy calls enough. */
export function asGoodAsNone(metric: Metric): number {
  if (metric.source.kind !== 'rate') return SHARE_AS_GOOD_AS_NONE;
  return higherIsBetter(metric) ? 0 : 5 / Math.max(1, metric.minimumSamples);
}
