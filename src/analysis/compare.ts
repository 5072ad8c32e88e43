import { armOf, coversRecent, higherIsBetter, whyNotJudged } from './arm.ts';
import { combine, isCulprit, type Part, scoreOf } from './combine.ts';
import { type Stratum, testCounted } from './counted.ts';
import { testGauge } from './gauge.ts';
import { latencyStrata } from './latency.ts';
import { finiteExp } from './numbers.ts';
import { noData, type Outcome } from './outcome.ts';
import { isCritical, lineOf, readingOf } from './readings.ts';
import { limitText, pastName, sentenceOf } from './sentence.ts';
import type {
  Comparison,
  ComparisonSettings,
  LookPeriod,
  Metric,
  MetricComparison,
  MetricSamples,
  Series,
} from './types.ts';
import { pairCounts, pairValues } from './windows.ts';

/** A share of bad requests that is as good as none where a policy gives no absolute tolerance and none was seen. */
const SHARE_AS_GOOD_AS_NONE = 0.01;

export interface CompareInput {
  readonly metrics: readonly Metric[];
  readonly settings: ComparisonSettings;
  readonly period: LookPeriod;
  readonly samples: readonly MetricSamples[];
  readonly hasCandidate: boolean;
}

/** The arms of one metric, ready to be compared; the past is laid over the present. */
interface Arms {
  readonly stableNow: Series | null;
  readonly stableBefore: Series | null;
  readonly candidateNow: Series | null;
}

interface Judged {
  readonly metric: Metric;
  readonly arms: Arms;
  /** Candidate against stable, or without a candidate the service against its past. */
  readonly main: Outcome;
  readonly stable: Outcome;
  readonly candidateVersusPast: Outcome;
}

/**
 * One look: candidate against stable, and both against their past, for every metric and over all. Pure, and total: whatever was
 * read, there is an answer, and what cannot be judged is `no-data`.
 */
export function compare(input: CompareInput): Comparison {
  const { period, hasCandidate } = input;
  const byName = new Map(input.samples.map((s) => [s.metric, s]));
  const judged = input.metrics.map((metric) => judge(metric, byName.get(metric.name) ?? null, input));
  const parts = judged.map((j) => partOf(j.metric, j.main));
  const verdict = combine(parts);
  const stableVerdict = combine(judged.map((j) => partOf(j.metric, j.stable)));
  const candidateVersusPast = combine(judged.map((j) => partOf(j.metric, j.candidateVersusPast)));
  const metrics = judged.map((j) => told(j, isCulprit(partOf(j.metric, j.main), verdict), input));
  const critical = metrics.some((m) => m.critical);
  // Held against the past there is no second arm that could be equally bad.
  const besideStable = hasCandidate && period.against === 'stable';
  const notDegraded = verdict === 'healthy' || verdict === 'inconclusive';
  return {
    atMs: period.toMs,
    verdict,
    stableVerdict,
    commonCause: besideStable && stableVerdict === 'degraded' && candidateVersusPast === 'degraded' && notDegraded,
    critical,
    score: scoreOf(parts, critical),
    culprits: judged.flatMap((j, i) =>
      metrics[i]?.verdict === 'degraded' && j.metric.weight > 0 ? [j.metric.name] : [],
    ),
    // Also where there is only the past to be better than.
    improved: judged.flatMap((j, i) => (isImproved(metrics[i]) ? [j.metric.name] : [])),
    metrics,
    missing: whatIsMissing(judged),
  };
}

function partOf(metric: Metric, outcome: Outcome): Part {
  const weight = Number.isFinite(metric.weight) ? Math.min(1, Math.max(0, metric.weight)) : 0;
  return { verdict: outcome.verdict, weight, lnWorse: outcome.lnWorse, lnOk: outcome.lnOk };
}

function judge(metric: Metric, samples: MetricSamples | null, input: CompareInput): Judged {
  const { period, hasCandidate } = input;
  const arms: Arms = {
    stableNow: armOf(samples?.stableNow ?? null, metric, period, 0),
    stableBefore: armOf(samples?.stableBefore ?? null, metric, period, period.beforeOffsetMs),
    candidateNow: hasCandidate ? armOf(samples?.candidateNow ?? null, metric, period, 0) : null,
  };
  const missing = samples === null ? 'it was not read' : samples.missing;
  const past = pastName(period.beforeOffsetMs);
  const test = (suspect: Series | null, who: string, reference: Series | null, against: string) =>
    testOf({ metric, suspect, who, reference, against, missing, input });
  const stable = test(arms.stableNow, 'stable', arms.stableBefore, `stable ${past}`);
  const candidateVersusPast = hasCandidate
    ? test(arms.candidateNow, 'the candidate', arms.stableBefore, `stable ${past}`)
    : noData('there is no candidate');
  const main = !hasCandidate
    ? stable
    : period.against === 'past'
      ? candidateVersusPast
      : test(arms.candidateNow, 'the candidate', arms.stableNow, 'stable');
  return { metric, arms, main, stable, candidateVersusPast };
}

interface Test {
  readonly metric: Metric;
  readonly suspect: Series | null;
  readonly who: string;
  readonly reference: Series | null;
  readonly against: string;
  readonly missing: string | null;
  readonly input: CompareInput;
}

