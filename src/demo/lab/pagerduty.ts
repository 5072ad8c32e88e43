import { isRecord, type LabAnswer, type LabRequest, notJson, serveLab } from './serve.ts';

/** An incident as the stand-in keeps it: one a dedup key. */
export interface Incident {
  readonly dedupKey: string;
  readonly state: 'triggered' | 'acknowledged' | 'resolved';
  readonly summary: string;
  readonly severity: string;
  readonly source: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly href: string; readonly text?: string }[];
  /** Events that were taken for it. */
  readonly events: number;
}

/** A PagerDuty for one machine: takes Events v2 as strictly as the real one, and keeps incidents. */
export interface PagerDutyStandIn {
  /** For `createPagerDuty`'s `eventsHost`: `http://127.0.0.1:port`. Plain, because nobody has certificates at hand for a demo. */
  readonly eventsHost: string;
  incidents(): readonly Incident[];
  /** Every request as it came, newest last. */
  readonly requests: readonly LabRequest[];
  /** The next requests are answered like this instead, in order. */
  readonly faults: LabAnswer[];
  stop(): Promise<void>;
}

export interface PagerDutyStandInOptions {
  /** What it takes for an integration key; any 32 letters and digits unless given. */
  readonly routingKey?: string;
}

const actions: Readonly<Record<string, Incident['state']>> = {
  trigger: 'triggered',
  acknowledge: 'acknowledged',
  resolve: 'resolved',
};
const severities = ['critical', 'error', 'warning', 'info'];

export async function createPagerDutyStandIn(options: PagerDutyStandInOptions = {}): Promise<PagerDutyStandIn> {
  const kept = new Map<string, Incident>();
  const requests: LabRequest[] = [];
  const faults: LabAnswer[] = [];
  const server = await serveLab((request) => {
    requests.push(request);
    const fault = faults.shift();
    if (fault) return fault;
    if (request.method !== 'POST' || request.path !== '/v2/enqueue') return invalid(404, ['no such address']);
    if (request.bodyBytes > 512 * 1024) return invalid(413, ['the event is over 512 KB']);
    if (request.body === notJson) return invalid(400, ['JSON parse error']);
    if (!isRecord(request.body)) return invalid(400, ['the event must be an object']);
    const problems = problemsOf(request.body, options.routingKey);
    if (problems.length > 0) return invalid(400, problems);
    const key = keep(kept, request.body);
    return { status: 202, body: { status: 'success', message: 'Event processed', dedup_key: key } };
  });
  return {
    eventsHost: server.url,
    incidents: () => [...kept.values()],
    requests,
    faults,
    stop: server.stop,
  };
}

/** As PagerDuty: acknowledging or resolving what is not open is taken, and does nothing; a trigger after the end opens it anew. */
function keep(kept: Map<string, Incident>, event: Record<string, unknown>): string {
  const key = typeof event.dedup_key === 'string' ? event.dedup_key : `made-up-${kept.size + 1}`;
  const state = actions[String(event.event_action)] ?? 'triggered';
  const known = kept.get(key);
  if (state !== 'triggered') {
    if (known && known.state !== 'resolved') kept.set(key, { ...known, state, events: known.events + 1 });
    return key;
  }
  const payload = isRecord(event.payload) ? event.payload : {};
  kept.set(key, {
    dedupKey: key,
    state: known?.state === 'acknowledged' ? 'acknowledged' : 'triggered',
    summary: String(payload.summary),
    severity: String(payload.severity),
    source: String(payload.source),
    details: isRecord(payload.custom_details) ? payload.custom_details : {},
    links: Array.isArray(event.links) ? (event.links as Incident['links']) : [],
    events: (known?.events ?? 0) + 1,
  });
  return key;
}

function problemsOf(event: Record<string, unknown>, routingKey: string | undefined): string[] {
  const problems: string[] = [];
  const demand = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };
  const { routing_key: key, event_action: action, dedup_key: dedup, links } = event;
  const keyHolds =
    typeof key === 'string' && (routingKey === undefined ? /^[A-Za-z0-9]{32}$/.test(key) : key === routingKey);
  demand(keyHolds, 'Invalid routing key');
  demand(typeof action === 'string' && Object.hasOwn(actions, action), "'event_action' is invalid");
  demand(dedup !== undefined || action === 'trigger', "'dedup_key' is missing or blank");
  demand(dedup === undefined || isText(dedup, 255), "'dedup_key' must be a text of 1 to 255 characters");
  if (action === 'trigger') problems.push(...payloadProblems(event.payload));
  const linksHold =
    links === undefined || (Array.isArray(links) && links.every((link) => isRecord(link) && isUrl(link.href)));
  demand(linksHold, "'links' must be a list of objects with an 'href'");
  return problems;
}

function payloadProblems(payload: unknown): string[] {
  if (!isRecord(payload)) return ["'payload' is missing or not an object"];
  const { summary, source, severity, custom_details: details } = payload;
  const problems: string[] = [];
  if (!isText(summary, 1024)) problems.push("'payload.summary' must be a text of 1 to 1024 characters");
  if (!isText(source, 10_000)) problems.push("'payload.source' is missing or blank");
  if (!severities.includes(String(severity)))
    problems.push(
      "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
    );
  if (details !== undefined && !isRecord(details)) problems.push("'payload.custom_details' must be an object");
  return problems;
}

function isText(value: unknown, longest: number): boolean {
  return typeof value === 'string' && value.trim() !== '' && value.length <= longest;
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.parse(value) !== null;
}

function invalid(status: number, errors: readonly string[]): LabAnswer {
  return { status, body: { status: 'invalid event', message: 'Event object is invalid', errors } };
}
