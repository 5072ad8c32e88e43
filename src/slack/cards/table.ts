import type { Comparison, MetricComparison } from '../../analysis/types.ts';
import type { Block } from './blocks.ts';
import { change, count, limit, reading, VERDICT, verdictWords } from './numbers.ts';
import { outside } from './text.ts';

const TITLE_LENGTH = 40;

interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly cell: (metric: MetricComparison) => string;
}

const METRIC: Column = { title: 'Metric', align: 'left', cell: (m) => title(m) };
const CHANGE: Column = { title: 'Change', align: 'right', cell: change };
const LIMIT: Column = { title: 'Limit', align: 'right', cell: limit };
const VERDICT_COLUMN: Column = {
  title: 'Verdict',
  align: 'left',
  cell: (m) => `${verdictWords(m.verdict)}${m.critical ? ' ‼️ critical' : ''}`,
};

/** A rollout: candidate against stable, with stable's own past beside them. What a phone shows first stands first. */
const TWO_ARMS: readonly Column[] = [
  METRIC,
  { title: 'Candidate', align: 'right', cell: (m) => reading(m, m.candidateNow) },
  { title: 'Stable', align: 'right', cell: (m) => reading(m, m.stableNow) },
  { title: 'Before', align: 'right', cell: (m) => reading(m, m.stableBefore) },
  VERDICT_COLUMN,
  CHANGE,
  LIMIT,
  {
    title: 'Samples',
    align: 'right',
    cell: (m) => `${count(m.candidateNow.samples)} / ${count(m.stableNow.samples)}`,
  },
];

/** No rollout: the service against its own past. */
const ONE_ARM: readonly Column[] = [
  METRIC,
  { title: 'Last week', align: 'right', cell: (m) => reading(m, m.stableBefore) },
  { title: 'Now', align: 'right', cell: (m) => reading(m, m.stableNow) },
  VERDICT_COLUMN,
  CHANGE,
  LIMIT,
  { title: 'Samples', align: 'right', cell: (m) => count(m.stableNow.samples) },
];

/** The comparison, worst metric first, at most `rows` of them. Slack allows one table a message. */
export function comparisonTable(comparison: Comparison, arms: 1 | 2, rows: number): Block {
  const columns = arms === 2 ? TWO_ARMS : ONE_ARM;
  const metrics = worstFirst(comparison).slice(0, rows);
  return table(
    columns,
    metrics.map((metric) => columns.map((column) => column.cell(metric))),
  );
}

/** A table of text cells; numbers stand to the right. */
export function table(
  columns: readonly Pick<Column, 'title' | 'align'>[],
  rows: readonly (readonly string[])[],
): Block {
  const heads = columns.map((column) => cell(column.title));
  return {
    type: 'table',
    column_settings: columns.map((column) => ({ align: column.align })),
    rows: [heads, ...rows.map((row) => row.map(cell))],
  };
}

/** What the table had no room for, in words; empty where it had. */
export function leftOut(comparison: Comparison, rows: number): string {
  const rest = worstFirst(comparison).slice(rows);
  if (rest.length === 0) return '';
  const verdicts = Object.keys(VERDICT) as (keyof typeof VERDICT)[];
  const counts = verdicts
    .map((verdict) => ({ verdict, number: rest.filter((m) => m.verdict === verdict).length }))
    .filter(({ number }) => number > 0)
    .map(({ verdict, number }) => `${number} ${VERDICT[verdict].word.toLowerCase()}`);
  return `…and ${rest.length} more ${rest.length === 1 ? 'metric' : 'metrics'}: ${counts.join(', ')}`;
}

const RANK = { degraded: 0, inconclusive: 1, 'no-data': 2, healthy: 3 } as const;

/** Degraded ones first, the best proven first among them; ties as the policy lists them. */
export function worstFirst(comparison: Comparison): readonly MetricComparison[] {
  return [...comparison.metrics].sort(
    (a, b) =>
      Number(b.critical) - Number(a.critical) ||
      RANK[a.verdict] - RANK[b.verdict] ||
      known(b.evidence) * b.weight - known(a.evidence) * a.weight,
  );
}

/** What was stored as JSON brings infinite evidence back as null. */
function known(evidence: number | null): number {
  return evidence === null ? Number.MAX_VALUE : evidence;
}

export function title(metric: MetricComparison): string {
  return outside(metric.title === '' ? metric.metric : metric.title, TITLE_LENGTH);
}

/** One line a metric, for where no table can be drawn. */
export function metricLine(metric: MetricComparison): string {
  const numbers =
    metric.candidateNow.value === null
      ? `${reading(metric, metric.stableNow)} now, ${reading(metric, metric.stableBefore)} before`
      : `${reading(metric, metric.candidateNow)} candidate, ${reading(metric, metric.stableNow)} stable`;
  return `${VERDICT[metric.verdict].emoji} ${title(metric)}: ${numbers}, ${change(metric)}`;
}

function cell(text: string): { type: 'raw_text'; text: string } {
  return { type: 'raw_text', text: text === '' ? '–' : text };
}
