import type { MetricComparison } from '../../analysis/types.ts';
import { utcTime } from '../../domain/words.ts';
import type { Block } from './blocks.ts';
import { type Facts, isOneArmed } from './held-against.ts';
import { outside } from './text.ts';

/** Slack's limits of a chart. */
const TITLE = 50;
const CATEGORIES = 20;

type Point = MetricComparison['line'][number];
interface Line {
  readonly name: string;
  readonly value: (point: Point) => number | null;
}

/**
 * Stable against candidate over time, for the first of the metrics that has two points or more; null where none has. An arm that
 * has no numbers is left out, and so are windows in which one has none: a gap is not a zero.
 */
export function chart(metrics: readonly MetricComparison[], facts: Facts): Block | null {
  const metric = metrics.find((m) => points(m, lines(m, facts)).length >= 2);
  if (!metric) return null;
  const drawn = lines(metric, facts);
  const shown = points(metric, drawn);
  const scale = metric.isShare ? 100 : 1;
  return {
    type: 'data_visualization',
    title: outside(`${metric.title} over time`, TITLE),
    chart: {
      type: 'line',
      series: drawn.map(({ name, value }) => ({
        name,
        data: shown.map((point) => ({ label: label(point.endMs), value: rounded((value(point) ?? 0) * scale) })),
      })),
      axis_config: {
        categories: shown.map((point) => label(point.endMs)),
        x_label: 'Time (UTC)',
        y_label: yLabel(metric),
      },
    },
  };
}

/** The arms that have something to draw. */
function lines(metric: MetricComparison, facts: Facts): readonly Line[] {
  const isWhole = isOneArmed(metric, facts);
  const name = facts.arms === 1 ? 'Now' : isWhole ? 'Whole service' : 'Stable';
  const stable: Line = { name, value: (p) => p.stable };
  const all =
    facts.arms === 2 && !isWhole ? [stable, { name: 'Candidate', value: (p: Point) => p.candidate }] : [stable];
  return all.filter(({ value }) => metric.line.filter((p) => isNumber(value(p))).length >= 2);
}

function yLabel(metric: MetricComparison): string {
  const unit = metric.isShare ? '%' : metric.unit;
  return outside(unit === '' ? metric.title : `${metric.title.slice(0, 30)} (${unit})`, TITLE);
}

function points(metric: MetricComparison, drawn: readonly Line[]): readonly Point[] {
  if (drawn.length === 0) return [];
  const seen = new Set<string>();
  return metric.line
    .filter((p) => drawn.every(({ value }) => isNumber(value(p))))
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
