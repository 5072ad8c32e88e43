import type { Counts } from '../arms/counts.ts';
import { type CountPairs, coarsen } from '../arms/pairs.ts';
import type { Memory } from '../evidence/memory.ts';
import { learnNoise } from '../evidence/noise.ts';
import { clamp, logMeanExp } from '../evidence/numbers.ts';
import {
  lnEvidence,
  lowerBound,
  RATIO_CAP,
  type RatioTest,
  ratioTest,
  runFrom,
  upperBound,
  withAllowance,
} from '../evidence/ratio.ts';
import { restartIndices } from '../evidence/restarts.ts';
import type { LookPeriod, Tolerance } from '../types.ts';
import {
  type Change,
  LN_DEGRADED,
  LN_HEALTHY,
  LN_LIMIT,
  LN_WARNING,
  type Outcome,
  verdictOf,
  worseBeyondLimit,
} from '../verdict/outcome.ts';

/**
 * Tests of counted metrics. A proportion or a rate is one stratum; a latency is one for every bucket bound that is tested,
 * and its evidence is their average.
 */
export interface Stratum {
  readonly pairs: CountPairs;
  /** The same of stable's past, to learn its noise from. */
  readonly past: Counts;
  /** Good ones are counted, and the arms have changed places. */
  readonly ofGood?: boolean;
  /** The bucket bound, with the arms as they are (before a swap); null for proportions and rates. */
  readonly tail: { readonly bound: number; readonly suspect: number; readonly reference: number } | null;
}

export interface CountedQuestion {
  readonly strata: readonly Stratum[];
  readonly tolerance: Tolerance;
  readonly period: LookPeriod;
  readonly windowMs: number;
  readonly weight: number;
  readonly minimumWindows: number;
  /** Enough of the windows after `healthyFromMs` were read, with enough events in them. */
  readonly mayBeHealthy: boolean;
  /** Events per exposure that are as good as none, where a tolerance for them is not given and none were seen. */
  readonly asGoodAsNone: number;
  /**
   * Both arms at the same time. Against the past more is asked (ALPHA_DEGRADED of the limit itself, no noise but the ordinary
   * allowance): an hour is not like the one before it, and nothing that both share cancels.
   */
  readonly concurrent: boolean;
  readonly memory: Memory;
}

interface StratumEvidence {
  readonly stratum: Stratum;
  readonly all: CountPairs;
  /** The first window after `healthyFromMs`; as many as there are: there is none yet. */
  readonly since: number;
  readonly test: RatioTest;
  readonly recentTest: RatioTest;
  /** That it is worse at all, and that it is worse than is tolerated. */
  readonly lnWorseAtAll: number;
  readonly lnBeyondLimit: number;
  readonly lnOk: number;
}

export function testCounted(question: CountedQuestion): Outcome {
  const { tolerance } = question;
  const strata = question.strata.map((stratum) => evidenceOf(stratum, question));
  const lnWorse = lnWorseOf(strata, question);
  const lnOk = lnMean(strata, okOf);
  // An average hides one bad tail among good ones: none of them may look worse by itself.
  const warned = strata.length > 1 ? strata.some((s) => looksWorse([s], question)) : looksWorse(strata, question);
  const windows = strata.reduce((most, s) => Math.max(most, s.stratum.pairs.length), 0);
  const shown = strataToShow(strata);
  const limit = shown === null ? 0 : limitOf(shown.all, tolerance);
  const verdict = verdictOf({
    lnWorse,
    lnOk,
    weight: question.weight,
    enoughWindows: windows >= question.minimumWindows,
    mayBeHealthy: question.mayBeHealthy && !warned,
  });
  return {
    verdict,
    lnWorse: windows >= question.minimumWindows ? lnWorse : 0,
    lnOk,
    // Only what is well can be better, and only of the arm that is asked about.
    lnBetter: () => lnMean(strata, betterOf),
    limit,
    change: () => (shown === null ? null : changeOf(strata, shown, question, lnWorse >= LN_DEGRADED)),
    note: {
      tail: shown?.stratum.tail ?? null,
      byDifference: shown !== null && limit > relativeLimit(tolerance) * 1.001,
      ofGood: shown?.stratum.ofGood ?? false,
    },
    missing: null,
    warning: null,
  };
}

