import { higherIsBetter } from './arms/arm.ts';
import { isCritical, lineOf, readingOf } from './arms/readings.ts';
import { finiteExp } from './evidence/numbers.ts';
import type { Judged, JudgeInput } from './judge.ts';
import { sharesOfTraffic } from './kinds/split.ts';
import type { Metric, MetricComparison, Reading } from './types.ts';
import type { Outcome } from './verdict/outcome.ts';
import { limitText, pastName, sentenceOf } from './verdict/sentence.ts';

/** A judged metric as it is stored with the decision and drawn on the card. */
export function tell(judged: Judged, culprit: boolean, input: JudgeInput): MetricComparison {
  const { metric } = judged;
  const { period, settings, hasCandidate } = input;
  const main: Outcome = culprit ? { ...judged.main, verdict: 'degraded' } : judged.main;
  const arms = metric.source.kind === 'split' ? sharesOfTraffic(judged.arms) : judged.arms;
  const stableBefore = readingOf(arms.stableBefore, metric, period);
  const stableNow = readingOf(arms.stableNow, metric, period);
  const candidateNow = readingOf(arms.candidateNow, metric, period);
  const isShare = isShareOf(metric);
  const critical = isCritical(candidateNow, metric);
  const change = main.change();
  const basis = basisOf(metric, input);
  return {
    metric: metric.name,
    kind: metric.source.kind,
    basis,
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
    changeIs: isDifference(metric) ? 'difference' : 'ratio',
    evidence: finiteExp(main.lnWorse),
    critical,
    weight: metric.weight,
    sentence: sentenceOf({
      metric,
      outcome: main,
      change,
      now: hasCandidate ? candidateNow : stableNow,
      against: basis === 'stable' ? stableNow : basis === 'fixed' ? fixedReading(metric) : stableBefore,
      reference: referenceName(metric, basis, input),
      isShare,
      critical,
    }),
    line: lineOf(arms.stableNow, arms.candidateNow, metric, period, settings.windowMs),
  };
}

function isShareOf({ source }: Metric): boolean {
  return (
    source.kind === 'proportion' || source.kind === 'labelled' || source.kind === 'objective' || source.kind === 'split'
  );
}

function isDifference({ source }: Metric): boolean {
  return source.kind === 'gauge' || source.kind === 'limit' || source.kind === 'drift-score';
}

/** What the main verdict was held against. */
function basisOf(metric: Metric, { period, hasCandidate }: JudgeInput): NonNullable<MetricComparison['basis']> {
  const { source, baseline } = metric;
  if (source.kind === 'limit' || source.kind === 'objective' || source.kind === 'drift-score') return 'limit';
  if (source.kind === 'split') return 'split';
  if (baseline?.kind === 'fixed') return 'fixed';
  const besideStable = hasCandidate && period.against === 'stable';
  return besideStable && baseline?.kind !== 'offset' && metric.arms !== 'one' ? 'stable' : 'past';
}

function referenceName(metric: Metric, basis: MetricComparison['basis'], { period }: JudgeInput): string {
  if (basis === 'stable') return 'on stable';
  if (basis === 'fixed') return 'in the fixed baseline';
  return pastName(metric.baseline?.kind === 'offset' ? metric.baseline.offsetMs : period.beforeOffsetMs);
}

/** The totals of a fixed baseline, as the metric's readings are shown: bad ones of a proportion whose good ones are. */
function fixedReading(metric: Metric): Reading {
  const { baseline, source } = metric;
  if (baseline?.kind !== 'fixed' || !(baseline.exposure > 0)) return { value: null, samples: 0 };
  const share = baseline.events / baseline.exposure;
  const isGood = source.kind !== 'rate' && higherIsBetter(metric);
  return { value: isGood ? 1 - share : share, samples: baseline.exposure };
}
