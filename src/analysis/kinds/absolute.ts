import type { Room } from '../evidence/room.ts';
import type { LookPeriod, Metric, Series } from '../types.ts';
import { LN_DEGRADED, LN_WARNING, noData, type Outcome } from '../verdict/outcome.ts';
import { burnOf } from './burn.ts';

/** One metric's outcomes in the three ways the decisions ask about (judge.ts). */
interface Outcomes {
  readonly main: Outcome;
  readonly stable: Outcome;
  /** A test of its own, made once it is asked for. */
  readonly candidateVersusPast: () => Outcome;
}

interface Facts {
  readonly budget: Series | null;
  readonly period: LookPeriod;
  readonly hasCandidate: boolean;
  readonly room: Room;
}

/** False where a metric has no meaning now and so counts for nothing: a split while all traffic goes one way, or in the shadow. */
export function isAsked({ source }: Metric, { period, hasCandidate }: Pick<Facts, 'period' | 'hasCandidate'>): boolean {
  if (source.kind !== 'split') return true;
  const now = period.exposures?.findLast(({ fromMs }) => fromMs <= period.toMs)?.percent;
  return hasCandidate && period.against === 'stable' && now !== undefined && now > 0 && now < 100;
}

/**
 * What the three outcomes say together: of kinds held against a number of their own, whether the rollout is to blame; of an
 * objective, how fast the service burns its budget; of a split, nothing where there are no two arms beside each other.
 */
export function settle(outcomes: Outcomes, metric: Metric, facts: Facts): Outcomes {
  const { kind } = metric.source;
  const besideStable = facts.hasCandidate && facts.period.against === 'stable';
  if (kind === 'split') {
    const none = noData('traffic is not split');
    return { main: isAsked(metric, facts) ? outcomes.main : none, stable: none, candidateVersusPast: () => none };
  }
  if (kind !== 'limit' && kind !== 'objective') return outcomes;
  const blamed = besideStable ? blame(outcomes.main, outcomes.stable) : outcomes.main;
  const main = withBurn(blamed, metric, facts);
  return { ...outcomes, main, stable: facts.hasCandidate ? outcomes.stable : main };
}

/**
 * The candidate's outcome where stable was held against the same limit: where stable is past it too, or looks it, the rollout is
 * not to blame, unless the candidate is further past it beyond doubt. What is left of the evidence is none.
 */
export function blame(candidate: Outcome, stable: Outcome): Outcome {
  const isPast = candidate.verdict === 'degraded' || candidate.lnWorse >= LN_DEGRADED;
  if (!isPast || stable.lnWorse < LN_WARNING) return candidate;
  const ours = candidate.change();
  const theirs = stable.change();
  if (ours !== null && theirs !== null && ours.lower > theirs.upper) return candidate;
  const word = stable.lnWorse >= LN_DEGRADED ? 'is' : 'looks';
  return {
    ...candidate,
    verdict: 'inconclusive',
    lnWorse: 0,
    warning: `stable ${word} past it too, so the rollout is not to blame`,
  };
}

/** The outcome with what the service's error budget says. */
export function withBurn(outcome: Outcome, metric: Metric, facts: Facts): Outcome {
  const burn = burnOf(metric, facts.budget, facts.period.toMs, facts.room);
  if (burn === null) return outcome;
  const speed = burn.rate === 1 ? 'faster than allowed' : `more than ${burn.rate} times as fast as allowed`;
  const text = `burns its error budget ${speed}: over ${burn.over}`;
  const warning = outcome.warning === null ? `the service ${text}` : `${outcome.warning}; the service ${text}`;
  if (outcome.verdict === 'no-data' || !burn.isFast) return { ...outcome, warning };
  // Watched alone, the service is what burns; beside a candidate it is not said who does.
  if (!facts.hasCandidate) return { ...outcome, verdict: 'degraded', warning };
  return { ...outcome, verdict: outcome.verdict === 'healthy' ? 'inconclusive' : outcome.verdict, warning };
}