function lnWorseOf(strata: readonly StratumEvidence[], { concurrent }: CountedQuestion): number {
  const lnBeyond = lnMean(strata, beyondLimitOf);
  return concurrent ? worseBeyondLimit(lnMean(strata, worseAtAllOf), lnBeyond) : lnBeyond;
}

function looksWorse(strata: readonly StratumEvidence[], question: CountedQuestion): boolean {
  return lnWorseOf(strata, question) >= LN_WARNING;
}

/** ln of the mean of the strata's evidence: the average of e-values is an e-value. */
function lnMean(strata: readonly StratumEvidence[], lnOf: (one: StratumEvidence) => number): number {
  const [only] = strata;
  return strata.length === 1 && only ? lnOf(only) : logMeanExp(strata.map(lnOf));
}

const okOf = (one: StratumEvidence) => one.lnOk;
const beyondLimitOf = (one: StratumEvidence) => one.lnBeyondLimit;
const worseAtAllOf = (one: StratumEvidence) => one.lnWorseAtAll;
const betterOf = (one: StratumEvidence) => lnEvidence(one.recentTest, 1, 'ok');

function evidenceOf(stratum: Stratum, question: CountedQuestion): StratumEvidence {
  const { period, tolerance, windowMs, concurrent } = question;
  const memory = question.memory.at(stratum.tail?.bound ?? '');
  const all = coarsen(stratum.pairs, windowMs, memory.room);
  const noise = concurrent ? learnNoise(stratum.past, memory.room) : null;
  const starts = restartIndices(all.ends, period.fromMs, period.toMs, period.restartsAtMs, all.length);
  const test = ratioTest(all, starts, { noise, memory });
  const since = firstAfter(all, period.healthyFromMs);
  const recentTest = runFrom(test, since, noise);
  return {
    stratum,
    all,
    since,
    test,
    recentTest,
    lnWorseAtAll: concurrent ? lnEvidence(test, 1, 'worse') : 0,
    lnBeyondLimit: lnWorseThanTolerated(test, tolerance),
    lnOk: lnWithinTolerance(recentTest, since, tolerance, question.asGoodAsNone),
  };
}

function firstAfter({ length, ends }: CountPairs, atMs: number): number {
  let i = 0;
  while (i < length && !((ends[i] ?? 0) > atMs)) i += 1;
  return i;
}

function relativeLimit(tolerance: Tolerance): number {
  return 1 + Math.max(0, tolerance.relative ?? 0);
}

/**
 * Evidence that the suspect is above both limits, the relative and the absolute one: the wider holds, which is the limit
 * max(1+relative, 1+absolute/p) without an estimate of p in it. The smaller of two evidences speaks against either.
 */
function lnWorseThanTolerated(test: RatioTest, tolerance: Tolerance): number {
  const byRatio = lnEvidence(test, relativeLimit(tolerance), 'worse');
  const absolute = tolerance.absolute ?? 0;
  if (absolute <= 0 || (byRatio <= 0 && tolerance.relative !== null)) return byRatio;
  const byDifference = lnEvidence(withAllowance(test, absolute), 1, 'worse');
  return tolerance.relative === null ? byDifference : Math.min(byRatio, byDifference);
}

/**
 * Evidence that the suspect is under the healthy ratio, or not above the reference by more than is tolerated: their average.
 * `since`: the first window it is asked of.
 */
function lnWithinTolerance(test: RatioTest, since: number, tolerance: Tolerance, asGoodAsNone: number): number {
  const byRatio = lnEvidence(test, Math.max(tolerance.healthyRatio, relativeLimit(tolerance)), 'ok');
  const absolute = tolerance.absolute ?? (hasEvents(test.columns, since) ? 0 : asGoodAsNone);
  if (!(absolute > 0)) return byRatio;
  return logMeanExp([byRatio, lnEvidence(withAllowance(test, absolute), 1, 'ok')]);
}

function hasEvents({ length, suspectEvents }: CountPairs, from: number): boolean {
  for (let i = from; i < length; i += 1) if (suspectEvents[i] !== 0) return true;
  return false;
}

interface Totals {
  readonly suspectEvents: number;
  readonly suspectExposure: number;
  readonly referenceEvents: number;
  readonly referenceExposure: number;
}

