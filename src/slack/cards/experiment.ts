import type { Comparison, MetricComparison } from '../../analysis/types.ts';
import type { Gate } from '../../domain/policy.ts';
import type { Rollout } from '../../domain/state.ts';
import { percent } from '../../domain/words.ts';
import { isOffSplit, judgedBy, presentGate } from './gate.ts';
import { title } from './held-against.ts';
import { change, reading } from './numbers.ts';
import { code, fitted, outside } from './text.ts';

/** An A/B test, or a shadow, on its card: how the traffic is split, and what came of it. */

const METRICS = 4;
const LENGTH = 1200;
const SENTENCE = 300;

/** The lines of the step's A/B test or shadow; empty where it is neither. Markdown, escaped. */
export function experiment(rollout: Rollout): string {
  const gate = presentGate(rollout);
  if (!gate || gate.kind === 'comparison') return '';
  const { comparison } = rollout;
  const lines = gate.kind === 'ab' ? abLines(rollout, gate, comparison) : shadowLines(rollout, gate, comparison);
  return fitted(lines.filter((line) => line !== '').join('\n'), LENGTH);
}

function abLines(rollout: Rollout, gate: Gate, comparison: Comparison | null): string[] {
  const { candidate, stable, exposurePercent } = rollout;
  const arm = (id: string, share: number) => `${code(id, 60)} ${percent(share)}`;
  const counted = comparison ? countedShare(comparison) : null;
  const found = counted === null ? '' : `; counted ${percent1(counted)} / ${percent1(100 - counted)}`;
  const split = comparison?.metrics.find((m) => isOffSplit(m, comparison));
  return [
    `⚖️ *A/B* ${arm(candidate.id, exposurePercent)} / ${arm(stable.id, 100 - exposurePercent)} as configured${found}`,
    split ? `⚠️ ${outside(split.sentence, SENTENCE)} What is compared over it proves nothing.` : '',
    ...(comparison ? results(gate, comparison) : []),
  ];
}

function shadowLines({ candidate }: Rollout, gate: Gate, comparison: Comparison | null): string[] {
  return [
    `👥 *Shadow* ${code(candidate.id, 60)} gets copies of the traffic and answers nobody`,
    ...(comparison ? results(gate, comparison) : []),
  ];
}

/** The candidate's share of what was counted, in per cent; null where nothing counts it. */
function countedShare({ metrics }: Comparison): number | null {
  const share = metrics.find((m) => m.kind === 'split')?.candidateNow.value ?? null;
  return share !== null && share >= 0 && share <= 1 ? 100 * share : null;
}

function percent1(value: number): string {
  return `${value.toFixed(1)} %`;
}

function results(gate: Gate, comparison: Comparison): string[] {
  const judged = judgedBy(gate, comparison).filter((m) => m.kind !== 'split');
  const lines = judged.slice(0, METRICS).map((m) => `• ${resultWords(m, comparison)}`);
  return judged.length > METRICS ? [...lines, `…and ${judged.length - METRICS} more in the table`] : lines;
}

/** "Conversion 4.1 % vs 3.8 %: 1.08× more (1.01×–1.15×), better". Escaped. */
export function resultWords(metric: MetricComparison, { improved }: Pick<Comparison, 'improved'>): string {
  const outcome = improved.includes(metric.metric) ? 'better' : OUTCOME[metric.verdict];
  const numbers =
    metric.candidateNow.value === null || metric.stableNow.value === null
      ? reading(metric, metric.candidateNow.value === null ? metric.stableNow : metric.candidateNow)
      : `${reading(metric, metric.candidateNow)} vs ${reading(metric, metric.stableNow)}`;
  const by = metric.change ? `: ${change(metric)}` : '';
  const shown = numbers === '–' ? '' : ` ${numbers}`;
  return `${title(metric)}${shown}${by}, ${outcome}`;
}

const OUTCOME: Readonly<Record<MetricComparison['verdict'], string>> = {
  degraded: 'worse',
  healthy: 'no worse',
  inconclusive: 'not certain yet',
  'no-data': 'no data yet',
};
