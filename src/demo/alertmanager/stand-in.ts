import type { IncomingMessage, ServerResponse } from 'node:http';
import { fingerprintOf } from '../../alerts/fingerprint.ts';
import { compileSelector } from '../../domain/match.ts';
import { MatcherProblem, parseMatchers } from '../../policies/index.ts';
import { bodyOf, type LoopbackServer, listenOnLoopback, sendJson, sendText } from '../loopback.ts';
import { AlertGroup, type GroupOptions } from './group.ts';
import { groupKeyOf, type HeldAlert, pick } from './message.ts';

export type StandInAlertmanagerOptions = Omit<GroupOptions, 'externalUrl'>;

/** An alert that says no end is over after this without another word (Alertmanager's resolve_timeout). */
const RESOLVE_TIMEOUT_MS = 5 * 60_000;

class BadAlerts extends Error {
  override readonly name = 'BadAlerts';
}

/**
 * Does what the demo asks of an Alertmanager where none is installed: takes alerts in, groups them, tells the receiver with
 * the same webhook, lists what fires, and says since when it runs. No silences, no inhibition, no cluster.
 */
export async function startStandInAlertmanager(options: StandInAlertmanagerOptions): Promise<LoopbackServer> {
  const groups = new Map<string, AlertGroup>();
  const stopping = new AbortController();
  const upSince = new Date().toISOString();
  const server = await listenOnLoopback(0, (request, response) => answer(request, response));
  const put = (alert: HeldAlert) => {
    const key = groupKeyOf(pick(alert.labels, options.groupBy));
    const group = groups.get(key) ?? new AlertGroup({ ...options, externalUrl: server.url }, stopping.signal);
    groups.set(key, group);
    group.put(alert);
  };
  const list = (filters: readonly string[]) => {
    const accepts = compileSelector({ matchers: filters.flatMap(parseMatchers), severity: null });
    const all = [...groups.values()].flatMap((group) => group.firing(Date.now()));
    return all
      .filter(({ labels }) => accepts(labels))
      .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
      .map((alert) => listed(alert, options.receiver.name));
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/-/ready' || pathname === '/-/healthy') return sendText(response, 200, 'OK');
    if (pathname === '/api/v2/status') return sendJson(response, 200, { uptime: upSince });
    if (pathname !== '/api/v2/alerts') return sendText(response, 404, '404 page not found\n');
    try {
      if (request.method === 'GET') {
        const wanted = searchParams.get('active') !== 'false';
        return sendJson(response, 200, wanted ? list(searchParams.getAll('filter')) : []);
      }
      if (request.method !== 'POST') return sendText(response, 405, 'Method Not Allowed\n');
      const alerts = readAlerts(await bodyOf(request), Date.now());
      alerts.forEach(put);
      response.writeHead(200);
      response.end();
    } catch (error) {
      if (!(error instanceof BadAlerts || error instanceof MatcherProblem)) throw error;
      // Its errors are a bare JSON text.
      sendJson(response, 400, error.message);
    }
  }

  return {
    url: server.url,
    async stop() {
      stopping.abort();
      await server.stop();
    },
  };
}

/** What Prometheus posts. Throws BadAlerts, and then nothing of it was taken. */
function readAlerts(body: string, nowMs: number): HeldAlert[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new BadAlerts('parsing alerts body from "" failed, because the body is not JSON');
  }
  if (!Array.isArray(parsed)) throw new BadAlerts('the body must be a list of alerts');
  return parsed.map((entry: unknown, index) => {
    const fields = isRecord(entry) ? entry : {};
    const labels = textsOf(fields.labels);
    if (labels === null || Object.keys(labels).length === 0) {
      throw new BadAlerts(`alert ${index} is invalid: at least one label pair required`);
    }
    const startsAtMs = timeOf(fields.startsAt) ?? nowMs;
    return {
      fingerprint: fingerprintOf(labels),
      labels,
      annotations: textsOf(fields.annotations) ?? {},
      startsAtMs,
      endsAtMs: timeOf(fields.endsAt) ?? nowMs + RESOLVE_TIMEOUT_MS,
      updatedAtMs: nowMs,
      generatorURL: typeof fields.generatorURL === 'string' ? fields.generatorURL : '',
    };
  });
}

function listed(alert: HeldAlert, receiver: string): object {
  return {
    annotations: alert.annotations,
    endsAt: new Date(alert.endsAtMs).toISOString(),
    fingerprint: alert.fingerprint,
    receivers: [{ name: receiver }],
    startsAt: new Date(alert.startsAtMs).toISOString(),
    status: { inhibitedBy: [], silencedBy: [], state: 'active' },
    updatedAt: new Date(alert.updatedAtMs).toISOString(),
    generatorURL: alert.generatorURL,
    labels: alert.labels,
  };
}

function timeOf(value: unknown): number | null {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) || ms <= 0 ? null : ms;
}

function textsOf(value: unknown): Record<string, string> | null {
  if (!isRecord(value)) return null;
  const entries = Object.entries(value);
  if (entries.some(([, text]) => typeof text !== 'string')) return null;
  return Object.fromEntries(entries.map(([name, text]) => [name, String(text)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
