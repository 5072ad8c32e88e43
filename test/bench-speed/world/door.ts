import { Agent, createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Call {
  /** `performance.now()` when its head had arrived. */
  readonly atMs: number;
  readonly path: string;
  readonly body: string;
}

/** Stands before the local Slack and writes down when calls begin. Both ours and the floor's go through it. */
export interface Door {
  readonly url: string;
  /** The next call for which this is true; at once where there was one since `forget`. Rejects after `withinMs`. */
  next(isIt: (call: Call) => boolean, withinMs: number): Promise<Call>;
  /** Every call since `forget`. */
  readonly calls: readonly Call[];
  forget(): void;
  stop(): Promise<void>;
}

export async function openDoor(upstream: string): Promise<Door> {
  const calls: Call[] = [];
  const waiting = new Set<(call: Call) => void>();
  const agent = new Agent({ keepAlive: true });
  const server = createServer((request, response) => {
    const atMs = performance.now();
    cross(request, response, atMs).catch(() => response.destroy());
  });
  async function cross(request: IncomingMessage, response: ServerResponse, atMs: number): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const call = { atMs, path: request.url ?? '/', body: body.toString() };
    calls.push(call);
    for (const told of [...waiting]) told(call);
    const { host: _host, connection: _connection, ...headers } = request.headers;
    const onward = send(`${upstream}${request.url}`, { method: request.method, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    onward.end(body);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    forget: () => {
      calls.length = 0;
    },
    next(isIt, withinMs) {
      const before = calls.find(isIt);
      if (before) return Promise.resolve(before);
      return new Promise((resolve, reject) => {
        const told = (call: Call) => {
          if (!isIt(call)) return;
          clearTimeout(limit);
          waiting.delete(told);
          resolve(call);
        };
        const limit = setTimeout(() => {
          waiting.delete(told);
          reject(new Error(`The awaited call to Slack did not come within ${withinMs / 1000} s.`));
        }, withinMs);
        waiting.add(told);
      });
    },
    stop: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
