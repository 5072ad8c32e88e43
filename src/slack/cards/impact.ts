import type { Comparison } from '../../analysis/types.ts';
import type { Alert, Degradation, Signal } from '../../domain/state.ts';
import { list } from '../../domain/words.ts';
import type { CardView } from '../../ports/chat.ts';
import { gateWords, presentGate } from './gate.ts';
import { cannotTell, factsOf, onlyLabelsMissing } from './held-against.ts';
import { title, worstFirst } from './table.ts';
import { oneLine, outside } from './text.ts';

const SENTENCE = 700;

/** What got worse, by how much, and whether the rollout is to blame: one or two sentences, markdown, escaped. */
export function impact(view: CardView): string {
  const said = alertSentence(view);
  const measured = view.degradation?.comparison ?? null;
  if (measured === null) return said;
  return [numbersSentence(measured, view), cannotTell(measured, view), said].filter((s) => s !== '').join('\n');
}

/** The same for a notification: no markup, escaped. */
export function impactPlain(view: CardView): string {
  const lines = impact(view).replaceAll('*', '').split('\n');
  return lines.map((line) => (/[.!?…]$/.test(line) ? line : `${line}.`)).join(' ');
}

function numbersSentence(comparison: Comparison, view: CardView): string {
  if (comparison.commonCause) {
    return '⚠️ *Common cause*: stable and the candidate are both worse than their own past, and not than each other. The rollout is not to blame, and a rollback will not help.';
  }
  const worst = worstFirst(comparison)[0];
  const sentence = worst ? outside(worst.sentence, SENTENCE) : '';
  switch (comparison.verdict) {
    case 'degraded':
      return `🔴 *${sentence}*${others(comparison)}`;
    case 'inconclusive':
      return `🟡 *Inconclusive*: the numbers do not say yet whether ${view.rollout ? 'the candidate is worse' : 'it is worse than before'}. ${sentence}`;
    case 'no-data':
      if (onlyLabelsMissing(comparison, factsOf(view))) return labelsSentence(comparison);
      return `⚫ *No data*: ${comparison.missing ? outside(comparison.missing, SENTENCE) : 'nothing could be measured'}. That is neither good nor bad.`;
    case 'healthy':
      return `🟢 *Healthy*: no metric is worse than its limit. ${sentence}`;
  }
}

function labelsSentence({ missing }: Comparison): string {
  return `⏳ *Waits for labels*: ${outside(missing ?? 'they are still to come', SENTENCE)}. That is neither good nor bad.`;
}

function others(comparison: Comparison): string {
  const [first] = worstFirst(comparison);
  const rest = comparison.metrics.filter((m) => m.verdict === 'degraded' && m.metric !== first?.metric);
  if (rest.length === 0) return '';
  const names = rest.slice(0, 3).map((m) => title(m));
  const more = rest.length > names.length ? [...names, `${rest.length - names.length} more`] : names;
  return ` ${list(more)} ${rest.length === 1 ? 'is' : 'are'} degraded too.`;
}

/** Why the question is open, from the signals, newest alert text last. */
function alertSentence(view: CardView): string {
  const { degradation } = view;
  if (!degradation) return '';
  const other = degradation.signals.findLast((s) => s.kind !== 'alert');
  const alerts = alertsOf(degradation, view);
  const first = alerts.find((a) => a.status === 'firing') ?? alerts[0];
  return [first ? alertText(first) : '', other ? signalText(other, view) : ''].filter((s) => s !== '').join('\n');
}

/** Why a gate neither passed nor failed by the end of its longest soak. */
const UNDECIDED: Readonly<Record<string, string>> = {
  'no-data': 'could not tell in time (no data).',
  inconclusive: 'could not tell in time (inconclusive).',
  'not-better': 'asks for better: the candidate is no worse, but nothing got better in time.',
};

/** "The gate of this step", or by its name. Escaped. */
function gateName({ rollout }: CardView): string {
  const gate = rollout ? presentGate(rollout) : null;
  return gate ? `The ${gateWords({ ...gate, objective: 'no-worse' })}` : 'The gate of this step';
}

function signalText(signal: Exclude<Signal, { kind: 'alert' }>, view: CardView): string {
  switch (signal.kind) {
    case 'gate-failed':
      return `🚧 ${gateName(view)} did not pass: ${outside(list(signal.culprits), 300) || 'all metrics together'} got worse than allowed.`;
    case 'gate-undecided':
      return `🚧 ${gateName(view)} ${UNDECIDED[signal.verdict] ?? 'could not tell in time.'}`;
    case 'stuck':
      return `🚨 ${outside(signal.reason, SENTENCE)}`;
  }
}

function alertText(alert: Alert): string {
  const text = oneLine(alert.summary) === '' ? alert.description : alert.summary;
  const state = alert.status === 'firing' ? '🔥' : '✅';
  const name = outside(alert.name, 120);
  return oneLine(text) === '' ? `${state} ${name} (${alert.severity})` : `${state} ${name}: ${outside(text, SENTENCE)}`;
}

/** The alerts among the degradation's signals, as they are known now; firing ones first. */
export function alertsOf(degradation: Degradation, view: CardView): readonly Alert[] {
  const fingerprints = new Set(degradation.signals.flatMap((s) => (s.kind === 'alert' ? [s.fingerprint] : [])));
  return view.state.alerts
    .filter((a) => fingerprints.has(a.fingerprint))
    .sort((a, b) => Number(b.status === 'firing') - Number(a.status === 'firing'));
}
