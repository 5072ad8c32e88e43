import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Random } from '../ports/clock.ts';
import { sendPieces } from './pieces.ts';
import { createRoutes, type Doors, type Reply, type Route, refusal } from './routes.ts';
import type { ServerTelemetry } from './telemetry.ts';

/** Bounds on what a sender may make us wait for or keep; tests shorten them. */
export interface Limits {
  readonly headersMs: number;
  readonly requestMs: number;
  /** How often those two are looked at: Node's own 30 s would add as much to them. */
  readonly checkMs: number;
  readonly keepAliveMs: number;
  readonly headerBytes: number;
  readonly headerCount: number;
  /** Open at a time; what comes beyond is closed at once. */
  readonly connections: number;
  /** How long a stop waits for what is being answered. */
  readonly drainMs: number;
}

export const defaultLimits: Limits = {
  headersMs: 10_000,
  requestMs: 30_000,
  checkMs: 2_000,
  // Longer than the usual 60 s of load balancers, which otherwise send into a connection that is just being closed.
  keepAliveMs: 65_000,
  headerBytes: 16 * 1024,
  headerCount: 100,
  // Alertmanager, Slack and probes keep a handful. The rest of the process's files is for the database and for going out, and
  // as many bodies of a megabyte are what somebody without a token can make it hold.
  connections: 512,
  drainMs: 10_000,
};

export interface ServerOptions extends Doors {
  readonly host: string;
  readonly port: number;
  /** Makes request ids. */
  readonly random: Random;
  readonly limits?: Partial<Limits>;
}

export interface HttpServer {
  /** Resolves when it listens. Rejects with what to do where it cannot. */
  listen(): Promise<{ url: string; port: number }>;
  /** Not ready from now on: load balancers stop sending. */
  retire(): void;
  /** Takes no more connections, waits for the answers under way, then closes what is left. */
  close(): Promise<void>;
}

