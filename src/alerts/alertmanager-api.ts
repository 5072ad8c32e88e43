import { z } from 'zod';
import type { Endpoint, Matcher } from '../domain/policy.ts';
import type { Http, HttpResponse } from '../outbound/http.ts';
import { PortError } from '../ports/failure.ts';

/** Alertmanager's HTTP API v2, as far as it is used; what is not known in an answer is let be. */

/** Ten thousand alerts are about 8 MiB. */
const MOST_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

const silenceSchema = z.object({
  id: z.string(),
  status: z.object({ state: z.enum(['active', 'pending', 'expired']) }),
  comment: z.string().default(''),
  createdBy: z.string().default(''),
  startsAt: z.string(),
  endsAt: z.string(),
  matchers: z.array(
    // Servers before 0.22 have no `isEqual`: their matchers are all positive.
    z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean().default(true) }),
  ),
});
export type HeldSilence = z.output<typeof silenceSchema>;
export type SilenceMatcher = HeldSilence['matchers'][number];

const statusSchema = z.object({ uptime: z.string().optional() });
const createdSchema = z.object({ silenceID: z.string() });

export interface SilenceBody {
  readonly id?: string;
  readonly matchers: readonly SilenceMatcher[];
  readonly startsAt: string;
  readonly endsAt: string;
  readonly createdBy: string;
  readonly comment: string;
}

export interface AlertmanagerApi {
  /** As told, not looked into. */
  alerts(signal: AbortSignal): Promise<readonly unknown[]>;
  /** Since when it runs, and what its own clock says now (Unix ms); null: not told. */
  uptime(signal: AbortSignal): Promise<{ readonly sinceMs: number | null; readonly dateMs: number | null }>;
  /** Also those that expired not long ago. */
  silences(signal: AbortSignal): Promise<readonly HeldSilence[]>;
  silence(id: string, signal: AbortSignal): Promise<HeldSilence>;
  /** Answers its id: a new one where the matchers of the one named were others. */
  postSilence(body: SilenceBody, signal: AbortSignal): Promise<string>;
  /** One that is not there (any more) is no error. */
  expireSilence(id: string, signal: AbortSignal): Promise<void>;
}

export function alertmanagerApi(http: Http, endpoint: Endpoint): AlertmanagerApi {
  const base = `${endpoint.url.replace(/\/+$/, '')}/api/v2`;
  const fixed = { headers: endpoint.headers, tls: endpoint.tls, timeoutMs: TIMEOUT_MS, maxBytes: MOST_BYTES };
  const get = (path: string, signal: AbortSignal) =>
    http.request({ ...fixed, method: 'GET', url: `${base}${path}`, intent: 'read' }, signal);
  return {
    async alerts(signal) {
      const response = await get('/alerts?active=true&silenced=true&inhibited=true&unprocessed=true', signal);
      return read(z.array(z.unknown()), response, 'alerts');
    },
    async uptime(signal) {
      const response = await get('/status', signal);
      const { uptime } = read(statusSchema, response, 'status');
      return { sinceMs: moment(uptime), dateMs: moment(response.headers.date) };
    },
    silences: async (signal) => read(z.array(silenceSchema), await get('/silences', signal), 'silences'),
    silence: async (id, signal) =>
      read(silenceSchema, await get(`/silence/${encodeURIComponent(id)}`, signal), 'silence'),
    async postSilence(body, signal) {
      const request = { ...fixed, method: 'POST', url: `${base}/silences`, intent: 'write' } as const;
      const response = await http.request({ ...request, body: JSON.stringify(body) }, signal);
      return read(createdSchema, response, 'id of the silence').silenceID;
    },
    async expireSilence(id, signal) {
      // 0.25 answers 500 for one it does not know, current versions 404.
      const accept = (status: number) => (status >= 200 && status < 300) || status === 404 || status === 500;
      const url = `${base}/silence/${encodeURIComponent(id)}`;
      const { status, body } = await http.request({ ...fixed, method: 'DELETE', url, intent: 'write', accept }, signal);
      if (status === 500 && !/not found/i.test(body))
        throw new PortError('retryable', `Alertmanager could not end the silence ${id}: it answered 500.`);
    },
  };
}

/** As Alertmanager writes it; the order is that of the policy. */
export function silenceMatchers(matchers: readonly Matcher[]): SilenceMatcher[] {
  return matchers.map(({ label, operator, value }) => ({
    name: label,
    value,
    isRegex: operator === '=~' || operator === '!~',
    isEqual: operator === '=' || operator === '=~',
  }));
}

export function sameMatchers(a: readonly SilenceMatcher[], b: readonly SilenceMatcher[]): boolean {
  return written(a) === written(b);
}

function written(matchers: readonly SilenceMatcher[]): string {
  const each = matchers.map(({ name, value, isRegex, isEqual }) => JSON.stringify([name, value, isRegex, isEqual]));
  return [...new Set(each)].sort().join();
}

function read<S extends z.ZodType>(schema: S, response: HttpResponse, what: string): z.output<S> {
  let body: unknown;
  try {
    body = JSON.parse(response.body);
  } catch {
    throw new PortError('retryable', `Alertmanager's ${what} could not be read: its answer is not JSON. ${whose}`);
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue && issue.path.length > 0 ? ` (${issue.path.map(String).join('.')}: ${issue.message})` : '';
  throw new PortError('permanent', `Alertmanager's ${what} could not be read: not what API v2 says${where}. ${whose}`);
}

const whose = 'Is it the address of an Alertmanager (0.16 or newer)?';

function moment(text: string | undefined): number | null {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) || ms <= 0 ? null : ms;
}
