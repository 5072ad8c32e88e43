import type { Policy } from '../domain/policy.ts';
import type { UnmatchedAlert } from '../ports/store.ts';
import { nearMisses } from './near-miss.ts';

/** More are counted, not named. */
const NAMED = 8;
const LONGEST_LABELS = 300;

/** What the default channel reads of alerts that no policy matches: which, how near a policy came, and how to make one match. */
export function unmatchedNote(alerts: readonly UnmatchedAlert[], policies: readonly Policy[]): string {
  const [first] = alerts;
  if (!first) return '';
  const head = alerts.length === 1 ? 'An alert fires that no policy matches:' : headOf(alerts.length);
  const named = alerts.slice(0, NAMED).flatMap((alert) => linesOf(alert, policies));
  const rest =
    alerts.length > NAMED ? [`… and ${alerts.length - NAMED} more: \`lastgood doctor\` lists them all.`] : [];
  return [
    head,
    ...named,
    ...rest,
    `To be asked about it on a card, put a match for it under \`alerts\` in the policy of its service:`,
    `  - match: [${suggestion(first)}]`,
    'If it is nobody’s here, let its route in Alertmanager end before Lastgood.',
  ].join('\n');
}

function headOf(count: number): string {
  return `${count} alerts fire that no policy matches:`;
}

function linesOf(alert: UnmatchedAlert, policies: readonly Policy[]): string[] {
  const labels = Object.entries(alert.labels)
    .filter(([label]) => label !== 'alertname')
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(', ');
  const shown = labels.length > LONGEST_LABELS ? `${labels.slice(0, LONGEST_LABELS - 1)}…` : labels;
  const [nearest] = nearMisses(policies, alert.labels) ?? [];
  const near = nearest && nearest.held > 0 ? [`   nearest: ${nearest.text}`] : [];
  const summary = alert.summary === alert.name ? '' : `: ${alert.summary}`;
  return [`• ${alert.name}${summary} (${shown || 'no labels'})`, ...near];
}

/** What tells it from others, and stays the same at its next firing. */
function suggestion({ labels, name }: UnmatchedAlert): string {
  const wanted = ['alertname', 'service', 'namespace', 'job']
    .filter((label) => Object.hasOwn(labels, label))
    .slice(0, 2);
  const matchers = wanted.map((label) => `${label}=${JSON.stringify(labels[label])}`);
  const given = matchers.length > 0 ? matchers : [`alertname=${JSON.stringify(name)}`];
  return given.map((matcher) => `'${matcher.replaceAll("'", "''")}'`).join(', ');
}
