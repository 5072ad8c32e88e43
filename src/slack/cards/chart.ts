import type { Comparison, MetricComparison } from '../../analysis/types.ts';
import { utcTime } from '../../domain/words.ts';
import type { Block } from './blocks.ts';
import { worstFirst } from './table.ts';
import { outside } from './text.ts';

/** Slack's limits of a chart. */
const TITLE = 50;
const CATEGORIES = 20;
const SERIES_NAME = 20;

/**
 * Stable against candidate over time, for the worst metric that has a line of two points or more; null where none has.
 * Windows in which an arm has no number are left out: a gap is not a zero.
 */
export function chart(comparison: Comparison, arms: 1 | 2): Block | null {
  const metric = worstFirst(comparison).find((m) => points(m, arms).length >= 2);
  if (!metric) return null;
  const line = points(metric, arms);
  const scale = metric.isShare ? 100 : 1;
  const series = (name: string, read: (point: (typeof line)[number]) => number | null) => ({
    name: name.slice(0, SERIES_NAME),
    data: line.map((point) => ({ label: label(point.endMs), value: rounded((read(point) ?? 0) * scale) })),
  });
  return {
    type: 'data_visualization',
    title: outside(`${metric.title} over time`, TITLE),
    chart: {
      type: 'line',
      series:
        arms === 2
          ? [series('Stable', (p) => p.stable), series('Candidate', (p) => p.candidate)]
          : [series('Now', (p) => p.stable)],
      axis_config: {
        categories: line.map((point) => label(point.endMs)),
        x_label: 'Time (UTC)',
        y_label: yLabel(metric),
      },
    },
  };
}

function yLabel(metric: MetricComparison): string {
  const unit = metric.isShare ? '%' : metric.unit;
  return outside(unit === '' ? metric.title : `${metric.title.slice(0, 30)} (${unit})`, TITLE);
}

function points(metric: MetricComparison, arms: 1 | 2): MetricComparison['line'] {
  const seen = new Set<string>();
  return metric.line
    .filter((p) => isNumber(p.stable) && (arms === 1 || isNumber(p.candidate)))
    .filter((p) => !seen.has(label(p.endMs)) && seen.add(label(p.endMs)))
    .slice(-CATEGORIES);
}

function isNumber(value: number | null): boolean {
  return value !== null && Number.isFinite(value);
}

function label(ms: number): string {
  return utcTime(ms).slice(0, 8);
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
