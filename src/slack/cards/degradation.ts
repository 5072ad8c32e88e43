import type { Comparison } from '../../analysis/types.ts';
import { wouldHold } from '../../domain/deadline.ts';
import { list, percent, utcTime } from '../../domain/words.ts';
import type { CardView } from '../../ports/chat.ts';
import { type Block, context, type Drawing, firstThatFits, header, LIMIT, section } from './blocks.ts';
import { buttonRow, buttonsFor } from './buttons.ts';
import { changedLast } from './changed-last.ts';
import { chart } from './chart.ts';
import { chartOrder } from './charted.ts';
import { experiment } from './experiment.ts';
import { footer } from './footer.ts';
import { isOnItsWay } from './gate.ts';
import { factsOf } from './held-against.ts';
import { alertsOf, impact, impactPlain } from './impact.ts';
import { verdictWords } from './numbers.ts';
import { named, namedPlain } from './people.ts';
import { phaseLine } from './phase.ts';
import { comparisonTable, leftOut } from './table.ts';
import { fitted, moment, outside } from './text.ts';
import { degradationHeadline, headerText } from './title.ts';
import { warningLine } from './warnings.ts';
import { wayBackLine, wayBackOf } from './way-back.ts';

/** How much is drawn, from everything to what always fits: rows of the table, and whether there is a chart. */
const DETAIL: readonly { readonly rows: number; readonly chart: boolean }[] = [
  { rows: 15, chart: true },
  { rows: 10, chart: true },
  { rows: 6, chart: true },
  { rows: 6, chart: false },
  { rows: 2, chart: false },
];

/** The card of a degradation: what got worse, by how much, what happens when, and what people can do. */
export function degradationCard(view: CardView): Drawing {
  const { degradation } = view;
  if (!degradation) return { text: `Nothing is known of ${outside(view.card.id, 100)}`, blocks: [] };
  const headline = headerText(view, degradationHeadline(degradation, view.rollout));
  const blocks = firstThatFits(
    DETAIL.map((detail) => () => [
      header(headline),
      section(fitted(impact(view) || 'A signal came in.', LIMIT.text)),
      ...numbers(view, detail),
      ...tested(view),
      ...context([changedLast(view)].filter((s) => s !== '')),
      ...part(phaseLine(view)),
      ...wayBack(view),
      ...part(decided(view)),
      ...buttonRow(view),
      ...context(footer(view)),
    ]),
  );
  return { text: fallback(view, headline), blocks };
}

function part(text: string): Block[] {
  return text === '' ? [] : [section(fitted(text, LIMIT.text))];
}

/** Where Roll back leads; after the end only where it was taken. */
function wayBack(view: CardView): Block[] {
  const isOpen = view.current && view.degradation?.stage.name !== 'ended';
  return isOpen || view.rollout?.wayBack ? context([fitted(wayBackLine(view), LIMIT.text)]) : [];
}

function numbers(view: CardView, detail: { rows: number; chart: boolean }): Block[] {
  const comparison = view.degradation?.comparison ?? null;
  if (comparison === null) return view.degradation?.stage.name === 'ended' ? [] : [section('⏱️ *Measuring…*')];
  if (comparison.metrics.length === 0) return [];
  const facts = factsOf(view);
  const alerts = view.degradation ? alertsOf(view.degradation, view) : [];
  const drawn = detail.chart ? chart(chartOrder(comparison, alerts), facts) : null;
  return [
    comparisonTable(comparison, facts, detail.rows),
    ...context([summary(comparison), leftOut(comparison, facts, detail.rows), warningLine(comparison, view.rollout)]),
    ...(drawn ? [drawn] : []),
  ];
}

/** In an A/B test or a shadow: how it stands, as long as the question is open. */
function tested({ rollout, degradation }: CardView): Block[] {
  const isOpen = degradation?.stage.name !== 'ended';
  return rollout && isOpen && isOnItsWay(rollout) ? part(experiment(rollout)) : [];
}

function summary(comparison: Comparison): string {
  if (comparison.commonCause) return `⚠️ Common cause · measured ${moment(comparison.atMs, 'seconds')}`;
  const score = comparison.score === null ? '' : ` · score ${Math.round(comparison.score)} of 100`;
  return `${verdictWords(comparison.verdict)}${score} · measured ${moment(comparison.atMs, 'seconds')}`;
}

/** Who or what decided; after the end this stands where the buttons were. */
function decided({ degradation, rollout, current }: CardView): string {
  if (!degradation) return '';
  const { decision, stage } = degradation;
  const by = decision
    ? `${outside(decision.action, 60)} by ${named(decision.by)} · ${moment(decision.atMs)}${
        decision.reason.trim() === '' ? '' : ` · ${outside(decision.reason, 400)}`
      }`
    : '';
  if (stage.name === 'ended') {
    const { emoji, words } = degradationHeadline(degradation, rollout);
    return `${emoji} *${by === '' ? words : by}*${by === '' ? ` · ${moment(stage.atMs)}` : `\nEnded ${moment(stage.atMs)}`}`;
  }
  if (!current) return '➡️ A later card has taken over; answer there.';
  return by === '' ? '' : `☑️ *${by}*`;
}

function fallback(view: CardView, headline: string): string {
  const { degradation, rollout } = view;
  if (!degradation) return headline;
  const exposure = rollout
    ? `${percent(rollout.exposurePercent)} of traffic on ${outside(rollout.candidate.id, 80)}.`
    : '';
  const answers = buttonsFor(view).map((b) => b.label);
  const { stage, decision } = degradation;
  const deadline =
    stage.name === 'asking' && rollout && view.policy.mode === 'enforce' && !view.state.automationOff
      ? `${DEFAULT[defaultAction(view)]} at ${utcTime(stage.deadlineMs)} unless someone acts.`
      : '';
  const by = decision
    ? `${outside(decision.action, 60)} by ${namedPlain(decision.by)} at ${utcTime(decision.atMs)}.`
    : '';
  const offer = answers.length > 0 ? `Answers: ${list(answers)}.` : '';
  const parts = [`${headline}.`, impactPlain(view), exposure, deadline, by, offer];
  return fitted(parts.filter((s) => s !== '').join(' '), LIMIT.fallback);
}

/** What is really done at the deadline: after 100 % nothing can be gone back to where none is known good. */
function defaultAction(view: CardView): keyof typeof DEFAULT {
  const { defaultAction: wanted } = view.policy.respond;
  const isAt100 = (view.rollout?.exposurePercent ?? 0) >= 100;
  if (wanted === 'rollback' && wouldHold(view.state, view.policy) !== null) return 'hold';
  return wanted === 'rollback' && isAt100 && wayBackOf(view) === null ? 'page' : wanted;
}

const DEFAULT = {
  rollback: 'Automatic rollback',
  hold: 'Exposure is held and somebody paged',
  page: 'Somebody is paged',
} as const;
