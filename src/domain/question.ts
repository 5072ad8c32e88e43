import { askGate, gateOf, theGate, titlesOf } from './gates.ts';
import { look } from './looking.ts';
import { inPlaceOf } from './places.ts';
import type { Severity } from './policy.ts';
import { troubled, wellAgain } from './served.ts';
import { liftSilence } from './silencing.ts';
import type { Actor, Alert, Degradation, HeldReason, Rollback, Signal } from './state.ts';
import type { Turn } from './turn.ts';
import { duration, list, percent, sentence } from './words.ts';

/** A flood of alerts must not make the state endless. */
const SIGNALS = 500;

/** The open question to people: how it is opened, joined, held and ended. One card and at most one incident each. */

export function openQuestion(turn: Turn, signal: Signal, severity: Severity): void {
  const { now, policy } = turn;
  open(turn, signal, severity);
  // The gate's verdict is evidence of its own; only an alert has to last before people are asked.
  if (signal.kind === 'alert' && policy.respond.graceMs > 0) {
    const untilMs = now + policy.respond.graceMs;
    turn.stage({ name: 'grace', untilMs });
    turn.timer('grace', untilMs);
  } else ask(turn);
  look(turn);
}

/** The question exists, and is told; its clock does not run yet. */
export function open(turn: Turn, signal: Signal, severity: Severity): void {
  const { rollout, now } = turn;
  const previous = turn.state.degradation;
  if (previous)
    turn.set({ past: { ...turn.state.past, degradations: [...turn.state.past.degradations, previous].slice(-5) } });
  const comparison = rollout?.comparison ?? null;
  const degradation: Degradation = {
    id: turn.name('degradations'),
    rolloutId: rollout?.id ?? null,
    openedAtMs: now,
    severity,
    signals: [signal],
    stage: { name: 'grace', untilMs: now },
    extendedMs: 0,
    acknowledged: null,
    comparison,
    milestones: [{ what: 'opened', atMs: now, exposurePercent: rollout?.exposurePercent ?? null, comparison }],
    page: { state: 'none', atMs: null, by: null },
    decision: null,
    silencedUntilMs: null,
    epoch: 1,
  };
  turn.set({ degradation });
  // Below 100 % it is the candidate's trouble; what serves everything else keeps its good time.
  if (!rollout || rollout.exposurePercent >= 100)
    turn.set({ served: troubled(turn.state.served, degradation.id, now) });
  suspend(turn);
  turn.tell('question-opened', sourceOf(turn, signal), opening(turn, signal));
}

/** What was going on stands still while people are asked; exposure stays where it is. */
function suspend(turn: Turn): void {
  const phase = turn.rollout?.phase;
  if (phase?.name === 'advancing' || phase?.name === 'watching') {
    turn.cancel('watch');
    turn.enter({ name: 'deciding', sinceMs: turn.now, during: phase.name });
  }
}

/** Puts the question (again): from now on the clock runs. */
export function ask(turn: Turn): void {
  const { respond, escalate } = turn.policy;
  const question = turn.question;
  if (!question) return;
  const forMs = question.severity === 'critical' ? respond.criticalDeadlineMs : respond.deadlineMs;
  const deadlineMs = turn.now + forMs;
  // Asked again after somebody was paged, they are paged again; who resolved it there is not called back for asking alone.
  const paged = question.page.state === 'acknowledged' || question.page.state === 'resolved';
  const escalateAtMs = escalate && !paged ? turn.now + escalate.afterMs : null;
  turn.stage({ name: 'asking', deadlineMs, escalateAtMs, measuring: false });
  turn.timer('deadline', deadlineMs);
  if (escalateAtMs !== null) turn.timer('escalate', escalateAtMs);
}

