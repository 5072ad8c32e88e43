import http from 'node:http';
import https from 'node:https';
import axios, { type AxiosResponse } from 'axios';
import type { Endpoint } from '../domain/policy.ts';
import { PortError } from '../ports/failure.ts';
import { addressRule, type PrivateAddresses } from './addresses.ts';
import { type Breaker, type CallEnd, type Circuit, createBreaker, type Reached } from './breaker.ts';
import { excerpt, longEnough, redact, secretsOf } from './excerpt.ts';
import { type Progress, retryAfterMs, transportFailure, withoutConsequence } from './failures.ts';
import { createAgents } from './tls.ts';

/** The way out for every adapter. Throws nothing but PortError. */
export interface Http {
  request(request: HttpRequest, signal?: AbortSignal): Promise<HttpResponse>;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Said to be JSON unless a `content-type` header says otherwise. */
  readonly body?: string | Buffer;
  /** For everything together: connecting, waiting for the answer, reading it. */
  readonly timeoutMs: number;
  /** `read` may always be repeated; a `write` that loses its reply is ambiguous. */
  readonly intent: 'read' | 'write';
  /** All PEM. */
  readonly tls?: Endpoint['tls'];
  /** Longest answer taken, after decompression (8 MiB). */
  readonly maxBytes?: number;
  /** Statuses that are returned; all others are thrown. Default: 200 to 299. */
  readonly accept?: (status: number) => boolean;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; several of one name are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpOptions {
  /** What we call ourselves. */
  readonly userAgent?: string;
  /** Connections to one host at the same time (32). */
  readonly maxSockets?: number;
  /** For Retry-After given as a date, and for how long a host that does not answer is left alone. */
  readonly now?: () => number;
  /** Values that stand in no message, wherever in a request they were: what a policy puts into a body, an answer may quote. */
  readonly secrets?: readonly string[];
  /** Whether addresses of private networks may be asked (they may). */
  readonly privateAddresses?: PrivateAddresses;
}

const defaultMaxBytes = 8 * 1024 * 1024;

/** How the hosts stand that were asked so far. */
export interface Circuits {
  circuits(): readonly Circuit[];
}

/**
 * The HTTP client: connections are kept, redirects are not followed, proxies of the environment are not used, answers are
 * bounded in time and length. A host that has not answered several times in a row is left alone for some seconds: what is asked
 * of it meanwhile fails at once, as `retryable`. Messages name method, host and path, never the query, the credentials or a header.
 */
export function createHttp(options: HttpOptions = {}): Http & Circuits & { close(): void } {
  const rule = addressRule(options.privateAddresses ?? 'allow');
  const agents = createAgents(options.maxSockets ?? 32, rule.lookup);
  const now = options.now ?? Date.now;
  const userAgent = options.userAgent ?? 'lastgood';
  const secrets = longEnough(options.secrets ?? []);
  const breakers = new Map<string, Breaker>();

  function breakerOf({ origin }: URL): Breaker {
    const breaker = breakers.get(origin) ?? createBreaker({ host: origin, now });
    breakers.set(origin, breaker);
    return breaker;
  }

  async function request(given: HttpRequest, signal?: AbortSignal): Promise<HttpResponse> {
    const url = parsed(given.url);
    const what = `${given.method.toUpperCase()} ${place(url)}`;
    const refused = rule.refuses(url.hostname);
    if (refused !== null) throw new PortError('permanent', `${what} was not sent: ${refused}.`);
    const request = { ...given, headers: headersOf(given, url, userAgent, what) };
    const progress: Progress = { sent: false, reused: false, status: null };
    const timeout = AbortSignal.timeout(request.timeoutMs);
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    const failed = (error: unknown) =>
      transportFailure({
        what,
        error,
        progress,
        request,
        timedOut: timeout.aborted,
        cancelled: signal?.aborted ?? false,
      });
    const send = () => exchange(request, url, progress, either);
    const call = async (): Promise<AxiosResponse<string>> => {
      try {
        return await send().catch((error: unknown) => {
          // A kept connection that the server closed just now: reading again is harmless, and spares everybody a false failure.
          if (request.intent === 'write' || !progress.reused || progress.status !== null || either.aborted) throw error;
          return send();
        });
      } catch (error) {
        throw without(secrets, failed(error));
      }
    };
    const response = await breakerOf(url).run(call, (end) => reachedBy(end, what, progress, signal));
    try {
      return judged(request, url, what, response, { nowMs: now(), secrets });
    } catch (error) {
      throw error instanceof PortError ? without(secrets, error) : error;
    }
  }

  async function exchange(
    request: HttpRequest,
    url: URL,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<AxiosResponse<string>> {
    Object.assign(progress, { sent: false, reused: false, status: null });
    const secure = url.protocol === 'https:';
    return await axios.request<string>({
      method: request.method,
      url: withoutCredentials(url),
      headers: { ...request.headers },
      data: request.body,
      signal,
      httpAgent: agents.http,
      httpsAgent: secure ? agents.https(request.tls) : undefined,
      transport: watched(secure, progress),
      maxRedirects: 0,
      proxy: false,
      maxContentLength: request.maxBytes ?? defaultMaxBytes,
      maxBodyLength: Number.POSITIVE_INFINITY,
      responseType: 'text',
      transformRequest: [(data: unknown) => data],
      transformResponse: [(data: unknown) => data],
      validateStatus: () => true,
    });
  }

  const circuits = () => [...breakers.values()].map((breaker) => breaker.circuit());
  return { request, circuits, close: () => agents.close() };
}

/** Any answer below 500 shows that the host is there, also one that the caller has no use for. */
function reachedBy(
  end: CallEnd<AxiosResponse<string>>,
  what: string,
  progress: Progress,
  signal: AbortSignal | undefined,
): Reached {
  if ('value' in end) {
    const { status } = end.value;
    if (status < 500) return { answered: true };
    return { unreachable: `${what} answered ${status}` };
  }
  if (signal?.aborted) return { unknown: true };
  const { error } = end;
  if (!(error instanceof PortError)) return { unknown: true };
  // Too long an answer is one; an address nothing can be sent to says nothing of the host.
  if (error.failure === 'permanent') return progress.status === null ? { unknown: true } : { answered: true };
  return { unreachable: withoutConsequence(error.message) };
}

/** The answer, or what its status means. */
function judged(
  request: HttpRequest,
  url: URL,
  what: string,
  response: AxiosResponse<string>,
  { nowMs, secrets }: { readonly nowMs: number; readonly secrets: readonly string[] },
): HttpResponse {
  const { status } = response;
  const headers = plainHeaders(response.headers);
  const body = response.data ?? '';
  const accept = request.accept ?? ((s: number) => s >= 200 && s < 300);
  if (accept(status)) return { status, headers, body };
  if (status >= 300 && status < 400) {
    const to = redirectTo(headers.location, url);
    throw new PortError(
      'permanent',
      `${what} answered ${status}: it redirects to ${to}. Redirects are not followed: give the address itself.`,
    );
  }
  const said = excerpt(body, longEnough([...secretsOf(url, request.headers ?? {}), ...secrets]));
  const name = http.STATUS_CODES[status];
  const message = `${what} answered ${status}${name ? ` ${name}` : ''}${said ? `: ${said}` : ''}`;
  if (status >= 500 || status === 429) {
    throw new PortError('retryable', message, { retryAfterMs: retryAfterMs(headers['retry-after'], nowMs) });
  }
  throw new PortError('permanent', message);
}

function without(secrets: readonly string[], { failure, message, retryAfterMs }: PortError): PortError {
  return new PortError(failure, redact(message, secrets), retryAfterMs === null ? {} : { retryAfterMs });
}

/** Node's own request, and how far it came: nothing can have happened before the connection stood. */
function watched(secure: boolean, progress: Progress) {
  return {
    request(options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void): http.ClientRequest {
      const request = (secure ? https : http).request(options, (response) => {
        progress.status = response.statusCode ?? null;
        onResponse(response);
      });
      request.once('socket', (socket) => {
        progress.reused = request.reusedSocket;
        if (request.reusedSocket || !socket.connecting) progress.sent = true;
        else socket.once(secure ? 'secureConnect' : 'connect', () => Object.assign(progress, { sent: true }));
      });
      return request;
    },
  };
}

/** What is sent, names in lower case. Checked here: axios would leave out characters that are not allowed, also of a token. */
function headersOf(request: HttpRequest, url: URL, userAgent: string, what: string): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': userAgent, accept: 'application/json, */*;q=0.5' };
  if (request.body !== undefined) headers['content-type'] = 'application/json';
  if (url.username !== '' || url.password !== '') {
    const credentials = `${decoded(url.username)}:${decoded(url.password)}`;
    headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    try {
      http.validateHeaderName(name);
      http.validateHeaderValue(name, value);
    } catch {
      throw new PortError(
        'permanent',
        `${what} was not sent: the header ${JSON.stringify(name)} has a character that is not allowed.`,
      );
    }
    headers[name.toLowerCase()] = value;
  }
  return headers;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded: it stands there as it is.
    return text;
  }
}

function withoutCredentials(url: URL): string {
  const plain = new URL(url.href);
  plain.username = '';
  plain.password = '';
  return plain.href;
}

function plainHeaders(headers: AxiosResponse['headers']): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && value !== null) plain[name.toLowerCase()] = String(value);
  }
  return plain;
}

function parsed(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new PortError(
    'permanent',
    'The address is not an http or https URL: check it in the policy or the configuration.',
  );
}

/** As people name it in a message: without credentials and query. */
export function place(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function redirectTo(location: string | undefined, base: URL): string {
  const target = location === undefined ? null : URL.parse(location, base.href);
  return target ? place(target) : 'nowhere (no Location)';
}
