import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Metric } from '../../src/analysis/types.ts';
import type { Endpoint } from '../../src/domain/policy.ts';

export interface LocalServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A server on loopback that answers as it is told, with the request's body as second argument. */
export async function serve(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
): Promise<LocalServer> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => answer(request, body, response));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

export function endpoint(url: string, headers: Record<string, string> = {}): Endpoint {
  return { url, headers, tls: { ca: null, cert: null, key: null, insecure: false } };
}

export function metric(source: Metric['source'], name = 'm'): Metric {
  return {
    name,
    title: name,
    unit: '',
    source,
    direction: 'lower-is-better',
    tolerance: { relative: 0.25, absolute: null, healthyRatio: 1.5 },
    minimumSamples: 1,
    criticalLimit: null,
    weight: 1,
  };
}

/** Waits until it is so; what never comes true is an error. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`It did not come true within ${withinMs} ms: ${condition}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}
