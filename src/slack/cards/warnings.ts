import type { Comparison, MetricComparison } from '../../analysis/types.ts';
import type { Rollout } from '../../domain/state.ts';
import { list } from '../../domain/words.ts';
import { isOnItsWay, presentGate } from './gate.ts';
import { title } from './held-against.ts';

const SHOWN = 5;

/** Metrics that look worse and prove nothing, but for those that are said louder elsewhere: degraded ones, and the split of an A/B test. */
function warned(comparison: Comparison, rollout: Rollout | null): readonly MetricComparison[] {
  const names = new Set(comparison.warnings ?? []);
  const isAb = rollout !== null && isOnItsWay(rollout) && presentGate(rollout)?.kind === 'ab';
  return comparison.metrics.filter(
    (m) => names.has(m.metric) && m.verdict !== 'degraded' && !m.critical && !(isAb && m.kind === 'split'),
  );
}

/** "👀 Looks different, decides nothing: Amount (drift) and Error rate (not certain)"; empty where nothing does. Escaped. */
export function warningLine(comparison: Comparison, rollout: Rollout | null): string {
  const all = warned(comparison, rollout);
  if (all.length === 0) return '';
  const shown = all.slice(0, SHOWN).map((m) => `${title(m)} (${why(m)})`);
  const names = all.length > SHOWN ? [...shown, `${all.length - SHOWN} more`] : shown;
  return `👀 Looks different, decides nothing: ${list(names)}`;
}

function why(metric: MetricComparison): string {
  switch (metric.kind) {
    case 'drift':
      return 'drift';
    case 'drift-score':
      return 'past its limit';
    case 'limit':
    case 'objective':
      if (metric.sentence.includes('budget')) return 'burning budget';
      return metric.sentence.includes('not to blame') ? 'stable too' : 'not certain yet';
    case 'split':
      return 'split not as configured';
    default:
      return metric.weight > 0 ? 'not certain yet' : 'warns only';
  }
}

/** Drift is neither well nor degraded: it has moved, or not. */
export function isShifted(metric: MetricComparison, comparison: Comparison): boolean {
  const isDrift = metric.kind === 'drift' || metric.kind === 'drift-score';
  return isDrift && (comparison.warnings ?? []).includes(metric.metric);
}