/** Further signals join; a critical one may shorten the deadline, none lengthens it. */
export function joinQuestion(turn: Turn, alert: Alert): void {
  const question = turn.question;
  if (!question) return;
  const signal: Signal = {
    kind: 'alert',
    fingerprint: alert.fingerprint,
    name: alert.name,
    severity: alert.severity,
    atMs: turn.now,
  };
  const known = question.signals.some((s) => s.kind === 'alert' && s.fingerprint === alert.fingerprint);
  turn.setQuestion({
    signals: known
      ? question.signals.map((s) => (s.kind === 'alert' && s.fingerprint === alert.fingerprint ? signal : s))
      : withFurther(question.signals, signal),
    severity: alert.severity === 'critical' ? 'critical' : question.severity,
  });
  turn.tell(
    'question-joined',
    { kind: 'alertmanager', id: 'alertmanager', name: 'Alertmanager' },
    `${alert.name} (${alert.severity}) fires as well: ${alert.summary}`,
  );
  if (alert.severity !== 'critical' || question.severity === 'critical' || question.stage.name !== 'asking') return;
  const deadlineMs = Math.min(question.stage.deadlineMs, turn.now + turn.policy.respond.criticalDeadlineMs);
  if (deadlineMs === question.stage.deadlineMs) return;
  const escalateAtMs = question.stage.escalateAtMs === null ? null : Math.min(question.stage.escalateAtMs, deadlineMs);
  turn.stage({ ...question.stage, deadlineMs, escalateAtMs });
  turn.timer('deadline', deadlineMs);
  if (escalateAtMs !== null && escalateAtMs !== question.stage.escalateAtMs) turn.timer('escalate', escalateAtMs);
}

/** The question's first reason stays, and the newest: a further one is for the one that is oldest besides. */
function withFurther(signals: readonly Signal[], further: Signal): readonly Signal[] {
  if (signals.length < SIGNALS) return [...signals, further];
  let oldest = 1;
  for (const [place, { atMs }] of signals.entries())
    if (place > 0 && atMs < (signals[oldest]?.atMs ?? 0)) oldest = place;
  return inPlaceOf(signals, oldest, further, ({ atMs }) => atMs);
}

/** Automation may not act (any more): people are asked, and paged while it lasts. */
export function holdAndPage(turn: Turn, why: HeldReason, text: string): void {
  turn.cancel('deadline', 'escalate', 'stability', 'grace');
  turn.stage({ name: 'held', why }, true);
  turn.tell('held', turn.automation, text);
  page(turn, text);
}

/** Wakes a person, unless one is on it or automation only observes. Paged again until somebody acknowledges or decides. */
export function page(turn: Turn, summary: string): void {
  const question = turn.question;
  const { escalate } = turn.policy;
  if (!question) return;
  if (turn.quiet) {
    turn.tell('would-have', turn.automation, `Would have paged, but ${turn.quiet}.`);
    return;
  }
  if (!escalate || question.acknowledged || question.page.state === 'acknowledged') return;
  turn.effects.push({
    kind: 'page',
    action: 'trigger',
    degradationId: question.id,
    summary: `${subject(turn)}: ${summary}`,
  });
  turn.timer('repage', turn.now + escalate.repeatMs);
}

/** Who is woken reads this first: what, where, why. */
function subject(turn: Turn): string {
  const { rollout, question, policy } = turn;
  const where = rollout ? ` ${rollout.candidate.id} at ${percent(rollout.exposurePercent)}` : '';
  const names = [...new Set((question?.signals ?? []).map((s) => (s.kind === 'alert' ? s.name : s.kind)))];
  return `${policy.service}${where} (${list(names.slice(0, 3))}${names.length > 3 ? ', …' : ''})`;
}

/** Closes what PagerDuty holds for it; harmless where nothing was opened. */
function closePage(turn: Turn, text: string): void {
  const question = turn.question;
  // Also where the policy pages nobody any more: who was woken before is told.
  if (question && question.page.state !== 'resolved' && (question.page.state !== 'none' || wasPaged(turn)))
    turn.effects.push({ kind: 'page', action: 'resolve', degradationId: question.id, summary: text });
}

/** A trigger may be on its way though no answer is in yet. */
function wasPaged(turn: Turn): boolean {
  return (
    turn.state.timers.repage !== undefined || turn.effects.some((e) => e.kind === 'page' && e.action === 'trigger')
  );
}