function testOf(test: Test): Outcome {
  const { metric, suspect, reference, input } = test;
  const { period, settings } = input;
  if (suspect === null || reference === null) {
    const who = suspect === null ? test.who : test.against;
    return noData(test.missing ?? `${who} has no numbers`);
  }
  const why =
    whyNotJudged(suspect, test.who, metric, period, settings.windowMs) ??
    whyNotJudged(reference, test.against, metric, period, settings.windowMs);
  if (why !== null) return noData(test.missing === null ? why : `${why}; ${test.missing}`);
  const { windowMs, minimumWindows } = settings;
  const common = {
    tolerance: metric.tolerance,
    period,
    windowMs,
    weight: metric.weight,
    minimumWindows,
    mayBeHealthy:
      coversRecent(suspect, metric, period, windowMs, minimumWindows) &&
      coversRecent(reference, metric, period, windowMs, minimumWindows),
  };
  if (suspect.kind === 'values' && reference.kind === 'values') {
    const held = new Set(reference.windows.map((w) => w.endMs));
    const pairedWindows = suspect.windows.filter((w) => held.has(w.endMs)).length;
    const pairs = pairValues(suspect.windows, reference.windows);
    return testGauge({ ...common, pairs, pairedWindows, direction: metric.direction });
  }
  const strata = strataOf(metric, suspect, reference);
  if (strata.length === 0) return noData('the two arms have no bucket bound in common');
  return testCounted({ ...common, strata, asGoodAsNone: asGoodAsNone(metric) });
}

function strataOf(metric: Metric, suspect: Series, reference: Series): Stratum[] {
  if (suspect.kind === 'tails' && reference.kind === 'tails') {
    const only = metric.source.kind === 'latency' ? metric.source.bounds : [];
    return latencyStrata(suspect.bounds, reference.bounds, only);
  }
  if (suspect.kind !== 'counts' || reference.kind !== 'counts') return [];
  // Where a drop is bad, the arms change places: what is asked is how much higher stable is.
  const swap = metric.source.kind === 'rate' && higherIsBetter(metric);
  const pairs = swap ? pairCounts(reference.windows, suspect.windows) : pairCounts(suspect.windows, reference.windows);
  return [{ pairs, tail: null }];
}

/** A rate's unit is anybody's guess: five events in as much exposure as the policy calls enough. */
function asGoodAsNone(metric: Metric): number {
  if (metric.source.kind !== 'rate') return SHARE_AS_GOOD_AS_NONE;
  return higherIsBetter(metric) ? 0 : 5 / Math.max(1, metric.minimumSamples);
}

function told(judged: Judged, culprit: boolean, input: CompareInput): MetricComparison {
  const { metric, arms } = judged;
  const { period, settings, hasCandidate } = input;
  const main: Outcome = culprit ? { ...judged.main, verdict: 'degraded' } : judged.main;
  const stableBefore = readingOf(arms.stableBefore, metric, period);
  const stableNow = readingOf(arms.stableNow, metric, period);
  const candidateNow = readingOf(arms.candidateNow, metric, period);
  const isShare = metric.source.kind === 'proportion';
  const critical = isCritical(candidateNow, metric);
  const change = main.change();
  const besideStable = hasCandidate && period.against === 'stable';
  return {
    metric: metric.name,
    title: metric.title,
    unit: metric.unit,
    direction: higherIsBetter(metric) ? 'higher-is-better' : 'lower-is-better',
    isShare,
    verdict: main.verdict,
    stableVerdict: judged.stable.verdict,
    candidateVersusPast: judged.candidateVersusPast.verdict,
    stableBefore,
    stableNow,
    candidateNow,
    change,
    limit: main.limit,
    limitText: main.verdict === 'no-data' ? '–' : limitText({ metric, outcome: main, isShare }),
    changeIs: metric.source.kind === 'gauge' ? 'difference' : 'ratio',
    evidence: finiteExp(main.lnWorse),
    critical,
    weight: metric.weight,
    sentence: sentenceOf({
      metric,
      outcome: main,
      change,
      now: hasCandidate ? candidateNow : stableNow,
      against: besideStable ? stableNow : stableBefore,
      reference: besideStable ? 'on stable' : pastName(period.beforeOffsetMs),
      isShare,
      critical,
    }),
    line: lineOf(arms.stableNow, arms.candidateNow, metric, period, settings.windowMs),
  };
}

function whatIsMissing(judged: readonly Judged[]): string | null {
  if (judged.length === 0) return 'the policy has no metrics';
  const reasons = judged
    .filter((j) => j.main.verdict === 'no-data')
    .map((j) => `${j.metric.title}: ${j.main.missing ?? 'nothing was read'}`);
  return reasons.length === 0 ? null : [...new Set(reasons)].join('; ');
}

/**
 * Better than what it is held against, at any time it is looked at wrongly in no more than one case of twenty: the upper bound of
 * its always-valid interval lies below "the same". The bound stands on the windows `healthy` is judged on, so there must be as
 * many of them, and what is degraded elsewhere (a tail of a latency, a critical limit) is not better. Where the upper bound is not
 * known it is 10,000, which is not below anything. Without a candidate there is nothing that could be better.
 */
function isImproved(metric: MetricComparison | undefined): boolean {
  if (!metric?.change || metric.candidateNow.value === null) return false;
  if (metric.verdict !== 'healthy' || metric.critical) return false;
  return metric.change.upper < (metric.changeIs === 'ratio' ? 1 : 0);
}
