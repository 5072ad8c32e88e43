import type { Comparison, Metric, MetricComparison } from '../../analysis/types.ts';
import { duration, list } from '../../domain/words.ts';
import type { CardView } from '../../ports/chat.ts';
import { outside } from './text.ts';

/** What each metric is held against, so that nobody reads "stable" where it is something else. */

const DAY_MS = 86_400_000;
const TITLE_LENGTH = 40;
const SHOWN = 4;

/** What a comparison does not say of itself: how its metrics are defined, and whether there are two arms. */
export interface Facts {
  /** 2: a rollout, candidate beside stable. 1: the service against its own past. */
  readonly arms: 1 | 2;
  readonly metrics: readonly Metric[];
  /** Where the past of a service without a rollout is looked for (ms ago). */
  readonly lastWeekOffsetMs: number;
}

export function factsOf({ rollout, policy }: Pick<CardView, 'rollout' | 'policy'>): Facts {
  return {
    arms: rollout ? 2 : 1,
    metrics: rollout?.plan.metrics ?? policy.metrics,
    lastWeekOffsetMs: (rollout?.plan.comparison ?? policy.comparison).lastWeekOffsetMs,
  };
}

export function definitionOf(metric: MetricComparison, facts: Facts): Metric | undefined {
  return facts.metrics.find((m) => m.name === metric.metric);
}

/** The metric's title, escaped. */
export function title(metric: Pick<MetricComparison, 'metric' | 'title'>): string {
  return outside(metric.title === '' ? metric.metric : metric.title, TITLE_LENGTH);
}

/** One series for the whole service: candidate and stable cannot be told apart by it. */
export function isOneArmed(metric: MetricComparison, facts: Facts): boolean {
  return definitionOf(metric, facts)?.arms === 'one';
}

/** "Stable", "Before", "Yesterday", "Last week", "Fixed baseline", "Its limit", "As configured". */
export function against(metric: MetricComparison, facts: Facts): string {
  switch (metric.basis ?? (facts.arms === 2 && !isOneArmed(metric, facts) ? 'stable' : 'past')) {
    case 'stable':
      return 'Stable';
    case 'past':
      return past(metric, facts);
    case 'fixed':
      return 'Fixed baseline';
    case 'limit':
      return 'Its limit';
    case 'split':
      return 'As configured';
  }
}

function past(metric: MetricComparison, facts: Facts): string {
  const baseline = definitionOf(metric, facts)?.baseline;
  if (baseline?.kind === 'offset') return ago(baseline.offsetMs);
  return facts.arms === 1 ? ago(facts.lastWeekOffsetMs) : 'Before';
}

function ago(offsetMs: number): string {
  if (offsetMs === 7 * DAY_MS) return 'Last week';
  return offsetMs === DAY_MS ? 'Yesterday' : `${duration(offsetMs)} ago`;
}

/** What is known of the whole service: without a version label it stands where stable's numbers would. */
export function wholeService(metric: MetricComparison): MetricComparison['stableNow'] {
  return metric.stableNow.value === null ? metric.candidateNow : metric.stableNow;
}

/** Nothing to be judged yet because the answers' labels come later: no reason for alarm. */
export function waitsForLabels(metric: MetricComparison, facts: Facts): boolean {
  const delayMs = definitionOf(metric, facts)?.labelDelayMs ?? 0;
  return delayMs > 0 && metric.verdict === 'no-data' && /\blabels?\b/i.test(metric.sentence);
}

/** True: what is missing for a verdict are labels that are still to come, and nothing else. */
export function onlyLabelsMissing(comparison: Comparison, facts: Facts): boolean {
  const missing = comparison.metrics.filter((m) => m.weight > 0 && m.verdict === 'no-data');
  return comparison.verdict === 'no-data' && missing.length > 0 && missing.every((m) => waitsForLabels(m, facts));
}

/**
 * "Cannot tell whether stable is equally bad: …", and by which metrics, where there are others; empty where it can be told, or where there is no stable beside the candidate.
 * Markdown, escaped.
 */
export function cannotTell(comparison: Comparison, view: Pick<CardView, 'rollout' | 'policy'>): string {
  if (comparison.canTellCommonCause !== false || comparison.commonCause) return '';
  if (!view.rollout || view.rollout.exposurePercent >= 100) return '';
  const facts = factsOf(view);
  const alone = comparison.metrics.filter((m) => isOneArmed(m, facts));
  const shown = alone.slice(0, SHOWN).map(title);
  const names = alone.length > SHOWN ? [...shown, `${alone.length - SHOWN} more`] : shown;
  if (names.length === 0) return 'ℹ️ Cannot tell whether stable is equally bad: some metrics carry no version label.';
  const others = comparison.metrics.some((m) => m.weight > 0 && m.kind !== 'split' && !alone.includes(m));
  const isOne = names.length === 1;
  return others
    ? `ℹ️ Cannot tell by ${list(names)} whether stable is equally bad: ${isOne ? 'it carries' : 'they carry'} no version label.`
    : `ℹ️ Cannot tell whether stable is equally bad: ${list(names)} ${isOne ? 'carries' : 'carry'} no version label.`;
}
