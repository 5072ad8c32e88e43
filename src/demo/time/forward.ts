import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, type LoopbackServer, listenOnLoopback } from '../loopback.ts';

export interface Forwarded {
  readonly method: string;
  /** With the query: `/api/v2/alerts?active=true`. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** `http://127.0.0.1:9090`; null while nothing runs there yet. */
export type Origin = () => string | null;

export interface ForwardedAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  /** What the answer says the time is; the machine's unless given. */
  readonly dateMs?: number;
}

/** Of one hop only, or made anew by whoever sends it on. */
const NOT_PASSED_ON = ['host', 'connection', 'content-length', 'transfer-encoding', 'accept-encoding', 'keep-alive'];

/**
 * Something in between on loopback: `answer` may change what goes on and what comes back. Who is behind it and does not answer is a
 * 502 that says so.
 */
export function startForwarder(answer: (request: Forwarded) => Promise<ForwardedAnswer>): Promise<LoopbackServer> {
  return listenOnLoopback(0, async (request, response) => {
    send(response, await answer(await read(request)).catch(noAnswer));
  });
}

/** Sends it on as it is. Rejects where nobody answers. */
export async function passOn(origin: Origin, request: Forwarded, signal: AbortSignal): Promise<ForwardedAnswer> {
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
  const where = origin();
  if (where === null) throw new Error('it does not run yet');
  const response = await fetch(`${where}${request.path}`, {
    method: request.method,
    headers: request.headers,
    redirect: 'manual',
    signal,
    ...(hasBody ? { body: request.body } : {}),
  });
  const type = response.headers.get('content-type') ?? 'text/plain; charset=utf-8';
  return { status: response.status, type, body: await response.text() };
}

async function read(request: IncomingMessage): Promise<Forwarded> {
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    typeof value === 'string' && !NOT_PASSED_ON.includes(name) ? [[name, value]] : [],
  );
  return {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: Object.fromEntries(headers),
    body: await bodyOf(request),
  };
}

function send(response: ServerResponse, { status, type, body, dateMs }: ForwardedAnswer): void {
  const date = dateMs === undefined ? {} : { date: new Date(dateMs).toUTCString() };
  response.writeHead(status, { 'content-type': type, ...date });
  response.end(body);
}

function noAnswer(error: unknown): ForwardedAnswer {
  const why =
    error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
  return { status: 502, type: 'text/plain; charset=utf-8', body: `There is no answer from behind: ${why}\n` };
}
