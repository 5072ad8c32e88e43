import type { MetricComparison } from '../../analysis/types.ts';
import type { JournalEntry } from '../../domain/effect.ts';
import type { Gate, Step } from '../../domain/policy.ts';
import type { Rollout } from '../../domain/state.ts';
import { percent } from '../../domain/words.ts';
import { capital, gateWords, shareOf } from './gate.ts';
import { title } from './held-against.ts';
import { reading } from './numbers.ts';
import { fitted, moment, outside } from './text.ts';

/** What became of the gates a policy names: for the report. */

const GATES = 8;
const METRICS = 3;
const TEXT = 250;
const LENGTH = 1500;

/** One line a named gate, in the order of the steps; none where the policy names none. `journal`: oldest first. Markdown, escaped. */
export function gateOutcomes(rollout: Rollout, journal: readonly JournalEntry[]): string[] {
  const named = rollout.plan.steps.flatMap((step, index) => (step.gate ? [{ step, gate: step.gate, index }] : []));
  if (named.length === 0) return [];
  const lines = named.slice(0, GATES).map(({ step, gate, index }) => {
    const words = capital(gateWords({ ...gate, objective: 'no-worse' }));
    const what = `${words} (${shareOf(step.exposurePercent, gate)})`;
    return `• ${what}: ${outcome(gate, step, isBehind(rollout, index), journal, rollout)}`;
  });
  const more = named.length > GATES ? [`…and ${named.length - GATES} more gates`] : [];
  return [fitted(['*Gates*', ...lines, ...more].join('\n'), LENGTH)];
}

/** -1: not reached, 0: it ended there, 1: it got beyond it. */
function isBehind(rollout: Rollout, index: number): -1 | 0 | 1 {
  if (rollout.shifts.length === 0 || rollout.step < index) return -1;
  return rollout.step > index ? 1 : 0;
}

function outcome(
  gate: Gate,
  step: Step,
  behind: -1 | 0 | 1,
  journal: readonly JournalEntry[],
  rollout: Rollout,
): string {
  const passed = journal.findLast((e) => e.what === 'gate-passed' && e.text.includes(`The gate ${gate.name} `));
  if (passed) return `✅ passed ${moment(passed.atMs)}${found(gate, passed, rollout)}`;
  const asked = journal.findLast(
    (e) => isQuestion(e) && e.text.toLowerCase().includes(`the gate ${gate.name.toLowerCase()} `),
  );
  const beyond = behind > 0 ? ' A person went on all the same.' : '';
  if (asked) return `🔴 did not pass ${moment(asked.atMs)}: ${outside(asked.text, TEXT)}${beyond}`;
  if (behind < 0) return '⬜ not reached';
  return behind > 0 ? '⏩ not passed: a person went on' : `⏹️ not passed: it ended at ${percent(step.exposurePercent)}`;
}

function isQuestion({ what }: JournalEntry): boolean {
  return what === 'question-opened' || what === 'question-joined';
}

/** "; Conversion 4.1 % vs 3.8 %, better": what was seen when it passed. */
function found(gate: Gate, { numbers, text }: JournalEntry, rollout: Rollout): string {
  const known = new Map((rollout.comparison?.metrics ?? []).map((m) => [m.metric, m]));
  const shown = numbers.flatMap((n) => {
    const metric = known.get(n.metric);
    const isAsked = gate.metrics.length === 0 || gate.metrics.includes(n.metric);
    return metric && isAsked && metric.kind !== 'split' ? [numberWords(metric, n)] : [];
  });
  const better = /(?:passed: )([^;]* got better)/.exec(text)?.[1] ?? '';
  const parts = [...shown.filter((s) => s !== '').slice(0, METRICS), better === '' ? '' : outside(better, TEXT)];
  return parts.map((part) => (part === '' ? '' : `; ${part}`)).join('');
}

function numberWords(metric: MetricComparison, { stable, candidate }: JournalEntry['numbers'][number]): string {
  if (candidate === null && stable === null) return '';
  const read = (value: number | null) => reading(metric, { value, samples: 0 });
  const shown =
    candidate === null || stable === null ? read(candidate ?? stable) : `${read(candidate)} vs ${read(stable)}`;
  return `${title(metric)} ${shown}`;
}
