import type { Comparison, MetricComparison } from '../../analysis/types.ts';
import type { Block } from './blocks.ts';
import { against, type Facts, isOneArmed, title, waitsForLabels, wholeService } from './held-against.ts';
import { change, count, limit, reading, VERDICT, verdictWords } from './numbers.ts';
import { isShifted } from './warnings.ts';

export { title } from './held-against.ts';

interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly cell: (metric: MetricComparison) => string;
}

const METRIC: Column = { title: 'Metric', align: 'left', cell: (m) => title(m) };
const LIMIT: Column = { title: 'Limit', align: 'right', cell: limit };

/** The comparison, worst metric first, at most `rows` of them. Slack allows one table a message. */
export function comparisonTable(comparison: Comparison, facts: Facts, rows: number): Block {
  const metrics = drawn(comparison, facts).slice(0, rows);
  // Where no metric knows the arms apart, columns for them would only be empty.
  const alone = facts.arms === 1 || metrics.every((m) => isOneArmed(m, facts));
  const columns = alone ? oneArm(metrics, facts, comparison) : twoArms(metrics, facts, comparison);
  return table(
    columns,
    metrics.map((metric) => columns.map((column) => column.cell(metric))),
  );
}

/** Worst first; without a second arm there is no split that could be measured, and no row for it. */
function drawn(comparison: Comparison, facts: Facts): readonly MetricComparison[] {
  return worstFirst(comparison).filter((m) => facts.arms === 2 || m.kind !== 'split');
}

/** A rollout: candidate against stable, with stable's own past beside them. What a phone shows first stands first. */
function twoArms(metrics: readonly MetricComparison[], facts: Facts, comparison: Comparison): readonly Column[] {
  const stable = (m: MetricComparison) =>
    isOneArmed(m, facts) ? `${reading(m, wholeService(m))} (all)` : reading(m, m.stableNow);
  const candidate = (m: MetricComparison) => (isOneArmed(m, facts) ? '–' : reading(m, m.candidateNow));
  const samples = (m: MetricComparison) =>
    isOneArmed(m, facts) ? samplesOf(wholeService(m)) : `${samplesOf(m.candidateNow)} / ${samplesOf(m.stableNow)}`;
  return [
    METRIC,
    { title: 'Candidate', align: 'right', cell: candidate },
    { title: 'Stable', align: 'right', cell: stable },
    { title: 'Before', align: 'right', cell: (m) => reading(m, m.stableBefore) },
    verdictColumn(facts, comparison),
    ...changeColumns(metrics, facts, 'Stable'),
    LIMIT,
    { title: 'Samples', align: 'right', cell: samples },
  ];
}

/** No rollout, or none that the metrics could show: the service against its own past. */
function oneArm(metrics: readonly MetricComparison[], facts: Facts, comparison: Comparison): readonly Column[] {
  const [first, ...others] = new Set(metrics.map((m) => against(m, facts)));
  const isPast = others.length === 0 && metrics[0]?.basis !== 'fixed' && metrics[0]?.basis !== 'limit';
  const past = isPast && first ? first : 'Before';
  return [
    METRIC,
    { title: past, align: 'right', cell: (m) => reading(m, m.stableBefore) },
    { title: 'Now', align: 'right', cell: (m) => reading(m, wholeService(m)) },
    verdictColumn(facts, comparison),
    ...changeColumns(metrics, facts, past),
    LIMIT,
    { title: 'Samples', align: 'right', cell: (m) => samplesOf(wholeService(m)) },
  ];
}

function verdictColumn(facts: Facts, comparison: Comparison): Column {
  const words = (m: MetricComparison) => {
    if (waitsForLabels(m, facts)) return '⏳ Waits for labels';
    return isShifted(m, comparison) ? '👀 Looks different' : verdictWords(m.verdict);
  };
  return { title: 'Verdict', align: 'left', cell: (m) => `${words(m)}${m.critical ? ' ‼️ critical' : ''}` };
}

/** The change, and against what: in the head where that is the same for all, in a column of its own where it differs. */
function changeColumns(metrics: readonly MetricComparison[], facts: Facts, usual: string): readonly Column[] {
  // Where no change is known it is against nothing.
  const found = new Set(metrics.filter((m) => m.change !== null).map((m) => against(m, facts)));
  const [only = usual, ...others] = found;
  if (others.length > 0) {
    return [
      { title: 'Change', align: 'right', cell: change },
      { title: 'Against', align: 'left', cell: (m) => (m.change === null ? '–' : against(m, facts)) },
    ];
  }
  const head = only === usual ? 'Change' : `Against ${only.charAt(0).toLowerCase()}${only.slice(1)}`;
  return [{ title: head, align: 'right', cell: change }];
}

/** None read is no zero. */
function samplesOf({ value, samples }: MetricComparison['stableNow']): string {
  return value === null && !(samples > 0) ? '–' : count(samples);
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
export function leftOut(comparison: Comparison, facts: Facts, rows: number): string {
  const rest = drawn(comparison, facts).slice(rows);
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
