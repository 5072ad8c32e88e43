import http from 'node:http';
import https from 'node:https';

/** A server of the lab: on this machine only, on a port of its own choice. */
export interface LabServer {
  /** `http://127.0.0.1:1234` */
  readonly url: string;
  stop(): Promise<void>;
}

/** What a request handler of the lab sees: the path, the query and the body as JSON. */
export interface LabRequest {
  readonly method: string;
  readonly path: string;
  /** Undefined where there is no body; `notJson` where it is none. */
  readonly body: unknown;
  readonly headers: http.IncomingHttpHeaders;
}

export const notJson = Symbol('a body that is not JSON');

/** JSON, or text where `body` is one. */
export interface LabAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const longestBody = 512 * 1024;

/** @param tls with it, HTTPS. */
export async function serveLab(
  answer: (request: LabRequest) => LabAnswer | Promise<LabAnswer>,
  tls?: { readonly cert: string; readonly key: string },
): Promise<LabServer> {
  const listener = (request: http.IncomingMessage, response: http.ServerResponse) => {
    void respond(request, answer).then(
      ({ status, body, headers }) => {
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(text);
      },
      // The caller hung up while it was still sending: nobody is left to be told.
      () => response.destroy(),
    );
  };
  const server = tls ? https.createServer(tls, listener) : http.createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The lab found no free port.');
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${address.port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  request: http.IncomingMessage,
  answer: (request: LabRequest) => LabAnswer | Promise<LabAnswer>,
): Promise<LabAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= longestBody) chunks.push(chunk);
  }
  if (length > longestBody) return { status: 413, body: { status: 'too large', message: 'The body is over 512 KB' } };
  const text = Buffer.concat(chunks).toString('utf8');
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  return answer({ method: request.method ?? 'GET', path, body: parsed(text), headers: request.headers });
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return notJson;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
