import type { Comparison, MetricComparison, Reading } from '../analysis/types.ts';
import type { Policy } from './policy.ts';
import { planOf } from './rollouts.ts';
import type { Plan, ServiceState } from './state.ts';

const UNREAD: Reading = { value: null, samples: 0 };
const NOTHING_PAST: ServiceState['past'] = { rollouts: [], degradations: [] };
/** Metrics with their verdicts that are held once. Beyond them there are no thousands of rollouts that say the same. */
const MOST_SHARED = 256;

/** Of a state at which a look can be quiet (quiet.ts); `policy` is the one in force. */
export type Outliner = (state: ServiceState, policy: Policy) => ServiceState;

/**
 * Outlines of states, in a tenth of their room: without the numbers, sentences and charts of comparisons, what people said, and what
 * is over. What thousands of them have in common is held once: what was found of each metric, and the plan where the policy says the same.
 * What a look reads, and whether it is quiet, comes to the same by an outline as by the state; nothing else may be decided by it.
 */
export function createOutliner(): Outliner {
  const shared = new Map<string, Comparison['metrics']>();
  const verdictsOf = (metrics: Comparison['metrics']) => {
    const verdicts = metrics.map(withoutNumbers);
    const text = JSON.stringify(verdicts);
    const known = shared.get(text);
    if (known) return known;
    if (shared.size >= MOST_SHARED) shared.clear();
    shared.set(text, verdicts);
    return verdicts;
  };
  const outlineOf = (comparison: Comparison | null) =>
    comparison && { ...comparison, metrics: verdictsOf(comparison.metrics) };
  return (state, policy) => {
    const { rollout, degradation, served } = state;
    return {
      ...state,
      past: NOTHING_PAST,
      served: served.slice(-1),
      degradation: degradation && {
        ...degradation,
        signals: [],
        milestones: [],
        comparison: outlineOf(degradation.comparison),
      },
      rollout: rollout && {
        ...rollout,
        reason: '',
        plan: sharedPlan(rollout.plan, policy),
        comparison: outlineOf(rollout.comparison),
      },
    };
  };
}

function sharedPlan(plan: Plan, policy: Policy): Plan {
  const present = planOf(policy);
  return JSON.stringify(present) === JSON.stringify(plan) ? present : plan;
}

/** What it says stays: that is what tells one look from the next. */
function withoutNumbers(metric: MetricComparison): MetricComparison {
  return {
    ...metric,
    stableBefore: UNREAD,
    stableNow: UNREAD,
    candidateNow: UNREAD,
    change: null,
    limit: 0,
    limitText: '',
    evidence: 1,
    sentence: '',
    line: [],
  };
}