export function endQuestion(
  turn: Turn,
  outcome: Extract<Degradation['stage'], { name: 'ended' }>['outcome'],
  why: string,
): void {
  const question = turn.question;
  if (!question) return;
  closePage(turn, why);
  liftSilence(turn);
  turn.set({ served: wellAgain(turn.state.served, turn.now) });
  turn.cancel('deadline', 'escalate', 'stability', 'grace', 'repage');
  if (!turn.rollout) turn.cancel('look');
  // What was held was the question alone; a hold that outlived it would put the next one again, with all its time.
  if (turn.rollout?.phase.name !== 'holding') turn.cancel('hold');
  const exposurePercent = turn.rollout?.exposurePercent ?? null;
  turn.setQuestion({
    milestones: [
      ...question.milestones,
      {
        what: 'ended',
        atMs: turn.now,
        exposurePercent,
        comparison: turn.rollout?.comparison ?? question.comparison,
      },
    ],
  });
  turn.stage({ name: 'ended', atMs: turn.now, outcome }, true);
  const lasted = duration(turn.now - question.openedAtMs);
  const text = `${question.id} ended after ${lasted}: ${why}`;
  // That it is back on stable was just said; everything else that ends a question is said here.
  if (outcome === 'rolled-back') turn.note('question-ended', turn.automation, text);
  else turn.tell('question-ended', turn.automation, text);
  turn.effects.push({ kind: 'report', card: { kind: 'degradation', id: question.id } });
}

/** A person is required, and is paged; ends only by a person. */
export function getStuck(turn: Turn, reason: string, during: 'advancing' | 'watching' | Rollback): void {
  liftSilence(turn);
  turn.cancel('deadline', 'escalate', 'stability', 'grace', 'hold');
  turn.enter({ name: 'stuck', sinceMs: turn.now, reason, during });
  if (!turn.question) open(turn, { kind: 'stuck', reason, atMs: turn.now }, 'critical');
  turn.stage({ name: 'held', why: 'stuck' }, true);
  turn.tell(
    'stuck',
    turn.automation,
    `Stuck at ${percent(turn.rollout?.exposurePercent ?? 0)}: ${reason} A person is required.`,
  );
  page(turn, `Stuck: ${reason}`);
}

function sourceOf(turn: Turn, signal: Signal): Actor {
  return signal.kind === 'alert' ? { kind: 'alertmanager', id: 'alertmanager', name: 'Alertmanager' } : turn.automation;
}

/** What the gate left open, and by which of its metrics. */
function undecided({ rollout }: Turn, verdict: Extract<Signal, { kind: 'gate-undecided' }>['verdict']): string {
  const gate = rollout ? gateOf(rollout) : null;
  if (verdict === 'not-better') {
    const asks = gate && gate.name !== '' ? `the gate ${gate.name}` : 'the objective';
    return `The candidate is no worse, but it was not shown to be better within the longest soak, as ${asks} asks.`;
  }
  const comparison = rollout?.comparison;
  const found = gate && comparison ? askGate(gate, comparison) : null;
  const of = found?.answer === 'undecided' && comparison ? titlesOf(found.of, comparison) : [];
  const what = verdict === 'no-data' ? 'no data' : verdict;
  const why = gate?.name && of.length > 0 ? `${what}: ${list(of)}` : what;
  return `${gate ? theGate(gate) : 'The gate'} could not tell within the longest soak (${why}).`;
}

function opening(turn: Turn, signal: Signal): string {
  const rollout = turn.rollout;
  const where = rollout ? ` ${rollout.candidate.id} stays at ${percent(rollout.exposurePercent)}.` : '';
  switch (signal.kind) {
    case 'alert': {
      const summary = turn.state.alerts.find((a) => a.fingerprint === signal.fingerprint)?.summary ?? '';
      return `${signal.name} (${signal.severity}) fires: ${sentence(summary)}${where}`;
    }
    case 'gate-failed':
      return `${rollout ? theGate(gateOf(rollout)) : 'The gate'} failed: ${list(signal.culprits) || 'all metrics together'} got worse than allowed.${where}`;
    case 'gate-undecided':
      return `${undecided(turn, signal.verdict)}${where}`;
    case 'stuck':
      return `${signal.reason}${where}`;
  }
}
