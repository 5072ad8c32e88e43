import { z } from 'zod';
import type { Severity } from '../domain/policy.ts';
import type { Alert } from '../domain/state.ts';
import { PortError } from '../ports/failure.ts';
import { fingerprintOf } from './fingerprint.ts';
import { labelText, limits, manyLines, oneLine, webAddress } from './text.ts';

/** The body is not an Alertmanager webhook; the message names every field that is wrong, never its content. */
export class WebhookProblem extends Error {
  override readonly name = 'WebhookProblem';
}

export interface Webhook {
  readonly alerts: readonly Alert[];
  readonly groupStatus: Alert['status'];
  /** Alerts the sender left out (`max_alerts`): that one is not listed does not mean that it is resolved. */
  readonly truncatedAlerts: number;
  /** Where the sender's own page is; '' where it did not say. */
  readonly externalUrl: string;
}

/** More wrong fields than this are not listed. */
const maxListed = 20;

/** RFC 3339, as Go writes it: with up to nine decimals. */
const timestamp = z.string('must be a time').transform((text, context) => {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
  const ms = form.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  context.addIssue('must be a time such as 2026-11-21T00:16:40.024Z');
  return z.NEVER;
});

const statuses = z.enum(['firing', 'resolved'], 'must be firing or resolved');
const optionalText = z.string('must be a text').nullish();
/** Senders that build the body from a template give numbers and booleans as they are. */
const texts = z.unknown().transform((value, context) => {
  const read: Record<string, string> = {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    context.addIssue('must be a mapping of texts');
    return z.NEVER;
  }
  for (const [name, given] of Object.entries(value)) {
    // It would be the mapping's prototype.
    if (name === '__proto__') continue;
    const text = textOf(given);
    if (text === null) context.addIssue({ code: 'custom', message: 'must be a text', path: [name] });
    else read[name] = text;
  }
  return read;
});

/** Null: it cannot be one. */
function textOf(given: unknown): string | null {
  if (typeof given === 'string') return given;
  if (given === null) return '';
  return typeof given === 'boolean' || (typeof given === 'number' && Number.isFinite(given)) ? String(given) : null;
}

const alertSchema = z.looseObject(
  {
    status: statuses.nullish(),
    labels: texts,
    annotations: texts.nullish(),
    startsAt: timestamp,
    endsAt: timestamp.nullish(),
    generatorURL: optionalText,
    fingerprint: optionalText,
  },
  'must be an alert',
);

/** Version 4, and what is near to it: Grafana's (version 1, more keys) and that of before 2018 (no status or fingerprint an alert). */
const webhookSchema = z.looseObject(
  {
    status: statuses.nullish(),
    alerts: z.array(alertSchema, 'must be a list of alerts'),
    externalURL: optionalText,
    truncatedAlerts: z.int('must be a whole number').min(0, 'must not be negative').nullish(),
  },
  'must be a JSON object',
);

type AlertBody = z.output<typeof alertSchema>;

/**
 * Reads a webhook's body, already parsed as JSON. Unknown fields are let be: newer senders add some. Throws WebhookProblem,
 * and nothing else.
 */
export function parseWebhook(body: unknown): Webhook {
  const result = webhookSchema.safeParse(body);
  if (!result.success) throw new WebhookProblem(describe(result.error.issues));
  const { status, alerts, truncatedAlerts } = result.data;
  const externalUrl = webAddress(result.data.externalURL ?? '');
  const read = alerts.map((alert) => readAlert(alert, status ?? null, externalUrl));
  const anyFiring = read.some((alert) => alert.status === 'firing');
  return {
    alerts: read,
    groupStatus: status ?? (anyFiring ? 'firing' : 'resolved'),
    truncatedAlerts: truncatedAlerts ?? 0,
    externalUrl,
  };
}

/** What an Alertmanager holds, as `GET /api/v2/alerts` tells it. */
export interface HeldBody {
  /** Always firing: its `endsAt` only says when it would be over were it never heard of again. */
  readonly alert: Alert;
  readonly silencedBy: readonly string[];
  readonly inhibited: boolean;
}

const heldSchema = alertSchema.extend({
  // Its state ("active", "suppressed"), not the firing or resolved of a webhook.
  status: z.looseObject({
    state: z.string().nullish(),
    silencedBy: z.array(z.string()).nullish(),
    inhibitedBy: z.array(z.string()).nullish(),
  }),
});

