import type { Comparison, MetricComparison } from '../../analysis/types.ts';
import type { Gate, Step } from '../../domain/policy.ts';
import type { Rollout } from '../../domain/state.ts';
import { list, percent } from '../../domain/words.ts';
import { type Facts, title, waitsForLabels } from './held-against.ts';
import { outside } from './text.ts';

/** Gates as people read them: what a step's end asks, by the policy's name for it, and what it still waits for. */

const NAME_LENGTH = 40;
const SHOWN = 3;

/** The gate of the step the rollout is on; null: it has none of its own, or it is watched after 100 %, which asks nothing of a step. */
export function presentGate({ plan, step, exposurePercent }: Rollout): Gate | null {
  if (exposurePercent >= 100) return null;
  return plan.steps[Math.max(step, 0)]?.gate ?? null;
}

/** "gate shadow-check", "A/B gate experiment, wants better". Escaped. */
export function gateWords({ name, kind, objective }: Gate): string {
  const words = `${kind === 'ab' ? 'A/B gate' : 'gate'} ${outside(name, NAME_LENGTH)}`;
  return objective === 'better' ? `${words}, wants better` : words;
}

/** "0 % shadow · gate shadow-check", "50 % · A/B gate experiment, wants better", "50 %". Escaped. */
export function stepName({ exposurePercent, gate }: Pick<Step, 'exposurePercent' | 'gate'>): string {
  const share = shareOf(exposurePercent, gate);
  return gate ? `${share} · ${gateWords(gate)}` : share;
}

/** "0 % shadow", "50 %": for where the gate's name stands beside. */
export function shareOf(exposurePercent: number, gate: Gate | null | undefined): string {
  return gate?.kind === 'shadow' ? `${percent(exposurePercent)} shadow` : percent(exposurePercent);
}

/** "0 % shadow", "50 % A/B", "50 %": for where it does not. */
export function shareAlone({ exposurePercent, gate }: Pick<Step, 'exposurePercent' | 'gate'>): string {
  return `${shareOf(exposurePercent, gate)}${gate?.kind === 'ab' ? ' A/B' : ''}`;
}

/** On its way forward, or stopped on it: the step's gate is what matters. */
export function isOnItsWay({ phase }: Pick<Rollout, 'phase'>): boolean {
  return phase.name === 'advancing' || ('during' in phase && phase.during === 'advancing');
}

/** What the gate of this step still waits for, while the step soaks; empty where the step has no gate of its own. Escaped. */
export function gateLine(rollout: Rollout, facts: Facts): string {
  const gate = presentGate(rollout);
  if (!gate || rollout.phase.name !== 'advancing' || rollout.phase.stage !== 'soaking') return '';
  const open = openPoints(gate, rollout.comparison, facts);
  const words = open.length === 0 ? 'all it asks for is there' : `waits for ${list(open)}`;
  return `🚦 ${capital(gateWords(gate))}: ${words}`;
}

/** True: as last measured, the gate of this step has all it asks for. */
export function isSatisfied(rollout: Rollout, facts: Facts): boolean {
  const gate = presentGate(rollout);
  return gate === null || openPoints(gate, rollout.comparison, facts).length === 0;
}

/** By which metrics the gate makes up its mind: those it names, else all that count; in an A/B test by the split as well. */
export function judgedBy(gate: Gate, comparison: Comparison): readonly MetricComparison[] {
  return comparison.metrics.filter((m) => {
    if (m.kind === 'split' && gate.kind !== 'comparison') return gate.kind === 'ab';
    return gate.metrics.length === 0 ? m.weight > 0 : gate.metrics.includes(m.metric);
  });
}

function openPoints(gate: Gate, comparison: Comparison | null, facts: Facts): string[] {
  if (comparison === null || comparison.metrics.length === 0) return ['the first numbers'];
  const asked = judgedBy(gate, comparison);
  const isAsked = new Set(asked.map((m) => m.metric));
  // What the policy names and the look did not hold has no numbers either.
  const unread = gate.metrics.filter((name) => !comparison.metrics.some((m) => m.metric === name));
  const of = (test: (m: MetricComparison) => boolean) => asked.filter(test);
  const labels = of((m) => waitsForLabels(m, facts));
  const numbers = of((m) => m.verdict === 'no-data' && !labels.includes(m));
  const unsure = of((m) => m.verdict === 'inconclusive' && !(gate.kind === 'ab' && isOffSplit(m, comparison)));
  const worse = comparison.metrics.filter((m) => m.verdict === 'degraded' && (m.weight > 0 || isAsked.has(m.metric)));
  const points: [string, readonly MetricComparison[]][] = [
    ['labels of', labels],
    ['numbers of', numbers],
    ['more certainty about', unsure],
    ['a recovery of', worse],
  ];
  const better = gate.objective === 'better' && !asked.some((m) => comparison.improved.includes(m.metric));
  return [
    ...points
      .filter(([, metrics]) => metrics.length > 0)
      .map(([words, metrics]) => `${words} ${names(metrics, 'and')}`),
    ...(unread.length > 0
      ? [`numbers of ${list(unread.slice(0, SHOWN).map((name) => outside(name, NAME_LENGTH)))}`]
      : []),
    ...(better && worse.length === 0 ? [`${betterIn(gate, asked)} to be better`] : []),
    ...(gate.kind === 'ab' && comparison.metrics.some((m) => isOffSplit(m, comparison))
      ? ['the split to be as configured']
      : []),
  ];
}

function betterIn(gate: Gate, asked: readonly MetricComparison[]): string {
  const could = asked.filter((m) => m.kind !== 'split');
  return gate.metrics.length === 0 || could.length === 0 ? 'any metric' : names(could, 'or');
}

function names(metrics: readonly MetricComparison[], word: 'and' | 'or'): string {
  const shown = metrics.slice(0, SHOWN).map(title);
  const all = metrics.length > SHOWN ? [...shown, `${metrics.length - SHOWN} more`] : shown;
  const last = all.at(-1) ?? '';
  return all.length < 2 ? last : `${all.slice(0, -1).join(', ')} ${word} ${last}`;
}

/** The traffic is beyond doubt not split as configured: the split is warned of for nothing else. */
export function isOffSplit(metric: MetricComparison, { warnings = [] }: Pick<Comparison, 'warnings'>): boolean {
  return metric.kind === 'split' && warnings.includes(metric.metric);
}

export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
