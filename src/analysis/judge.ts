import { type ArmRead, armOf, coversRecent, everythingOf, movedInto, whyNotJudged } from './arms/arm.ts';
import { withLearnedTolerance } from './arms/history.ts';
import { judgedPeriod, whyTooSoon } from './arms/period.ts';
import type { Memory } from './evidence/memory.ts';
import { settle } from './kinds/absolute.ts';
import { needsReference, takesTotals, testOf } from './kinds/index.ts';
import type { ComparisonSettings, LookPeriod, Metric, MetricComparison, MetricSamples } from './types.ts';
import { noData, type Outcome } from './verdict/outcome.ts';
import { pastName } from './verdict/sentence.ts';

/** The arms of one metric, ready to be compared; the past is laid over the present. */
export interface Arms {
  readonly stableNow: ArmRead | null;
  readonly stableBefore: ArmRead | null;
  readonly candidateNow: ArmRead | null;
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
  readonly candidateVersusPast: () => Outcome;
}

export interface JudgeInput {
  readonly settings: ComparisonSettings;
  readonly period: LookPeriod;
  readonly hasCandidate: boolean;
  /** False: the verdicts alone, without intervals, sentences and lines, which cost more than they. */
  readonly draw?: boolean;
  /** Of this rollout's earlier looks, or of any; absent: everything is summed anew, and comes to the same. */
  readonly memory?: Memory;
}

/** What one metric is judged by: arms and tests stand in the memory's room, and hold until the next look begins. */
interface Judging extends JudgeInput {
  readonly memory: Memory;
}

export function judge(metric: Metric, samples: MetricSamples | null, input: Judging): Judged {
  const { settings, memory } = input;
  const period = judgedPeriod(metric, input.period, settings.windowMs);
  const learned = withLearnedTolerance(metric, samples?.history ?? null, period);
  const two = input.hasCandidate && metric.arms !== 'one';
  const past = everythingOf(samples?.stableBefore ?? null, metric, memory.room);
  const arms: Arms = {
    stableNow: armOf(samples?.stableNow ?? null, metric, period, memory.room),
    stableBefore: movedInto(past, period, period.beforeOffsetMs, memory.room),
    candidateNow: two ? armOf(samples?.candidateNow ?? null, metric, period, memory.room) : null,
  };
  const basis = basisOf(metric, input);
  const tooSoon = whyTooSoon(metric, input.period, settings.windowMs);
  const outcomes =
    tooSoon === null ? outcomesOf(learned, { arms, past, basis, samples }, { ...input, period }) : never(tooSoon);
  const { main, stable, candidateVersusPast } = outcomes;
  const suspect = two ? 'candidate' : 'service';
  return { metric: learned, period, arms, basis, suspect, main, stable, candidateVersusPast };
}

type Outcomes = Pick<Judged, 'main' | 'stable' | 'candidateVersusPast'>;

function never(why: string): Outcomes {
  return { main: noData(why), stable: noData(why), candidateVersusPast: () => noData(why) };
}

interface Read {
  readonly arms: Arms;
  /** Stable's past as far as it was read, at its own times. */
  readonly past: ArmRead | null;
  readonly basis: Judged['basis'];
  readonly samples: MetricSamples | null;
}

function outcomesOf(metric: Metric, { arms, past: whole, basis, samples }: Read, input: Judging): Outcomes {
  const { period, hasCandidate, memory } = input;
  const one = metric.arms === 'one';
  const service = one ? 'the service' : 'stable';
  const stable: Side = { name: 'stable', arm: arms.stableNow, who: service };
  const candidate: Side = { name: 'candidate', arm: arms.candidateNow, who: 'the candidate' };
  const past: Side = { name: 'past', arm: arms.stableBefore, who: `${service} ${pastName(period.beforeOffsetMs)}` };
  const none = () => noData('there is no candidate');
  const budget = samples?.budget ?? null;
  const test = (suspect: Side, reference: Side | null) =>
    testArm({ metric, suspect, reference, samples, past: whole, concurrent: reference === stable, input });
  if (one) {
    // One series for the whole service: there is one question to ask of it.
    const alone = test(stable, basis === 'fixed' ? null : past);
    const facts = { budget, period, hasCandidate: false, room: memory.room };
    const { main } = settle({ main: alone, stable: alone, candidateVersusPast: none }, metric, facts);
    return { main, stable: main, candidateVersusPast: () => (hasCandidate ? main : none()) };
  }
  const stableOutcome = test(stable, past);
  const candidateVersusPast = once(() => (hasCandidate ? test(candidate, past) : none()));
  const main =
    basis === 'fixed'
      ? test(hasCandidate ? candidate : stable, null)
      : !hasCandidate
        ? stableOutcome
        : basis === 'stable' || basis === 'split'
          ? test(candidate, stable)
          : candidateVersusPast();
  const facts = { budget, period, hasCandidate, room: memory.room };
  return settle({ main, stable: stableOutcome, candidateVersusPast }, metric, facts);
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
  readonly name: 'stable' | 'candidate' | 'past';
  readonly arm: ArmRead | null;
  readonly who: string;
}

interface ArmTest {
  readonly metric: Metric;
  readonly suspect: Side;
  /** Null: the metric's own fixed totals. */
  readonly reference: Side | null;
  readonly samples: MetricSamples | null;
  readonly past: ArmRead | null;
  readonly concurrent: boolean;
  readonly input: Judging;
}

/** Whether the two arms can be judged at all, and if so, the kind's own test. */
function testArm(test: ArmTest): Outcome {
  const { metric, suspect, samples, input } = test;
  const { period, settings } = input;
  const missing = samples === null ? 'it was not read' : samples.missing;
  const needed = needsReference(metric.source.kind) ? test.reference : null;
  if (suspect.arm === null) return noData(missing ?? `${suspect.who} has no numbers`);
  if (needed !== null && needed.arm === null) return noData(missing ?? `${needed.who} has no numbers`);
  const why = whyNot(suspect, test) ?? (needed && whyNot(needed, test));
  if (why !== null) return noData(missing === null ? why : `${why}; ${missing}`);
  const { memory } = input;
  return testOf({
    metric,
    suspect: suspect.arm,
    reference: test.reference?.arm ?? null,
    period,
    settings,
    concurrent: test.concurrent,
    mayBeHealthy: isCovered(suspect, test) && (needed === null || isCovered(needed, test)),
    past: test.past,
    budget: samples?.budget ?? null,
    memory: memory
      .at(metric.name)
      .at(suspect.name)
      .at(test.reference?.name ?? ''),
  });
}

function whyNot({ arm, who }: Side, { metric, input: { period, settings } }: ArmTest): string | null {
  return arm && whyNotJudged(arm, who, metric, period, settings.windowMs);
}

function isCovered({ arm }: Side, { metric, input: { period, settings } }: ArmTest): boolean {
  return arm !== null && coversRecent(arm, metric, period, settings.windowMs, settings.minimumWindows);
}