/** Read at one go; ten thousand alerts would keep everything else waiting for a second. */
const SLICE = 200;

/** All or none: one that could not be read and was left out would be taken for resolved. Throws PortError. */
export async function parseHeld(body: readonly unknown[]): Promise<readonly HeldBody[]> {
  const held: HeldBody[] = [];
  for (let from = 0; from < body.length; from += SLICE) {
    if (from > 0) await new Promise((resolve) => setImmediate(resolve));
    for (const [index, one] of body.slice(from, from + SLICE).entries()) held.push(readHeld(one, from + index));
  }
  return held;
}

function readHeld(body: unknown, index: number): HeldBody {
  const result = heldSchema.safeParse(body);
  if (!result.success) {
    const issues = result.error.issues.map((issue) => ({ ...issue, path: [index, ...issue.path] }));
    throw new PortError('permanent', `Alertmanager's alerts could not be read: ${listed(issues)}`);
  }
  const { status, ...held } = result.data;
  const silencedBy = status.silencedBy ?? [];
  return {
    alert: readAlert({ ...held, status: 'firing' }, 'firing', ''),
    silencedBy,
    // Suppressed, and by no silence: inhibited, or muted in a way that this does not know yet.
    inhibited: hasAny(status.inhibitedBy) || (status.state === 'suppressed' && silencedBy.length === 0),
  };
}

function hasAny(list: readonly string[] | null | undefined): boolean {
  return (list ?? []).length > 0;
}

function describe(issues: readonly z.core.$ZodIssue[]): string {
  return `This is not an Alertmanager webhook: ${listed(issues)}`;
}

function listed(issues: readonly z.core.$ZodIssue[]): string {
  const first = issues.slice(0, maxListed).map((issue) => {
    const where = issue.path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${oneLine(String(part), 60)}`))
      .join('');
    return `${where.replace(/^\./, '') || 'the body'} ${issue.message}`;
  });
  const more = issues.length > maxListed ? [`and ${issues.length - maxListed} more`] : [];
  return [...first, ...more].join('; ');
}

function readAlert(body: AlertBody, groupStatus: Alert['status'] | null, externalUrl: string): Alert {
  const labels = cleaned(body.labels);
  const annotations = body.annotations ?? {};
  const endsAtMs = isUnset(body.endsAt) ? null : body.endsAt;
  const status = body.status ?? (groupStatus === 'resolved' || endsAtMs !== null ? 'resolved' : 'firing');
  const name = oneLine(labels.alertname ?? '', limits.name) || 'unnamed alert';
  const text = (...keys: readonly string[]) =>
    keys.map((key) => annotations[key] ?? '').find((value) => value.trim() !== '') ?? '';
  return {
    fingerprint: /^[\w.:-]{1,64}$/.test(body.fingerprint ?? '') ? (body.fingerprint ?? '') : fingerprintOf(body.labels),
    name,
    severity: severityOf(labels),
    status,
    startsAtMs: isUnset(body.startsAt) ? 0 : body.startsAt,
    // While it fires an end can only be a guess of the sender's.
    endsAtMs: status === 'firing' ? null : endsAtMs,
    summary: oneLine(text('summary', 'title', 'message', 'description'), limits.summary) || name,
    description: manyLines(text('description', 'message'), limits.description),
    labels,
    generatorUrl: webAddress(body.generatorURL ?? '', externalUrl),
    runbookUrl: webAddress(text('runbook_url', 'runbookUrl', 'runbook')),
  };
}

/** Go's zero time, 0001-01-01, is what "not set" looks like. */
function isUnset(ms: number | null | undefined): ms is null | undefined {
  return ms === null || ms === undefined || ms <= 0;
}

function cleaned(labels: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(labels).slice(0, limits.labels);
  return Object.fromEntries(entries.map(([name, value]) => [oneLine(name, limits.name), labelText(value)]));
}

/** `critical`, `page` and `error` are what people write for "wake somebody". */
export function severityOf(labels: Readonly<Record<string, string>>): Severity {
  const label = Object.hasOwn(labels, 'severity') ? (labels.severity ?? '') : '';
  return ['critical', 'page', 'error'].includes(label.trim().toLowerCase()) ? 'critical' : 'warning';
}
