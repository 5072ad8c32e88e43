import { higherIsBetter } from './arms/arm.ts';
import { isCritical, lineOf, readingOf } from './arms/readings.ts';
import { finiteExp } from './evidence/numbers.ts';
import type { Judged, JudgeInput } from './judge.ts';
import type { MetricComparison } from './types.ts';
import type { Outcome } from './verdict/outcome.ts';
import { limitText, pastName, sentenceOf } from './verdict/sentence.ts';

/** A judged metric as it is stored with the decision and drawn on the card. */
export function tell(judged: Judged, culprit: boolean, input: JudgeInput): MetricComparison {
  const { metric, arms } = judged;
  const { period, settings, hasCandidate } = input;
  const main: Outcome = culprit ? { ...judged.main, verdict: 'degraded' } : judged.main;
  const stableBefore = readingOf(arms.stableBefore, metric, period);
  const stableNow = readingOf(arms.stableNow, metric, period);
  const candidateNow = readingOf(arms.candidateNow, metric, period);
  const isShare = metric.source.kind === 'proportion' || metric.source.kind === 'labelled';
  const critical = isCritical(candidateNow, metric);
  const change = main.change();
  const besideStable = hasCandidate && period.against === 'stable';
  return {
    metric: metric.name,
    kind: metric.source.kind,
    basis: besideStable ? 'stable' : 'past',
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