/** Everything that comes in over HTTP. */
export function createHttpServer(options: ServerOptions): HttpServer {
  const limits = { ...defaultLimits, ...options.limits };
  let retired = false;
  let closing = false;
  const routes = createRoutes({
    ...options,
    readiness: async () => {
      const parts = await options.readiness();
      return retired ? { ...parts, server: { ok: false, detail: 'is shutting down', gates: true } } : parts;
    },
  });
  const settings = { maxHeaderSize: limits.headerBytes, connectionsCheckingInterval: limits.checkMs };
  const server = createServer(settings, (request, response) => {
    response.once('close', () => {
      // A kept-alive connection whose last answer is out would hold up the stop.
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
    answer(request, response, routes, options).catch((error) => options.telemetry.problem('server', error));
  });
  server.headersTimeout = limits.headersMs;
  server.requestTimeout = limits.requestMs;
  server.keepAliveTimeout = limits.keepAliveMs;
  server.maxHeadersCount = limits.headerCount;
  server.maxConnections = limits.connections;
  tellOfDrops(server, options.telemetry);
  return {
    async listen() {
      const address = await listen(server, options.host, options.port);
      // Out of file descriptors, for one: an error nobody listens for would end the process.
      server.on('error', (error) => options.telemetry.problem('server', error));
      return address;
    },
    retire: () => {
      retired = true;
    },
    close: () => {
      retired = true;
      closing = true;
      return close(server, limits.drainMs);
    },
  };
}

/** On every answer, Slack's as well. Nothing here is a page: whatever a browser is made to open of it may do nothing. */
const always: readonly (readonly [string, string])[] = [
  ['cache-control', 'no-store'],
  ['x-content-type-options', 'nosniff'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
];

/** A flood is told of once a minute, not once a connection. */
const tellAgainMs = 60_000;

function tellOfDrops(server: Server, telemetry: ServerTelemetry): void {
  let toldMs = Number.NEGATIVE_INFINITY;
  server.on('drop', () => {
    if (performance.now() - toldMs < tellAgainMs) return;
    toldMs = performance.now();
    const problem = `More than ${server.maxConnections} connections at a time: what comes beyond is closed. Is the proxy in front bypassed?`;
    telemetry.problem('server', new Error(problem));
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: readonly Route[],
  { telemetry, random }: { telemetry: ServerTelemetry; random: Random },
): Promise<void> {
  const startedMs = performance.now();
  let id: string | null = null;
  const idOf = () => {
    id ??= requestId(request, random);
    return id;
  };
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const route = routes.find((r) => r.path === path);
  let problem: string | undefined;
  const setHeaders = () => {
    response.setHeader('x-request-id', idOf());
    for (const [name, value] of always) response.setHeader(name, value);
  };
  // Else with the answer: what comes in is seen to first.
  if (route?.answersItself) setHeaders();
  response.once('close', () => {
    const cut = response.writableEnded ? undefined : 'the sender went away before the answer';
    telemetry.answered({
      id: idOf(),
      route: route?.path ?? 'none',
      method: request.method ?? '',
      status: response.statusCode,
      durationMs: performance.now() - startedMs,
      problem: problem ?? cut,
    });
  });
  try {
    const reply = await dispatch(route, request, response, routes);
    problem = reply?.problem;
    if (!reply) return;
    setHeaders();
    await send(request, response, reply);
  } catch (error) {
    if (request.destroyed && !request.complete) return;
    telemetry.problem('server', error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    setHeaders();
    await send(
      request,
      response,
      refusal(503, `Something went wrong here; the log has it under request id ${idOf()}.`),
    );
  }
}

async function dispatch(
  route: Route | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  routes: readonly Route[],
): Promise<Reply | null> {
  if (!route) {
    const known = routes.map((r) => `${r.method} ${r.path}`).join(', ');
    return refusal(404, `There is nothing at this address. What there is: ${known}.`);
  }
  const isAsked = request.method === route.method || (request.method === 'HEAD' && route.method === 'GET');
  if (!isAsked) return refusal(405, `${route.path} takes ${route.method} only.`, { allow: route.method });
  return route.handle(request, response);
}

async function send(request: IncomingMessage, response: ServerResponse, reply: Reply): Promise<void> {
  const { body } = reply;
  response.writeHead(reply.status, {
    'content-type': reply.contentType ?? 'text/plain; charset=utf-8',
    ...(typeof body === 'string' && { 'content-length': Buffer.byteLength(body) }),
    ...reply.headers,
    // What was not read of the body would be taken for the next request.
    ...(request.complete ? {} : { connection: 'close' }),
  });
  if (request.method === 'HEAD') response.end();
  else if (typeof body === 'string') response.end(body);
  else await sendPieces(response, body);
}

/** A proxy's id is kept, so that its log and ours can be read together; anything that is not plainly an id is not. */
function requestId(request: IncomingMessage, random: { id(): string }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : random.id();
}

function listen(server: Server, host: string, port: number): Promise<{ url: string; port: number }> {
  return new Promise((resolve, reject) => {
    const refused = (error: Error) => {
      const code = 'code' in error ? String(error.code) : '';
      const advice =
        code === 'EADDRINUSE'
          ? 'another process has it: stop that one, or set PORT to another'
          : code === 'EACCES'
            ? 'ports below 1024 need privileges: set PORT to a higher one'
            : `${error.message}: check HOST and PORT`;
      reject(new Error(`Cannot listen on ${host}:${port}: ${advice}.`, { cause: error }));
    };
    server.once('error', refused);
    server.listen(port, host, () => {
      server.off('error', refused);
      const address = server.address() as AddressInfo;
      const shown = address.address === '0.0.0.0' || address.address === '::' ? '127.0.0.1' : address.address;
      const name = shown.includes(':') ? `[${shown}]` : shown;
      resolve({ url: `http://${name}:${address.port}`, port: address.port });
    });
  });
}

async function close(server: Server, drainMs: number): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    const giveUp = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearTimeout(giveUp);
      resolve();
    });
    server.closeIdleConnections();
  });
}
