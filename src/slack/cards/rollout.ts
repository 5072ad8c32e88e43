import type { Rollout } from '../../domain/state.ts';
import { isEnded } from '../../domain/turn.ts';
import { list, percent } from '../../domain/words.ts';
import type { CardView } from '../../ports/chat.ts';
import { type Block, context, type Drawing, firstThatFits, header, LIMIT, section } from './blocks.ts';
import { buttonRow, buttonsFor, openQuestion } from './buttons.ts';
import { experiment } from './experiment.ts';
import { footer } from './footer.ts';
import { gateLine, isOnItsWay, presentGate } from './gate.ts';
import { cannotTell, factsOf, onlyLabelsMissing } from './held-against.ts';
import { verdictWords } from './numbers.ts';
import { objectiveWords } from './objective.ts';
import { named, namedPlain } from './people.ts';
import { whereItStands } from './phase.ts';
import { progressMarks } from './strategy.ts';
import { comparisonTable, leftOut } from './table.ts';
import { code, fitted, link, outside } from './text.ts';
import { headerText, rolloutHeadline } from './title.ts';
import { warningLine } from './warnings.ts';
import { wayBackLine } from './way-back.ts';

const STEPS_SHOWN = 20;

/** The card of a rollout: how far it is, what the gate sees, what comes next. */
export function rolloutCard(view: CardView): Drawing {
  const { rollout } = view;
  if (!rollout) return { text: `Nothing is known of ${outside(view.card.id, 100)}`, blocks: [] };
  const headline = headerText(view, rolloutHeadline(rollout));
  const blocks = firstThatFits(
    [12, 6, 2].map((rows) => () => [
      header(headline),
      section(intro(view)),
      ...progress(view),
      section(fitted(standsAndWaits(view, rollout), LIMIT.text)),
      ...tested(view),
      ...numbers(view, rows),
      ...wayBack(view),
      ...votes(view),
      ...note(view),
      ...buttonRow(view),
      ...context(footer({ ...view, degradation: null })),
    ]),
  );
  return { text: fallback(view, headline), blocks };
}

function intro({ rollout, policy }: CardView): string {
  if (!rollout) return ' ';
  const { candidate, stable } = rollout;
  const facts = [
    candidate.commit ? `commit ${code(candidate.commit, 60)}` : '',
    candidate.dataset ? `data ${code(candidate.dataset, 60)}` : '',
    candidate.changelogUrl ? link(candidate.changelogUrl, 'what changed') : '',
  ].filter((s) => s !== '');
  const from = `${code(stable.id)} → ${code(candidate.id)}`;
  const words = rollout.origin === 'restore' ? `Taking ${from} back` : from;
  const about = policy.description === '' ? '' : ` · ${outside(policy.description, 200)}`;
  const by = `Started by ${namedPlain(rollout.startedBy)}${rollout.reason.trim() === '' ? '' : `: ${outside(rollout.reason, 300)}`}`;
  return fitted(`*${words}*${about}\n${[by, ...facts].join(' · ')}`, LIMIT.text);
}

/** How far it is on its way; nothing where a version is only taken back. */
function progress({ rollout }: CardView): Block[] {
  if (!rollout || rollout.plan.steps.length === 0 || rollout.origin === 'restore') return [];
  return [section(progressMarks(rollout, STEPS_SHOWN))];
}

/** Where a rollback leads, as soon as there is a choice: after 100 %. */
function wayBack(view: CardView): Block[] {
  const { rollout, current } = view;
  const canGoBack = current && rollout !== null && !isEnded(rollout.phase);
  return canGoBack || rollout?.wayBack ? context([fitted(wayBackLine(view), LIMIT.text)]) : [];
}

function standsAndWaits(view: CardView, rollout: Rollout): string {
  const lines = [whereItStands(rollout, view.state.clockMs), gateLine(rollout, factsOf(view))];
  return lines.filter((line) => line !== '').join('\n');
}

/** The A/B test or the shadow of the step it is on, while it is on it. */
function tested({ rollout }: CardView): Block[] {
  const words = rollout && isOnItsWay(rollout) ? experiment(rollout) : '';
  return words === '' ? [] : [section(words)];
}

function numbers(view: CardView, rows: number): Block[] {
  const { rollout } = view;
  const comparison = rollout?.comparison ?? null;
  if (!rollout || comparison === null || comparison.metrics.length === 0) return [];
  // What was measured last is the emptiness after the way back; what led to it is on the degradation's card and in the report.
  if (rollout.phase.name === 'rolled_back' || rollout.phase.name === 'cancelled') return [];
  const facts = factsOf(view);
  // A gate by name asks about some of them, and says itself what it waits for.
  const usual = presentGate(rollout) ? 'All metrics' : 'Gate';
  const label = rollout.phase.name === 'advancing' ? usual : 'Measured';
  const verdict = onlyLabelsMissing(comparison, facts) ? '⏳ Waits for labels' : verdictWords(comparison.verdict);
  const missing = comparison.missing ? outside(comparison.missing, 300) : '';
  return [
    comparisonTable(comparison, facts, rows),
    ...context([`${label}: ${verdict}`, objective(view), missing, leftOut(comparison, facts, rows)]),
    ...context([warningLine(comparison, rollout), cannotTell(comparison, view)]),
  ];
}

function objective({ rollout }: CardView): string {
  if (!rollout || isEnded(rollout.phase)) return '';
  return objectiveWords(rollout);
}

function votes({ rollout, policy }: CardView): Block[] {
  if (!rollout || rollout.votes.length === 0) return [];
  const voters = rollout.votes.slice(0, 20).map((vote) => named(vote.by));
  return context([
    `🗳️ Promote all steps: ${rollout.votes.length} of ${policy.approvers.quorum} (${list(voters)}). Votes do not delay a deadline.`,
  ]);
}

function note(view: CardView): Block[] {
  if (!view.current) return context(['➡️ A later card has taken over.']);
  return openQuestion(view) ? context(['🔴 A degradation is open: answer on its own card.']) : [];
}

function gatePlain(view: CardView, rollout: Rollout): string {
  const words = gateLine(rollout, factsOf(view));
  return words === '' ? '' : `${words}.`;
}

function fallback(view: CardView, headline: string): string {
  const { rollout } = view;
  if (!rollout) return headline;
  const answers = buttonsFor(view).map((b) => b.label);
  const parts = [
    `${headline}.`,
    `${percent(rollout.exposurePercent)} of traffic on ${outside(rollout.candidate.id, 80)}, stable is ${outside(rollout.stable.id, 80)}.`,
    gatePlain(view, rollout),
    `Started by ${namedPlain(rollout.startedBy)}.`,
    answers.length > 0 ? `Answers: ${list(answers)}.` : '',
  ];
  return fitted(parts.filter((s) => s !== '').join(' '), LIMIT.fallback);
}
