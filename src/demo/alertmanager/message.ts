import type { Labels } from '../prometheus/samples.ts';

/** An alert as it is held: times in Unix milliseconds. */
export interface HeldAlert {
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAtMs: number;
  /** Past: resolved. */
  readonly endsAtMs: number;
  readonly updatedAtMs: number;
  readonly generatorURL: string;
}

export interface GroupMessage {
  readonly receiver: string;
  readonly groupBy: readonly string[];
  readonly externalUrl: string;
  readonly alerts: readonly HeldAlert[];
  readonly nowMs: number;
}

/** What "not set" looks like where Go writes it. */
const ZERO_TIME = '0001-01-01T00:00:00Z';

export function isResolved(alert: HeldAlert, nowMs: number): boolean {
  return alert.endsAtMs <= nowMs;
}

/** The body of a webhook, version 4, byte for byte as Alertmanager 0.25 writes it: keys in its order, a line feed at the end. */
export function webhookBody({ receiver, groupBy, externalUrl, alerts, nowMs }: GroupMessage): string {
  const groupLabels = pick(alerts[0]?.labels ?? {}, groupBy);
  const message = {
    receiver,
    status: alerts.some((alert) => !isResolved(alert, nowMs)) ? 'firing' : 'resolved',
    alerts: alerts.map((alert) => ({
      status: isResolved(alert, nowMs) ? 'resolved' : 'firing',
      labels: sorted(alert.labels),
      annotations: sorted(alert.annotations),
      startsAt: goTime(alert.startsAtMs),
      endsAt: isResolved(alert, nowMs) ? goTime(alert.endsAtMs) : ZERO_TIME,
      generatorURL: alert.generatorURL,
      fingerprint: alert.fingerprint,
    })),
    groupLabels,
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    externalURL: externalUrl,
    version: '4',
    groupKey: groupKeyOf(groupLabels),
    truncatedAlerts: 0,
  };
  return `${goJson(message)}\n`;
}

/** `{}:{alertname="X", service="y"}`: the root route, then the group's labels. */
export function groupKeyOf(groupLabels: Labels): string {
  const pairs = Object.entries(groupLabels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{}:{${pairs.join(', ')}}`;
}

export function pick(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(names.toSorted().flatMap((name) => (labels[name] ? [[name, labels[name]]] : [])));
}

/** RFC 3339 as Go writes it: without zeros at the end of the fraction. */
export function goTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0+Z$/, 'Z');
}

function common(all: readonly Labels[]): Labels {
  const [first = {}, ...others] = all;
  const shared = Object.entries(first).filter(([name, value]) => others.every((labels) => labels[name] === value));
  return sorted(Object.fromEntries(shared));
}

function sorted(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Go's encoder escapes what could end a script element. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
