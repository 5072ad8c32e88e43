import { armOf, coversRecent, everythingOf, whyNotJudged } from './arms/arm.ts';
import { settle } from './kinds/absolute.ts';
import { needsReference, testOf } from './kinds/index.ts';
import type { ComparisonSettings, LookPeriod, Metric, MetricSamples, Series } from './types.ts';
import { noData, type Outcome } from './verdict/outcome.ts';
import { pastName } from './verdict/sentence.ts';

/** The arms of one metric, ready to be compared; the past is laid over the present. */
export interface Arms {
  readonly stableNow: Series | null;
  readonly stableBefore: Series | null;
  readonly candidateNow: Series | null;
}

/** One metric, judged in the three ways the decisions ask about. */
export interface Judged {
  readonly metric: Metric;
  readonly arms: Arms;
  /** Candidate against stable, or without a candidate the service against its past. */
  readonly main: Outcome;
  readonly stable: Outcome;
  readonly candidateVersusPast: Outcome;
}

export interface JudgeInput {
  readonly settings: ComparisonSettings;
  readonly period: LookPeriod;
  readonly hasCandidate: boolean;
}

export function judge(metric: Metric, samples: MetricSamples | null, input: JudgeInput): Judged {
  const { period, hasCandidate } = input;
  const arms: Arms = {
    stableNow: armOf(samples?.stableNow ?? null, metric, period, 0),
    stableBefore: armOf(samples?.stableBefore ?? null, metric, period, period.beforeOffsetMs),
    candidateNow: hasCandidate ? armOf(samples?.candidateNow ?? null, metric, period, 0) : null,
  };
  const past = pastName(period.beforeOffsetMs);
  const whole = everythingOf(samples?.stableBefore ?? null, metric);
  const test = (suspect: Series | null, who: string, reference: Series | null, against: string) =>
    testArm({ metric, suspect, who, reference, against, samples, past: whole, input });
  const stable = test(arms.stableNow, 'stable', arms.stableBefore, `stable ${past}`);
  const candidateVersusPast = hasCandidate
    ? test(arms.candidateNow, 'the candidate', arms.stableBefore, `stable ${past}`)
    : noData('there is no candidate');
  const main = !hasCandidate
    ? stable
    : period.against === 'past'
      ? candidateVersusPast
      : test(arms.candidateNow, 'the candidate', arms.stableNow, 'stable');
  const settled = settle({ main, stable, candidateVersusPast }, metric, {
    budget: samples?.budget ?? null,
    period,
    hasCandidate,
  });
  return { metric, arms, ...settled };
}

interface ArmTest {
  readonly metric: Metric;
  readonly suspect: Series | null;
  readonly who: string;
  readonly reference: Series | null;
  readonly against: string;
  readonly samples: MetricSamples | null;
  readonly past: Series | null;
  readonly input: JudgeInput;
}

/** Whether the two arms can be judged at all, and if so, the kind's own test. */
function testArm(test: ArmTest): Outcome {
  const { metric, suspect, reference, samples, input } = test;
  const { period, settings } = input;
  const missing = samples === null ? 'it was not read' : samples.missing;
  const alone = !needsReference(metric.source.kind);
  if (suspect === null || (reference === null && !alone)) {
    const who = suspect === null ? test.who : test.against;
    return noData(missing ?? `${who} has no numbers`);
  }
  const both = reference === null || alone ? [] : [{ arm: reference, who: test.against }];
  const asked = [{ arm: suspect, who: test.who }, ...both];
  for (const { arm, who } of asked) {
    const why = whyNotJudged(arm, who, metric, period, settings.windowMs);
    if (why !== null) return noData(missing === null ? why : `${why}; ${missing}`);
  }
  const { windowMs, minimumWindows } = settings;
  return testOf({
    metric,
    suspect,
    reference,
    period,
    settings,
    mayBeHealthy: asked.every(({ arm }) => coversRecent(arm, metric, period, windowMs, minimumWindows)),
    past: test.past,
    budget: samples?.budget ?? null,
  });
}
