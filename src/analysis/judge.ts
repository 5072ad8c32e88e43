import { armOf, coversRecent, everythingOf, whyNotJudged } from './arms/arm.ts';
import { withLearnedTolerance } from './arms/history.ts';
import { judgedPeriod, whyTooSoon } from './arms/period.ts';
import { forgetful, type Memory } from './evidence/memory.ts';
import { settle } from './kinds/absolute.ts';
import { needsReference, takesTotals, testOf } from './kinds/index.ts';
import type { ComparisonSettings, LookPeriod, Metric, MetricComparison, MetricSamples, Series } from './types.ts';
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
  /** With the tolerance its history calls for. */
  readonly metric: Metric;
  /** What of the look's period this metric is judged on, and where its past begins. */
  readonly period: LookPeriod;
  readonly arms: Arms;
  /** What `main` was held against. */
  readonly basis: NonNullable<MetricComparison['basis']>;
  /** Whose numbers `main` is about: the candidate's, or the one series there is. */
  readonly suspect: 'candidate' | 'service';
  /** Candidate against stable, or without a candidate the service against its past; or against its own baseline. */
  readonly main: Outcome;
  readonly stable: Outcome;
  /** A test of its own, made once it is asked for: most looks need it for nothing but what is stored. */
  readonly candidateVersusPast: Outcome;
}

export interface JudgeInput {
  readonly settings: ComparisonSettings;
  readonly period: LookPeriod;
  readonly hasCandidate: boolean;
  /** False: the verdicts alone, without intervals, sentences and lines, which cost more than they. */
  readonly draw?: boolean;
  /** Of this rollout's earlier looks; absent: everything is summed anew, and comes to the same. */
  readonly memory?: Memory;
}

export function judge(metric: Metric, read: MetricSamples | null, input: JudgeInput): Judged {
  // Once: whoever keeps windows in less room puts them into words each time they are looked at.
  const samples = read && { ...read, stableBefore: asRead(read.stableBefore) };
  const period = judgedPeriod(metric, input.period, input.settings.windowMs);
  const learned = withLearnedTolerance(metric, samples?.history ?? null, period);
  const two = input.hasCandidate && metric.arms !== 'one';
  const arms: Arms = {
    stableNow: armOf(samples?.stableNow ?? null, metric, period, 0),
    stableBefore: armOf(samples?.stableBefore ?? null, metric, period, period.beforeOffsetMs),
    candidateNow: two ? armOf(samples?.candidateNow ?? null, metric, period, 0) : null,
  };
  const basis = basisOf(metric, input);
  const tooSoon = whyTooSoon(metric, input.period, input.settings.windowMs);
  const outcomes = tooSoon === null ? outcomesOf(learned, arms, basis, samples, { ...input, period }) : never(tooSoon);
  const { main, stable } = outcomes;
  return {
    metric: learned,
    period,
    arms,
    basis,
    suspect: two ? 'candidate' : 'service',
    main,
    stable,
    get candidateVersusPast() {
      return outcomes.candidateVersusPast;
    },
  };
}

function asRead(series: Series | null): Series | null {
  return series && { ...series };
}

type Outcomes = Pick<Judged, 'main' | 'stable' | 'candidateVersusPast'>;

function never(why: string): Outcomes {
  return { main: noData(why), stable: noData(why), candidateVersusPast: noData(why) };
}

function outcomesOf(
  metric: Metric,
  arms: Arms,
  basis: Judged['basis'],
  samples: MetricSamples | null,
  input: JudgeInput,
): Outcomes {
  const one = metric.arms === 'one';
  const service = one ? 'the service' : 'stable';
  const stable = { arm: arms.stableNow, who: service };
  const candidate = { arm: arms.candidateNow, who: 'the candidate' };
  const past = { arm: arms.stableBefore, who: `${service} ${pastName(input.period.beforeOffsetMs)}` };
  const none = noData('there is no candidate');
  const budget = samples?.budget ?? null;
  const whole = everythingOf(samples?.stableBefore ?? null, metric);
  const test = (suspect: Side, reference: Side | null) =>
    testArm({ metric, suspect, reference, samples, past: whole, concurrent: reference === stable, input });
  if (one) {
    // One series for the whole service: there is one question to ask of it.
    const alone = test(stable, basis === 'fixed' ? null : past);
    const facts = { budget, period: input.period, hasCandidate: false };
    const { main } = settle({ main: alone, stable: alone, candidateVersusPast: none }, metric, facts);
    return { main, stable: main, candidateVersusPast: input.hasCandidate ? main : none };
  }
  const stableOutcome = test(stable, past);
  const versusPast = once(() => (input.hasCandidate ? test(candidate, past) : none));
  const main =
    basis === 'fixed'
      ? test(input.hasCandidate ? candidate : stable, null)
      : !input.hasCandidate
        ? stableOutcome
        : basis === 'stable' || basis === 'split'
          ? test(candidate, stable)
          : versusPast();
  const { period, hasCandidate } = input;
  const outcomes = {
    main,
    stable: stableOutcome,
    get candidateVersusPast() {
      return versusPast();
    },
  };
  return settle(outcomes, metric, { budget, period, hasCandidate });
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** What the main verdict is held against. Only what is counted can be held against totals. */
function basisOf({ source, baseline, arms }: Metric, { period, hasCandidate }: JudgeInput): Judged['basis'] {
  if (source.kind === 'split') return 'split';
  if (!needsReference(source.kind)) return 'limit';
  if (baseline?.kind === 'fixed' && takesTotals(source.kind)) return 'fixed';
  const besideStable = hasCandidate && period.against === 'stable' && arms !== 'one';
  return besideStable && baseline?.kind !== 'offset' ? 'stable' : 'past';
}

/** One arm, and how it is called in a sentence. */
interface Side {
  readonly arm: Series | null;
  readonly who: string;
}

interface ArmTest {
  readonly metric: Metric;
  readonly suspect: Side;
  /** Null: the metric's own fixed totals. */
  readonly reference: Side | null;
  readonly samples: MetricSamples | null;
  readonly past: Series | null;
  readonly concurrent: boolean;
  readonly input: JudgeInput;
}

/** Whether the two arms can be judged at all, and if so, the kind's own test. */
function testArm(test: ArmTest): Outcome {
  const { metric, suspect, samples, input } = test;
  const { period, settings } = input;
  const missing = samples === null ? 'it was not read' : samples.missing;
  const needed = needsReference(metric.source.kind) ? test.reference : null;
  if (suspect.arm === null) return noData(missing ?? `${suspect.who} has no numbers`);
  if (needed !== null && needed.arm === null) return noData(missing ?? `${needed.who} has no numbers`);
  const first = { arm: suspect.arm, who: suspect.who };
  const asked = needed?.arm ? [first, { arm: needed.arm, who: needed.who }] : [first];
  for (const { arm, who } of asked) {
    const why = whyNotJudged(arm, who, metric, period, settings.windowMs);
    if (why !== null) return noData(missing === null ? why : `${why}; ${missing}`);
  }
  const { windowMs, minimumWindows } = settings;
  return testOf({
    metric,
    suspect: first.arm,
    reference: test.reference?.arm ?? null,
    period,
    settings,
    concurrent: test.concurrent,
    mayBeHealthy: asked.every(({ arm }) => coversRecent(arm, metric, period, windowMs, minimumWindows)),
    past: test.past,
    budget: samples?.budget ?? null,
    memory: (input.memory ?? forgetful).at(`${metric.name}: ${suspect.who}, ${test.reference?.who ?? ''}`),
  });
}
