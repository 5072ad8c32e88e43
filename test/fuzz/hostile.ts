import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { anything, mostly, text } from './words.ts';

/** An answer of somebody who is not who we think, or not well: what it says, and how. */
export interface Hostile {
  readonly status: number;
  readonly type: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly how: 'whole' | 'cut short' | 'reset' | 'in pieces' | 'no HTTP' | 'redirect' | 'silence' | 'latin1' | 'flood';
}

/** Deeper than anything recursive survives. */
const nested = fc.nat(20_000).map((depth) => '['.repeat(depth) + ']'.repeat(depth));
const huge = fc.nat(300_000).map((length) => JSON.stringify({ ok: false, error: 'x'.repeat(length) }));
const header = fc.tuple(
  fc.constantFrom('retry-after', 'location', 'x-oauth-scopes', 'set-cookie', 'content-language', 'x-slack-req-id'),
  fc.constantFrom(
    '0',
    '-1',
    '1e9',
    'Wed, 21 Oct 2099 07:28:00 GMT',
    'x'.repeat(2000),
    '<!channel>',
    'http://169.254.169.254/',
  ),
);

/** `right` is what the real one would say, nearly. */
export function hostile(right: fc.Arbitrary<unknown>, names: readonly string[]): fc.Arbitrary<Hostile> {
  return fc.record({
    status: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(200, 202) },
      { weight: 2, arbitrary: fc.constantFrom(204, 301, 307, 400, 401, 404, 413, 429, 500, 502, 503, 504, 599) },
    ),
    type: fc.oneof(
      { weight: 6, arbitrary: fc.constant('application/json; charset=utf-8') },
      {
        weight: 1,
        arbitrary: fc.constantFrom('text/html', 'application/json; charset=utf-7', 'application/octet-stream', ''),
      },
    ),
    headers: fc.array(header, { maxLength: 3 }),
    body: fc.oneof(
      { weight: 12, arbitrary: mostly(right, names).map((value) => JSON.stringify(value) ?? '') },
      { weight: 4, arbitrary: anything(names).map((value) => JSON.stringify(value) ?? '') },
      { weight: 2, arbitrary: text },
      { weight: 1, arbitrary: nested },
      { weight: 1, arbitrary: huge },
    ),
    how: fc.oneof(
      { weight: 40, arbitrary: fc.constant('whole' as const) },
      {
        weight: 10,
        arbitrary: fc.constantFrom(
          'cut short' as const,
          'reset' as const,
          'in pieces' as const,
          'no HTTP' as const,
          'redirect' as const,
          'latin1' as const,
          'flood' as const,
        ),
      },
      { weight: 1, arbitrary: fc.constant('silence' as const) },
    ),
  });
}

/** Real servers on this machine: the one that answers as it is told, and the one redirects lead to, where nobody may come. */
export interface HostileServer {
  readonly url: string;
  /** Answers like this as long as the work takes. */
  during<T>(as: Hostile, work: () => Promise<T>): Promise<T>;
  /** How often somebody came where a redirect led to. */
  strays(): number;
}

/** Made once in a thread, at its first use; does not keep the thread alive. */
export function hostileServer(): () => Promise<HostileServer> {
  let made: Promise<HostileServer> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

async function make(): Promise<HostileServer> {
  let next: Hostile | null = null;
  let strays = 0;
  const elsewhere = await listening((_request, response) => {
    strays += 1;
    response.end('{"ok":true}');
  });
  const server = await listening((request, response) => {
    request.resume();
    request.once('end', () => {
      if (next) say(next, response, addressOf(elsewhere));
    });
  });
  return {
    url: addressOf(server),
    async during(as, work) {
      next = as;
      // A thread ends where nothing keeps it, also in the middle of waiting for an answer.
      server.ref();
      try {
        return await work();
      } finally {
        server.unref();
      }
    },
    strays: () => strays,
  };
}

function listening(listener: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(listener).unref();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function say({ status, type, headers, body, how }: Hostile, response: ServerResponse, elsewhere: string): void {
  const { socket } = response;
  // Gone before it heard us: that is what some of these are about.
  response.on('error', () => undefined);
  switch (how) {
    case 'silence':
      return;
    case 'reset':
      socket?.resetAndDestroy();
      return;
    case 'no HTTP':
      socket?.end(`SSH-2.0-OpenSSH_9\r\n${body.slice(0, 1000)}`);
      return;
    case 'redirect':
      response.writeHead(status >= 300 && status < 400 ? status : 307, { location: `${elsewhere}/moved` }).end(body);
      return;
    case 'flood':
      socket?.end(`HTTP/1.1 200 OK\r\n${`x-flood: ${'x'.repeat(1000)}\r\n`.repeat(100)}\r\n${body.slice(0, 1000)}`);
      return;
    default:
  }
  for (const [name, value] of headers) response.setHeader(name, value);
  response.setHeader('content-type', type);
  const bytes = Buffer.from(body, how === 'latin1' ? 'latin1' : 'utf8');
  if (how === 'cut short') {
    response.writeHead(status, { 'content-length': bytes.length + 10 });
    response.write(bytes, () => socket?.destroy());
    return;
  }
  response.writeHead(status);
  if (how === 'in pieces')
    for (let at = 0; at < bytes.length; at += 7_000) response.write(bytes.subarray(at, at + 7_000));
  response.end(how === 'in pieces' ? undefined : bytes);
}
