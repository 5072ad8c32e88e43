import { higherIsBetter } from './arms/arm.ts';
import { isCritical, lineOf, readingOf } from './arms/readings.ts';
import { finiteExp } from './evidence/numbers.ts';
import type { Arms, Judged, JudgeInput } from './judge.ts';
import { fixedTotals } from './kinds/fixed.ts';
import { sharesOfTraffic } from './kinds/split.ts';
import type { LookPeriod, Metric, MetricComparison, Reading, Verdict } from './types.ts';
import type { Outcome } from './verdict/outcome.ts';
import { limitText, pastName, sentenceOf } from './verdict/sentence.ts';

/**
 * A judged metric as it is stored with the decision and drawn on the card. `judgeLater`: where nothing is drawn, what comes of
 * `candidateVersusPast` once somebody asks; the room this look was judged in is another look's by then.
 */
export function tell(judged: Judged, culprit: boolean, input: JudgeInput, judgeLater: () => Judged): MetricComparison {
  const { metric, period, basis } = judged;
  const main: Outcome = culprit ? { ...judged.main, verdict: 'degraded' } : judged.main;
  const arms = metric.source.kind === 'split' ? sharesOfTraffic(judged.arms) : judged.arms;
  const read = (arm: keyof Arms): Reading => {
    const shown = readingOf(arms[arm], metric, period);
    // A share of both arms' traffic still stands on the arm's own requests.
    return arms === judged.arms ? shown : { ...shown, samples: readingOf(judged.arms[arm], metric, period).samples };
  };
  const stableBefore = read('stableBefore');
  const stableNow = read('stableNow');
  const candidateNow = read('candidateNow');
  const isShare = isShareOf(metric);
  const critical = isCritical(candidateNow, metric);
  const drawn = input.draw !== false;
  const change = drawn ? main.change() : null;
  const told = {
    metric: metric.name,
    kind: metric.source.kind,
    basis,
    title: metric.title,
    unit: metric.unit,
    direction: higherIsBetter(metric) ? ('higher-is-better' as const) : ('lower-is-better' as const),
    isShare,
    verdict: main.verdict,
    stableVerdict: judged.stable.verdict,
    stableBefore,
    stableNow,
    candidateNow,
    change,
    limit: main.limit,
    limitText: main.verdict === 'no-data' ? '–' : limitText({ metric, outcome: main, isShare }),
    ...(main.note.ofGood ? { changeOf: 'good' as const } : {}),
    changeIs: isDifference(metric) ? ('difference' as const) : ('ratio' as const),
    evidence: finiteExp(main.lnWorse),
    critical,
    weight: metric.weight,
    sentence: drawn
      ? sentenceOf({
          metric,
          outcome: main,
          change,
          now: judged.suspect === 'candidate' ? candidateNow : stableNow,
          against: basis === 'stable' ? stableNow : basis === 'fixed' ? fixedReading(metric) : stableBefore,
          reference: referenceName(basis, period),
          isShare,
          critical,
        })
      : '',
    line: drawn ? lineOf(arms.stableNow, arms.candidateNow, metric, period, input.settings.windowMs) : [],
  };
  return drawn
    ? { ...told, candidateVersusPast: judged.candidateVersusPast().verdict }
    : Object.assign(new AskedLater(judgeLater), told);
}

/** A test of its own: where nothing is stored it is hardly ever asked for. */
class AskedLater {
  readonly #judge: () => Judged;

  constructor(judge: () => Judged) {
    this.#judge = judge;
  }

  get candidateVersusPast(): Verdict {
    return this.#judge().candidateVersusPast().verdict;
  }
}

function isShareOf({ source }: Metric): boolean {
  return (
    source.kind === 'proportion' || source.kind === 'labelled' || source.kind === 'objective' || source.kind === 'split'
  );
}

function isDifference({ source }: Metric): boolean {
  return source.kind === 'gauge' || source.kind === 'limit' || source.kind === 'drift-score';
}

function referenceName(basis: Judged['basis'], period: LookPeriod): string {
  if (basis === 'stable') return 'on stable';
  return basis === 'fixed' ? 'in the fixed baseline' : pastName(period.beforeOffsetMs);
}

/** The totals of a fixed baseline, as the metric's readings are shown: bad ones of a proportion whose good ones are. */
function fixedReading(metric: Metric): Reading {
  const totals = fixedTotals(metric);
  if (totals === null) return { value: null, samples: 0 };
  const share = totals.events / totals.exposure;
  const isGood = metric.source.kind !== 'rate' && higherIsBetter(metric);
  return { value: isGood ? 1 - share : share, samples: totals.exposure };
}
