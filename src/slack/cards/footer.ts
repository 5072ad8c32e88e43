import type { Alert, Degradation } from '../../domain/state.ts';
import type { CardView } from '../../ports/chat.ts';
import { alertsOf } from './impact.ts';
import { named, namedPlain } from './people.ts';
import { policyLine } from './revision.ts';
import { code, fitted, link, moment, outside } from './text.ts';

const ALERTS = 6;
const ELEMENT = 1500;

/** The last, small lines of a card: where to read on, what else holds, and by which policy. Markdown, escaped. */
export function footer(view: CardView): string[] {
  return [alerts(view), links(view), standing(view), provenance(view)]
    .filter((line) => line !== '')
    .map((line) => fitted(line, ELEMENT));
}

function alerts(view: CardView): string {
  if (!view.degradation) return '';
  const all = alertsOf(view.degradation, view);
  const shown = all.slice(0, ALERTS).map(alertLine);
  const more = all.length > ALERTS ? [`…and ${all.length - ALERTS} more alerts`] : [];
  return [...shown, ...more].join('\n');
}

function alertLine(alert: Alert): string {
  const state = alert.status === 'firing' ? '🔥 firing since' : '✅ resolved, fired';
  const name = link(alert.generatorUrl, alert.name, 80);
  const runbook = alert.runbookUrl === '' ? '' : ` · ${link(alert.runbookUrl, 'its runbook')}`;
  return `${name} ${state} ${moment(alert.startsAtMs)}${runbook}`;
}

function links({ policy }: CardView): string {
  const found = [
    policy.runbookUrl === null ? '' : `📖 ${link(policy.runbookUrl, 'Runbook')}`,
    policy.dashboardUrl === null ? '' : `📈 ${link(policy.dashboardUrl, 'Dashboard')}`,
  ];
  return found.filter((s) => s !== '').join(' · ');
}

/** What holds besides: pages, acknowledgement, silences, observe, frozen, the brake. */
export function standing({ policy, state, degradation }: CardView): string {
  const notes = [
    degradation?.acknowledged ? `👤 ${named(degradation.acknowledged.by)} is on it` : '',
    degradation ? paged(degradation.page, degradation.stage.name !== 'ended') : '',
    degradation ? silenced(degradation, state.clockMs) : '',
    policy.mode === 'observe' ? '👁️ Observe: automation moves and pages nothing; buttons work' : '',
    state.automationOff
      ? `⏻ Automation switched off by ${namedPlain(state.automationOff.by)}${why(state.automationOff.reason)}; buttons work`
      : '',
    state.freeze
      ? `🧊 Frozen by ${namedPlain(state.freeze.by)}${why(state.freeze.reason)}; nothing moves by itself`
      : '',
  ];
  return notes.filter((s) => s !== '').join('\n');
}

function why(reason: string): string {
  return reason.trim() === '' ? '' : ` (${outside(reason, 200)})`;
}

function silenced({ stage, silencedUntilMs }: Degradation, nowMs: number): string {
  if (silencedUntilMs === null || silencedUntilMs <= nowMs || stage.name === 'ended') return '';
  return `🔕 Alerts are silenced in Alertmanager until ${moment(silencedUntilMs)}`;
}

function paged(page: { state: string; atMs: number | null; by: string | null }, isOpen: boolean): string {
  const at = page.atMs === null ? '' : ` ${moment(page.atMs)}`;
  const by = page.by === null ? '' : ` by ${outside(page.by, 80)}`;
  switch (page.state) {
    case 'triggered':
      return `📟 Paged${at}, nobody acknowledged yet`;
    case 'acknowledged':
      return `📟 Acknowledged in PagerDuty${by}${at}. The clock goes on: answer here`;
    case 'resolved':
      return `📟 Resolved in PagerDuty${by}${at}${isOpen ? '. It stays open here until somebody answers' : ''}`;
    default:
      return '';
  }
}

function provenance({ card, policy, rollout, degradation }: CardView): string {
  const began = degradation?.openedAtMs ?? rollout?.startedAtMs;
  const since = began === undefined ? '' : ` · since ${moment(began, 'day')}`;
  return `${code(card.id)}${since} · ${policyLine(policy, rollout)}`;
}
