import type { IncomingHttpHeaders } from 'node:http';
import { bodyOf, type LoopbackServer, listenOnLoopback } from '../loopback.ts';

/** A request to a server of the lab, its body read as JSON. */
export interface LabRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Undefined where there is none, `notJson` where it is not JSON. */
  readonly body: unknown;
  readonly bodyBytes: number;
  readonly headers: IncomingHttpHeaders;
}

export const notJson = Symbol('a body that is not JSON');

export interface LabAnswer {
  readonly status: number;
  /** Sent as JSON; a text is sent as it is. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A JSON server on a loopback port of its own choice. */
export function serveLab(answer: (request: LabRequest) => LabAnswer | Promise<LabAnswer>): Promise<LoopbackServer> {
  return listenOnLoopback(0, async (request, response) => {
    const text = await bodyOf(request);
    const { status, body, headers } = await answer({
      method: request.method ?? 'GET',
      path: (request.url ?? '/').split('?', 1)[0] ?? '/',
      body: parsed(text),
      bodyBytes: Buffer.byteLength(text),
      headers: request.headers,
    });
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

/** What every server of the lab says to what it does not have. */
export function noSuchAddress({ method, path }: LabRequest): LabAnswer {
  return { status: 404, body: { error: `there is no ${method} ${path}` } };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return notJson;
  }
}
