import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Application } from '../application/api.ts';
import { withinLimit } from '../application/limit.ts';
import type { Alert } from '../domain/state.ts';
import { bearerCheck } from './auth.ts';
import { bodyLimitBytes, discardBody, readBody } from './body.ts';
import { createIntake, defaultIntake, type IntakeLimits } from './intake.ts';
import type { ServerTelemetry } from './telemetry.ts';

/** One part of the instance, for /readyz. */
export interface Part {
  readonly ok: boolean;
  readonly detail: string;
  /** False: shown, but an instance without it is still of use. */
  readonly gates: boolean;
}

/** What a body said, or why it says nothing we can use (for the sender's log). */
export type ParsedAlerts = { readonly alerts: readonly Alert[] } | { readonly problem: string };

/** Everything the routes need, as the composition root hands it in. */
export interface Doors {
  readonly application: Pick<Application, 'receiveAlerts'>;
  readonly alertTokens: readonly string[];
  readonly parseAlerts: (body: unknown) => ParsedAlerts;
  /** Takes a request that Slack sent, answer included. May throw. */
  readonly slack: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
  readonly readiness: () => Promise<Readonly<Record<string, Part>>>;
  /** All there is to know of the instance, for `lastgood doctor`: JSON, without secrets. */
  readonly doctor: () => Promise<unknown>;
  readonly telemetry: ServerTelemetry;
  /** How long storing alerts may take before the sender is told to come again; Alertmanager cuts off after 10 s at the least. */
  readonly answerWithinMs: number;
  /** Alerts under way at a time; tests shorten it. */
  readonly intake?: IntakeLimits;
}

/** What a route answers. */
export interface Reply {
  readonly status: number;
  /** In pieces where it is long. */
  readonly body: string | AsyncIterable<string>;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For our log, where the answer is a refusal or an error. */
  readonly problem?: string;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** It answers in its own way, and may do so at any time. */
  readonly answersItself?: true;
  /** Null: the route has answered itself. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<Reply | null>;
}

export function createRoutes(doors: Doors): readonly Route[] {
  return [
    { method: 'POST', path: '/webhooks/alertmanager', handle: alertmanagerRoute(doors) },
    { method: 'POST', path: '/slack/events', answersItself: true, handle: slackRoute(doors) },
    { method: 'GET', path: '/healthz', handle: async () => json(200, { alive: true }) },
    { method: 'GET', path: '/readyz', handle: readyRoute(doors) },
    { method: 'GET', path: '/api/v1/doctor', handle: doctorRoute(doors) },
    {
      method: 'GET',
      path: '/metrics',
      handle: async () => {
        const { contentType, pieces } = await doors.telemetry.scrape();
        return { status: 200, body: pieces, contentType };
      },
    },
  ];
}

/** What every answer that is not data looks like: one plain sentence in `error`. */
export function refusal(status: number, error: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { ...json(status, { error }), headers, problem: error };
}

/**
 * Answers 200 only when everything is stored. Alertmanager retries 5xx at once and sends any 4xx again at every interval for ever,
 * so 4xx is kept for what will not get better by itself; our own trouble is 503. Never a redirect: it would lose the alerts.
 */
function alertmanagerRoute(doors: Doors): Route['handle'] {
  const mayEnter = bearerCheck(doors.alertTokens);
  const intake = createIntake(doors.intake ?? defaultIntake);
  return async (request) => {
    if (!mayEnter(request.headers.authorization)) {
      await discardBody(request);
      return refusal(
        401,
        'The bearer token is missing or wrong: put the value of ALERTMANAGER_WEBHOOK_TOKEN into http_config.authorization.credentials of this Alertmanager receiver.',
        { 'www-authenticate': 'Bearer realm="lastgood"' },
      );
    }
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      await discardBody(request);
      return refusal(415, 'The body must be JSON, sent with content-type: application/json.');
    }
    const leave = intake.enter(sizeOf(request));
    if (leave === null) {
      await discardBody(request);
      return refusal(503, 'There are more alerts than can be taken in at once just now: send these again.', retrySoon);
    }
    const work = { begun: false };
    try {
      return await takeIn(doors, request, (alerts) => {
        work.begun = true;
        // Its end frees the place, not the answer: what took too long for the sender goes on.
        return doors.application.receiveAlerts(alerts).finally(leave);
      });
    } finally {
      if (!work.begun) leave();
    }
  };
}

const retrySoon = { 'retry-after': '1' };

/** What it says; else as much as it may be. */
function sizeOf(request: IncomingMessage): number {
  const said = Number(request.headers['content-length'] ?? Number.NaN);
  return Number.isInteger(said) ? Math.min(said, bodyLimitBytes) : bodyLimitBytes;
}

type Store = (alerts: readonly Alert[]) => ReturnType<Application['receiveAlerts']>;

async function takeIn(doors: Doors, request: IncomingMessage, store: Store): Promise<Reply> {
  const read = await readBody(request, bodyLimitBytes);
  if ('tooLarge' in read) {
    return refusal(
      413,
      `The body is larger than ${bodyLimitBytes / 1024 / 1024} MB: set max_alerts on this Alertmanager receiver, or group by fewer labels.`,
    );
  }
  const parsed = parse(read.body, doors.parseAlerts);
  if ('problem' in parsed) return refusal(400, parsed.problem);
  return storeAlerts(doors, parsed.alerts, store);
}

async function storeAlerts(doors: Doors, alerts: readonly Alert[], store: Store): Promise<Reply> {
  try {
    const receipt = await withinLimit(doors.answerWithinMs, 'The store', () => store(alerts));
    // What has to be done about them is begun first: people wait for that.
    await new Promise((turn) => setImmediate(turn));
    return json(200, receipt);
  } catch (error) {
    doors.telemetry.problem('alerts', error);
    return refusal(503, 'The alerts could not be stored just now: send them again.', retrySoon);
  }
}

function parse(body: Buffer, parseAlerts: Doors['parseAlerts']): ParsedAlerts {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    return { problem: `The body is not JSON: ${error instanceof Error ? error.message : 'it cannot be read'}` };
  }
  return parseAlerts(value);
}

function slackRoute(doors: Doors): Route['handle'] {
  return async (request, response) => {
    await doors.slack(request, response);
    return null;
  };
}

function readyRoute(doors: Doors): Route['handle'] {
  return async () => {
    const parts = await doors.readiness();
    const ready = Object.values(parts).every((part) => part.ok || !part.gates);
    return json(ready ? 200 : 503, { ready, parts });
  };
}

/** Services, addresses and alerts are not for everybody: whoever may send alerts may ask. */
function doctorRoute(doors: Doors): Route['handle'] {
  const mayEnter = bearerCheck(doors.alertTokens);
  return async (request) => {
    if (mayEnter(request.headers.authorization)) return json(200, await doors.doctor());
    const headers = { 'www-authenticate': 'Bearer realm="lastgood"' };
    return refusal(401, 'The bearer token is missing or wrong: give one of ALERTMANAGER_WEBHOOK_TOKEN.', headers);
  };
}

function json(status: number, value: unknown): { status: number; body: string; contentType: string } {
  return { status, body: `${JSON.stringify(value)}\n`, contentType: 'application/json; charset=utf-8' };
}