function totalsOf(pairs: CountPairs, from: number): Totals {
  const sum = { suspectEvents: 0, suspectExposure: 0, referenceEvents: 0, referenceExposure: 0 };
  for (let i = from; i < pairs.length; i += 1) {
    sum.suspectEvents += pairs.suspectEvents[i] ?? 0;
    sum.suspectExposure += pairs.suspectExposure[i] ?? 0;
    sum.referenceEvents += pairs.referenceEvents[i] ?? 0;
    sum.referenceExposure += pairs.referenceExposure[i] ?? 0;
  }
  return sum;
}

/** Ratio of the rates from a window on; half an event is added to both where the reference has none. */
function ratioOf(pairs: CountPairs, from = 0): number {
  const t = totalsOf(pairs, from);
  if (!(t.suspectExposure > 0 && t.referenceExposure > 0)) return 1;
  const extra = t.referenceEvents > 0 ? 0 : 0.5;
  const ratio = (t.suspectEvents + extra) / t.suspectExposure / ((t.referenceEvents + extra) / t.referenceExposure);
  return clamp(ratio, 0, RATIO_CAP);
}

/** The limit as a ratio, for showing: max(1+relative, 1+absolute/p), half an event added so that no events do not divide. */
function limitOf(pairs: CountPairs, tolerance: Tolerance): number {
  const t = totalsOf(pairs, 0);
  const absolute = Math.max(0, tolerance.absolute ?? 0);
  const p = t.referenceExposure > 0 ? (t.referenceEvents + 0.5) / (t.referenceExposure + 1) : 1;
  return Math.min(RATIO_CAP, Math.max(relativeLimit(tolerance), 1 + absolute / p));
}

/** The stratum the numbers are shown of: the one that speaks loudest for "worse", else the one nearest to a tail of 5 %. */
function strataToShow(strata: readonly StratumEvidence[]): StratumEvidence | null {
  let best: StratumEvidence | null = null;
  for (const s of strata) {
    if (best === null) best = s;
    else if (loudness(s) >= LN_WARNING || loudness(best) >= LN_WARNING) best = loudness(s) > loudness(best) ? s : best;
    else if (distanceToTail(s) < distanceToTail(best)) best = s;
  }
  return best;
}

/** How much it says for "worse". */
function loudness(s: StratumEvidence): number {
  return s.lnBeyondLimit;
}

function distanceToTail(s: StratumEvidence): number {
  return Math.abs(Math.log(Math.max(s.stratum.tail?.reference ?? 1, 1e-9) / 0.05));
}

function changeOf(
  strata: readonly StratumEvidence[],
  shown: StratumEvidence,
  { concurrent }: CountedQuestion,
  degraded: boolean,
): Change {
  // Asked of many ratios: none of them is worth remembering.
  const lnWorse = (ratio: number) =>
    logMeanExp(strata.map((s) => lnEvidence(s.test, ratio, 'worse', s.test.memory.passing)));
  const hasRecent = shown.since < shown.all.length;
  const lnOk = (ratio: number) =>
    logMeanExp(strata.map((s) => lnEvidence(hasRecent ? s.recentTest : s.test, ratio, 'ok', s.test.memory.passing)));
  const recent = ratioOf(shown.all, hasRecent ? shown.since : 0);
  const from = Math.max(recent, degraded ? strongestRun(shown) : 0);
  const lower = lowerBound(lnWorse, from, concurrent ? LN_LIMIT : LN_DEGRADED);
  const upper = upperBound(lnOk, recent, LN_HEALTHY);
  // Bounds and estimate come from different stretches: what is degraded is shown by the stretch that proves it.
  const others = [
    { ratio: ratioOf(shown.all), over: 'overall' as const },
    { ratio: strongestRun(shown), over: 'lately' as const },
  ];
  const proven = degraded && recent < lower ? others.find(({ ratio }) => ratio >= lower) : undefined;
  const estimate = proven?.ratio ?? recent;
  const interval = { estimate, lower: Math.min(lower, estimate), upper: Math.max(upper, estimate) };
  return proven ? { ...interval, over: proven.over } : interval;
}

/** Ratio over the copy of the test whose windows are worst: where a late regression shows undiluted. */
function strongestRun(s: StratumEvidence): number {
  return Math.max(...s.test.copies.map(({ start }) => ratioOf(s.all, start)));
}
