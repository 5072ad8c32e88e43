import type { Memory } from './evidence/memory.ts';
import { createScratch } from './evidence/scratch.ts';
import { type Judged, type JudgeInput, judge } from './judge.ts';
import { isAsked } from './kinds/absolute.ts';
import { tell } from './tell.ts';
import type { Comparison, Metric, MetricComparison, MetricSamples } from './types.ts';
import { combine, isCulprit, type Part, scoreOf } from './verdict/combine.ts';
import { LN_HEALTHY, LN_WARNING, type Outcome } from './verdict/outcome.ts';

export interface CompareInput extends JudgeInput {
  readonly metrics: readonly Metric[];
  readonly samples: readonly MetricSamples[];
}

/**
 * One look: candidate against stable, and both against their past, for every metric and over all. Pure, and total: whatever was
 * read, there is an answer, and what cannot be judged is `no-data`.
 */
export function compare(given: CompareInput): Comparison {
  const { period, hasCandidate } = given;
  const judgeIn = (memory: Memory) => {
    const input = { ...given, memory };
    return (metric: Metric) => judge(metric, readOf(metric, input.samples), input);
  };
  const memory = given.memory ?? createScratch();
  memory.begin();
  const judged = given.metrics.map(judgeIn(memory));
  // Held against the past there is no second arm that could be equally bad.
  const besideStable = hasCandidate && period.against === 'stable';
  const versusPast = judged.filter((j) => j.metric.source.kind !== 'split');
  const asked = judged.filter((j) => isAsked(j.metric, given));
  const parts = asked.map((j) => partOf(j.metric, j.main));
  const verdict = combine(parts);
  const stableVerdict = combine(versusPast.map((j) => partOf(j.metric, j.stable)));
  const metrics = judged.map((j, i) => {
    const isOne = isCulprit(partOf(j.metric, j.main), verdict);
    return tell(j, isOne, given, () => judgeIn(createScratch())(given.metrics[i] ?? j.metric));
  });
  const critical = metrics.some((m) => m.critical);
  return {
    atMs: period.toMs,
    verdict,
    stableVerdict,
    commonCause: besideStable && hasCommonCause(judged),
    critical,
    score: scoreOf(parts, critical),
    culprits: judged.flatMap((j, i) =>
      metrics[i]?.verdict === 'degraded' && j.metric.weight > 0 ? [j.metric.name] : [],
    ),
    warnings: judged.flatMap((j, i) => (looksWorse(j.main, metrics[i]) ? [j.metric.name] : [])),
    canTellCommonCause: given.metrics.every((m) => m.arms !== 'one'),
    // Also where there is only the past to be better than.
    improved: judged.flatMap((j, i) => (isImproved(j, metrics[i]) ? [j.metric.name] : [])),
    metrics,
    missing: whatIsMissing(asked),
  };
}

/** What was read of a metric; null: nothing. */
function readOf({ name }: Metric, samples: readonly MetricSamples[]): MetricSamples | null {
  return samples.findLast(({ metric }) => metric === name) ?? null;
}

/**
 * Both arms are worse than their past and not than each other. Only metrics that know the two arms beside each other can tell: one
 * series for the whole service, or a candidate held against yesterday, looks the same whatever the cause is.
 */
function hasCommonCause(judged: readonly Judged[]): boolean {
  const telling = judged.filter((j) => j.metric.arms !== 'one' && (j.basis === 'stable' || j.basis === 'limit'));
  const over = (outcome: (j: Judged) => Outcome) => combine(telling.map((j) => partOf(j.metric, outcome(j))));
  if (over((j) => j.stable) !== 'degraded' || over((j) => j.candidateVersusPast()) !== 'degraded') return false;
  const beside = over((j) => j.main);
  return beside === 'healthy' || beside === 'inconclusive';
}

function partOf(metric: Metric, outcome: Outcome): Part {
  const weight = Number.isFinite(metric.weight) ? Math.min(1, Math.max(0, metric.weight)) : 0;
  return { verdict: outcome.verdict, weight, lnWorse: outcome.lnWorse, lnOk: outcome.lnOk };
}

/** Something to look at that proves nothing by itself. */
function looksWorse(main: Outcome, metric: MetricComparison | undefined): boolean {
  if (metric === undefined || metric.verdict === 'degraded') return false;
  return main.warning !== null || (metric.verdict === 'inconclusive' && main.lnWorse >= LN_WARNING);
}

function whatIsMissing(judged: readonly Judged[]): string | null {
  if (judged.length === 0) return 'the policy has no metrics';
  const reasons = judged
    .filter((j) => j.main.verdict === 'no-data')
    .map((j) => `${j.metric.title}: ${j.main.missing ?? 'nothing was read'}`);
  return reasons.length === 0 ? null : [...new Set(reasons)].join('; ');
}

/**
 * Better than what it is held against, at any time it is looked at wrongly in no more than one case of twenty: "the same" is ruled
 * out from above. Judged on the windows `healthy` is judged on, so there must be as many of them, and what is degraded elsewhere (a
 * tail of a latency, a critical limit) is not better. Without a candidate there is nothing that could be better.
 */
function isImproved({ main, basis }: Judged, metric: MetricComparison | undefined): boolean {
  if (metric === undefined || metric.candidateNow.value === null) return false;
  // Well within its own limit is not better than anything.
  if (basis === 'limit' || basis === 'split') return false;
  if (metric.verdict !== 'healthy' || metric.critical) return false;
  return (main.lnBetter?.() ?? 0) >= LN_HEALTHY;
}
