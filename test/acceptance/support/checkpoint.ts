import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that crosses, as it arrived. */
export interface Crossing {
  /** Unix ms of its arrival, body included. */
  readonly atMs: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: string;
  /** Of who sent it: tells which process that was. */
  readonly fromPort: number;
  /** What came back; null: not yet, or never. */
  status: number | null;
}

/**
 * What happens to a request: it passes; it never arrives, though it was sent; it arrives and does its work, and the answer never
 * comes back. `meanwhile` happens at that very instant.
 */
export type Fate = { readonly is: 'passes' } | { readonly is: 'lost' | 'unanswered'; meanwhile(): Promise<void> };

export interface Checkpoint {
  readonly url: string;
  readonly crossings: readonly Crossing[];
  stop(): Promise<void>;
}

/** Stands between the app and somebody else, sees every request, and may decide that one is never answered. */
export async function startCheckpoint(
  upstream: string,
  decide: (crossing: Crossing) => Fate | Promise<Fate> = () => ({ is: 'passes' }),
): Promise<Checkpoint> {
  const crossings: Crossing[] = [];
  const server = createServer((request, response) => {
    cross(request, response).catch(() => response.destroy());
  });
  async function cross(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const { method = 'GET', url: path = '/' } = request;
    const fromPort = request.socket.remotePort ?? 0;
    const crossing: Crossing = { atMs: Date.now(), method, path, body: body.toString(), fromPort, status: null };
    crossings.push(crossing);
    const fate = await decide(crossing);
    if (fate.is === 'lost') {
      await fate.meanwhile();
      response.destroy();
      return;
    }
    const answer = await forward(upstream, request, body);
    if (fate.is === 'unanswered') {
      await fate.meanwhile();
      response.destroy();
      return;
    }
    crossing.status = answer.status;
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    crossings,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer;
}

function forward(upstream: string, request: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { host: _host, connection: _connection, ...headers } = request.headers;
    const forwarded = send(`${upstream}${request.url}`, { method: request.method, headers, agent: false }, (answer) => {
      bodyOf(answer).then((text) => {
        const kept = Object.entries(answer.headers).filter(
          ([name, value]) => value !== undefined && !['connection', 'keep-alive', 'transfer-encoding'].includes(name),
        );
        resolve({
          status: answer.statusCode ?? 502,
          headers: Object.fromEntries(kept) as Answer['headers'],
          body: text,
        });
      }, reject);
    });
    forwarded.on('error', reject);
    forwarded.end(body);
  });
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
