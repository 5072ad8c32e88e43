import type { Comparison, MetricComparison } from '../../analysis/types.ts';
import type { Alert } from '../../domain/state.ts';
import { worstFirst } from './table.ts';

/**
 * Metrics in the order they deserve the chart. Once the numbers say something, the worst; before that what the alert is about that
 * fires (or fired), where one of them can be told from its name or labels, then again the worst.
 */
export function chartOrder(comparison: Comparison, alerts: readonly Alert[]): readonly MetricComparison[] {
  const worst = worstFirst(comparison);
  const says = comparison.verdict === 'healthy' || comparison.metrics.some((m) => m.verdict === 'degraded');
  if (says) return worst;
  const firing = alerts.filter((a) => a.status === 'firing');
  const spoken = (firing.length > 0 ? firing : alerts).map(wordsOf);
  const matched = worst
    .map((metric) => ({ metric, score: Math.max(0, ...spoken.map((words) => matchOf(metric, words))) }))
    .sort((a, b) => b.score - a.score);
  return matched.map(({ metric }) => metric);
}

/** How many words of its name or title an alert says, where it says all of them; else 0. */
function matchOf(metric: MetricComparison, spoken: ReadonlySet<string>): number {
  const counts = [metric.metric, metric.title].map((name) => {
    const words = split(name);
    return words.length > 0 && words.every((word) => spoken.has(word)) ? words.length : 0;
  });
  return Math.max(...counts);
}

/** The words of an alert's name and of its labels, but for those that only say whose it is. */
function wordsOf({ name, labels }: Alert): ReadonlySet<string> {
  const whose = new Set(['service', 'job', 'instance', 'namespace', 'pod', 'severity', 'version']);
  const told = Object.entries(labels).filter(([label]) => !whose.has(label));
  return new Set([name, ...told.map(([, value]) => value)].flatMap(split));
}

/** "HighErrorRate", "error_rates" → "high", "error", "rate": apart at case and marks, without a plural's s. */
function split(text: string): string[] {
  return text
    .slice(0, 300)
    .replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => (word.length > 3 ? word.replace(/s$/, '') : word))
    .filter((word) => word !== '');
}
