import type { Comparison, MetricComparison, Verdict } from '../analysis/types.ts';
import type { Gate } from './policy.ts';
import type { Rollout } from './state.ts';
import { list, percent } from './words.ts';

/** What a step's end asks, and what a look answers. Pure; who asks decides what follows. */

export type GateAnswer =
  /** `better`: names of the metrics asked about in which the candidate is better. */
  | { readonly answer: 'passed'; readonly better: readonly string[] }
  /** Something is degraded, asked about or not. */
  | { readonly answer: 'failed'; readonly culprits: readonly string[] }
  /** `of`: names of the metrics that leave it open; empty where it is all of them together. */
  | {
      readonly answer: 'undecided';
      readonly why: 'no-data' | 'inconclusive' | 'not-better';
      readonly of: readonly string[];
    };

/** The gate of the step a rollout is on; where it has none of its own, the policy's objective over all metrics, without a name. */
export function gateOf({ plan, step, exposurePercent }: Rollout): Gate {
  // The watch after 100 % asks nothing of a step.
  const own = exposurePercent >= 100 ? undefined : plan.steps[step]?.gate;
  return own ?? { name: '', kind: 'comparison', objective: plan.objective, metrics: [] };
}

/** True: the candidate gets copies of the traffic and answers nobody. */
export function isAtShadow(rollout: Rollout): boolean {
  return rollout.exposurePercent === 0 && plansShadow(rollout);
}

/** True: the step it is on (or sets out to) is a shadow one. */
export function plansShadow({ plan, step }: Pick<Rollout, 'plan' | 'step'>): boolean {
  return plan.steps[step]?.gate?.kind === 'shadow';
}

/**
 * Nothing at all may be degraded, and the metrics asked about have to be healthy: one without data never passes (rule 4), one that
 * is not asked about does not block. Where the objective is `better`, one of those asked about has to be better besides.
 */
export function askGate(gate: Gate, comparison: Comparison): GateAnswer {
  if (comparison.verdict === 'degraded') return { answer: 'failed', culprits: comparison.culprits };
  const asked = askedAbout(gate, comparison);
  const open = (verdict: Verdict) => asked.filter((a) => a.verdict === verdict).map((a) => a.name);
  const missing = open('no-data');
  if (missing.length > 0 || asked.length === 0) return { answer: 'undecided', why: 'no-data', of: missing };
  // What has no weight and is degraded stops nothing by itself; named by a gate it has to be healthy all the same.
  const unsure = asked.filter((a) => a.verdict !== 'healthy').map((a) => a.name);
  if (unsure.length > 0) return { answer: 'undecided', why: 'inconclusive', of: unsure };
  const better = asked.map((a) => a.name).filter((name) => comparison.improved.includes(name));
  if (gate.objective === 'better' && better.length === 0) return { answer: 'undecided', why: 'not-better', of: [] };
  return { answer: 'passed', better };
}

interface Asked {
  readonly name: string;
  readonly verdict: Verdict;
}

/** A name that was not measured has no data. */
function askedAbout({ kind, metrics: names }: Gate, { metrics }: Comparison): readonly Asked[] {
  const named =
    names.length > 0
      ? names.map((name) => ({ name, verdict: metrics.find((m) => m.metric === name)?.verdict ?? 'no-data' }))
      : metrics.filter((m) => m.weight > 0).map(nameAndVerdict);
  const splits = metrics.filter((m) => m.kind === 'split').map(nameAndVerdict);
  const isSplit = ({ name }: Asked) => splits.some((s) => s.name === name);
  // Copies are no split of the traffic.
  if (kind === 'shadow') return named.filter((a) => !isSplit(a));
  // Arms that are not what they are said to be prove nothing, however good their numbers look.
  return kind === 'ab' ? [...named.filter((a) => !isSplit(a)), ...splits] : named;
}

function nameAndVerdict({ metric, verdict }: MetricComparison): Asked {
  return { name: metric, verdict };
}

/** "The gate experiment", "The gate". */
export function theGate({ name }: Gate): string {
  return name === '' ? 'The gate' : `The gate ${name}`;
}

/**
 * For the journal: what was asked, what got better, what was left open because nobody asked about it, and what looks bad and stops
 * nothing.
 */
export function passedWords(rollout: Rollout, better: readonly string[]): string {
  const gate = gateOf(rollout);
  const { comparison } = rollout;
  const passed = `${theGate(gate)} at ${percent(rollout.exposurePercent)} passed`;
  if (!comparison) return `${passed}.`;
  return `${passed}: ${found(gate, comparison, better)}.${leftOpen(gate, comparison)}${warned(comparison)}`;
}

function found({ name, objective, metrics: names }: Gate, comparison: Comparison, better: readonly string[]): string {
  const gotBetter = objective === 'better' ? `${list(titlesOf(better, comparison))} got better` : '';
  if (name === '' || (names.length === 0 && gotBetter === ''))
    return ['no metric is worse than its limit', gotBetter].filter((s) => s !== '').join(', and ');
  const healthy = `${list(titlesOf(names, comparison))} ${names.length === 1 ? 'is' : 'are'} healthy`;
  return `${gotBetter || healthy}; nothing is worse than its limit`;
}

function leftOpen(gate: Gate, comparison: Comparison): string {
  const asked = new Set(askedAbout(gate, comparison).map((a) => a.name));
  const words = { inconclusive: 'is inconclusive', 'no-data': 'has no data' } as const;
  const open = comparison.metrics.flatMap((m) => {
    if (m.weight <= 0 || asked.has(m.metric)) return [];
    return m.verdict === 'inconclusive' || m.verdict === 'no-data' ? [`${m.title} ${words[m.verdict]}`] : [];
  });
  return open.length === 0 ? '' : ` Not asked about: ${list(open)}.`;
}

function warned(comparison: Comparison): string {
  const warnings = comparison.warnings ?? [];
  const looks = comparison.metrics.filter((m) => warnings.includes(m.metric)).map(warning);
  return looks.length === 0 ? '' : ` ${list(looks)}, which by itself stops nothing.`;
}

function warning({ title, kind }: MetricComparison): string {
  if (kind === 'drift' || kind === 'drift-score') return `${title} looks different (drift)`;
  return kind === 'objective' ? `${title} burns its budget` : `${title} looks worse`;
}

/** Titles of metrics given by their names; a name that was not measured stands for itself. */
export function titlesOf(names: readonly string[], { metrics }: Comparison): string[] {
  return names.map((name) => metrics.find((m) => m.metric === name)?.title ?? name);
}
