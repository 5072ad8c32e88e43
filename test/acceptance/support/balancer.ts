import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Slack gives up after 3 s. */
const ANSWER_MS = 1_200;

/**
 * What stands before several replicas: each request goes to the next in turn; one that cannot be reached, does not answer in time or
 * says 503 is passed over. What was sent to one that hangs may still be done by it later.
 * @param first which one a request goes to first, by its body; undefined: whose turn it is.
 */
export async function startBalancer(
  targets: readonly string[],
  first: (body: string) => number | undefined = () => undefined,
): Promise<Balancer> {
  let next = 0;
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    let turn = first(body.toString()) ?? next++;
    for (let tried = 0; tried < targets.length; tried += 1) {
      const target = targets[turn++ % targets.length] ?? '';
      const answer = await forward(target, request, body).catch(() => null);
      if (!answer || answer.status === 503) continue;
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
      return;
    }
    response.writeHead(502);
    response.end('no replica answered');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

function forward(target: string, request: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { host: _host, connection: _connection, ...headers } = request.headers;
    const { method } = request;
    const forwarded = send(
      `${target}${request.url}`,
      { method, headers, agent: false, timeout: ANSWER_MS },
      (answer) => {
        const type = answer.headers['content-type'];
        const kept: Record<string, string> = type === undefined ? {} : { 'content-type': type };
        bodyOf(answer).then((text) => resolve({ status: answer.statusCode ?? 502, headers: kept, body: text }), reject);
      },
    );
    // The request was sent: whoever hangs may yet do it.
    forwarded.on('timeout', () => reject(new Error('no answer in time')));
    forwarded.on('error', reject);
    forwarded.end(body);
  });
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
