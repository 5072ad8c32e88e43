import { look } from './looking.ts';
import { inPlaceOf } from './places.ts';
import { endQuestion, joinQuestion, open, openQuestion } from './question.ts';
import { followHealth } from './recovery.ts';
import type { Actor, Alert, Signal } from './state.ts';
import { Ignored, type Turn } from './turn.ts';

/** Alerts: each by itself, whatever group it came in. */

const ALERTMANAGER: Actor = { kind: 'alertmanager', id: 'alertmanager', name: 'Alertmanager' };
/**
 * The same firing alert (same start) that comes this long after it was resolved is no late copy: Prometheus was away, Alertmanager
 * let the alert lapse, and it goes on firing under its old start. Copies of a cluster's peers and repeats come within minutes.
 */
export const LAPSED_AFTER_MS = 10 * 60_000;
const REMEMBERED_MS = 24 * 3_600_000;
/** A flood of alerts must not make the state endless. */
const REMEMBERED = 500;
/** Labels of alerts that did not come through Alertmanager: Grafana's own, and those of `lastgood test-alert`. */
const NOT_ALERTMANAGERS: ReadonlySet<string> = new Set(['grafana_folder', '__alert_rule_uid__', 'lastgood_test']);

/** Whether Alertmanager has to know of it as long as it fires. */
export function isAlertmanagers({ labels }: Alert): boolean {
  return !Object.keys(labels).some((name) => NOT_ALERTMANAGERS.has(name));
}

/** @param found Alertmanager was asked: its webhook had not told us. */
export function onAlert(turn: Turn, alert: Alert, found: boolean): void {
  const known = turn.state.alerts.find((a) => a.fingerprint === alert.fingerprint);
  if (known && isOldNews(known, alert, turn.now))
    throw new Ignored(`${alert.name} is known to be ${known.status} since then`);
  if (!known && alert.status === 'resolved') throw new Ignored(`${alert.name} was not known to fire`);
  remember(turn, alert);
  const how = found ? ' Its webhook had not told us: it was found by asking Alertmanager.' : '';
  if (alert.status === 'resolved') {
    if (!turn.question) return;
    turn.tell('alert-resolved', ALERTMANAGER, `${alert.name} is resolved.${how}`);
    followHealth(turn);
    return;
  }
  onFiring(turn, alert);
  // Told in the thread of the question it opened or joined.
  if (found) turn.tell('alert-fired', ALERTMANAGER, `${alert.name} fires.${how}`);
}

/**
 * Repeats are byte-identical; deliveries overtake each other; a re-fire has a newer start. Only what comes long after the end is
 * no late copy: Prometheus was away, Alertmanager let the alert lapse, and it fires on under its old start.
 */
function isOldNews(known: Alert, alert: Alert, now: number): boolean {
  if (alert.startsAtMs !== known.startsAtMs) return alert.startsAtMs < known.startsAtMs;
  if (known.status === 'firing') return alert.status === 'firing';
  return alert.status === 'resolved' || now - (known.endsAtMs ?? now) < LAPSED_AFTER_MS;
}

/** Each stays where it is, and a further one takes the place of one that is forgotten: little of the stored text changes so. */
function remember(turn: Turn, alert: Alert): void {
  const kept = turn.state.alerts.filter(
    (a) =>
      a.fingerprint === alert.fingerprint ||
      a.status === 'firing' ||
      (a.endsAtMs ?? a.startsAtMs) > turn.now - REMEMBERED_MS,
  );
  const place = kept.findIndex((a) => a.fingerprint === alert.fingerprint);
  const told = toRemember(alert, turn.now);
  if (place >= 0) turn.set({ alerts: kept.with(place, told) });
  else if (kept.length < REMEMBERED) turn.set({ alerts: [...kept, told] });
  else turn.set({ alerts: inPlaceOf(kept, leastMissed(kept), told, heard) });
}

/** What nothing asks for again is in the event only: labels and long texts of hundreds of alerts make a large state. */
function toRemember(alert: Alert, heardAtMs: number): Alert {
  const labels = Object.entries(alert.labels).filter(([name]) => NOT_ALERTMANAGERS.has(name));
  // A description is shown where there is no summary.
  const description = alert.summary.trim() === '' ? alert.description : '';
  return { ...alert, description, labels: Object.fromEntries(labels), heardAtMs };
}

/** Place of the alert that is forgotten first: one that is resolved, and of those the one heard of first. */
function leastMissed(alerts: readonly Alert[]): number {
  let least = 0;
  for (const [place, one] of alerts.entries()) {
    const before = alerts[least] ?? one;
    const isLess = one.status === before.status ? heard(one) < heard(before) : one.status === 'resolved';
    if (isLess) least = place;
  }
  return least;
}

function heard({ heardAtMs = 0 }: Alert): number {
  return heardAtMs;
}

function onFiring(turn: Turn, alert: Alert): void {
  const signal: Signal = {
    kind: 'alert',
    fingerprint: alert.fingerprint,
    name: alert.name,
    severity: alert.severity,
    atMs: turn.now,
  };
  const { question, rollout } = turn;
  if (!question) {
    const phase = rollout?.phase.name;
    // On its way back already: it is no new question (rule 3), and what was decided goes on.
    if (phase === 'rolling_back' || phase === 'verifying') {
      turn.tell('question-joined', ALERTMANAGER, `${alert.name} (${alert.severity}) fires: ${alert.summary}`);
      return;
    }
    if (phase === 'holding' && alert.severity !== 'critical') {
      open(turn, signal, alert.severity);
      turn.stage({ name: 'held', why: 'person' });
      look(turn);
      return;
    }
    openQuestion(turn, signal, alert.severity);
    endHold(turn);
    return;
  }
  const known = question.signals.some((s) => s.kind === 'alert' && s.fingerprint === alert.fingerprint);
  const heldByPerson = question.stage.name === 'held' && question.stage.why === 'person';
  if (heldByPerson && alert.severity === 'critical' && !known && !isPausedRollback(turn)) {
    // A Hold answers what was known then; something new and critical is a question of its own.
    endQuestion(turn, 'superseded', `${alert.name} (critical) is a new question.`);
    openQuestion(turn, signal, alert.severity);
    endHold(turn);
    return;
  }
  joinQuestion(turn, alert);
  followHealth(turn);
}

/** A new critical question ends a hold that a person had set before it. */
function endHold(turn: Turn): void {
  const phase = turn.rollout?.phase;
  if (phase?.name !== 'holding') return;
  turn.cancel('hold');
  turn.enter({ name: 'deciding', sinceMs: turn.now, during: phase.during });
}

function isPausedRollback(turn: Turn): boolean {
  const phase = turn.rollout?.phase;
  return phase?.name === 'holding' && typeof phase.during === 'object';
}
