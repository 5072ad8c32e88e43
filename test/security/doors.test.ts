import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/server/logger.ts';
import { createRoutes, type Doors } from '../../src/server/routes.ts';
import { createHttpServer, defaultLimits, type Limits } from '../../src/server/server.ts';
import { createTelemetry } from '../../src/server/telemetry.ts';
import { createSlack } from '../../src/slack/index.ts';
import { sign } from '../../src/workspace/index.ts';
import { eventually, FakeApplication, quietTelemetry } from '../slack/stage.ts';
import { virtualClock } from '../support/clock.ts';
import { SECRET } from './replica.ts';

/** The real server with the real Slack face behind it, and everybody who may knock. */

const token = 'a-token-of-thirty-two-characters';

/** Every route, with what opens it. `anybody`: it only tells, and nothing secret. A route that is new fails below. */
const GUARDS: Readonly<Record<string, 'token' | 'signature' | 'anybody'>> = {
  'POST /webhooks/alertmanager': 'token',
  'POST /slack/events': 'signature',
  'GET /api/v1/doctor': 'token',
  'GET /healthz': 'anybody',
  'GET /readyz': 'anybody',
  'GET /metrics': 'anybody',
};
const routes = Object.entries(GUARDS).map(([route, guard]) => {
  const [method = '', path = ''] = route.split(' ');
  return { route, method, path, guard };
});

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function serve(limits: Partial<Limits> = {}) {
  const lines: string[] = [];
  const logger = createLogger({ level: 'warn', secrets: [], destination: { write: (line) => void lines.push(line) } });
  const application = new FakeApplication();
  const clock = virtualClock();
  const slack = createSlack({
    botToken: 'xoxb-of-the-tests',
    signingSecret: SECRET,
    apiUrl: 'http://127.0.0.1:9/api/',
    application,
    clock,
    telemetry: quietTelemetry(),
  });
  let received = 0;
  const doors: Doors = {
    application: {
      receiveAlerts: async () => {
        received += 1;
        return { matched: 0, unmatched: 0, duplicates: 0 };
      },
    },
    alertTokens: [token],
    parseAlerts: () => ({ alerts: [] }),
    slack: (request, response) => slack.handle(request, response),
    readiness: async () => ({}),
    doctor: async () => ({ everything: 'there is to know' }),
    telemetry: createTelemetry(logger),
    answerWithinMs: 5_000,
  };
  const server = createHttpServer({
    ...doors,
    host: '127.0.0.1',
    port: 0,
    random: { id: () => 'request-1' },
    limits: { drainMs: 100, ...limits },
  });
  const { url, port } = await server.listen();
  ending.push(() => server.close());
  const signed = (body: string) => {
    const timestamp = String(Math.floor(clock.now() / 1000));
    return {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': sign(SECRET, timestamp, body),
    };
  };
  return { url, port, lines, doors, application, signed, received: () => received };
}

const typed = 'command=%2Frollout&text=freeze&user_id=U1&trigger_id=1.2.3';

it('there is no route that is not in the table', async () => {
  const { doors } = await serve();
  expect(
    createRoutes(doors)
      .map(({ method, path }) => `${method} ${path}`)
      .sort(),
  ).toEqual(routes.map(({ route }) => route).sort());
});

describe.each(routes)('$route', ({ method, path, guard }) => {
  const ask = (url: string, headers: Record<string, string>, body: string) =>
    fetch(`${url}${path}`, { method, headers, ...(method === 'POST' ? { body } : {}) });
  const wrong: [string, Record<string, string>][] = [
    ['nothing', {}],
    ['another token', { authorization: `Bearer ${'x'.repeat(32)}` }],
    ['a token of nothing', { authorization: 'Bearer ' }],
    ['another signature', { 'x-slack-signature': `v0=${'0'.repeat(64)}`, 'x-slack-request-timestamp': '1795264837' }],
    ['the token of the other door', guard === 'signature' ? { authorization: `Bearer ${token}` } : {}],
  ];

  it.each(wrong)(`opens with %s only to look (${guard})`, async (_what, headers) => {
    const { url, application, received } = await serve();
    const answer = await ask(url, { 'content-type': 'application/json', ...headers }, typed);
    expect(answer.status).toBe(guard === 'anybody' ? 200 : 401);
    expect(await answer.text()).not.toContain('there is to know');
    expect([received(), application.commands]).toEqual([0, []]);
  });

  it('opens to who has what it takes', async () => {
    const { url, signed, application, received } = await serve();
    const headers =
      guard === 'signature'
        ? signed(typed)
        : { 'content-type': 'application/json', ...(guard === 'token' ? { authorization: `Bearer ${token}` } : {}) };
    const answer = await ask(url, headers, guard === 'signature' ? typed : '{}');
    expect(answer.status).toBe(200);
    expect(application.commands).toHaveLength(guard === 'signature' ? 1 : 0);
    expect(received()).toBe(path === '/webhooks/alertmanager' ? 1 : 0);
  });

  it('says on every answer what a browser may make of it, and not what it runs on', async () => {
    const { url, signed } = await serve();
    const all = [
      await ask(url, { ...signed(typed), authorization: `Bearer ${token}` }, typed),
      await ask(url, {}, typed),
      await fetch(`${url}${path}`, { method: 'DELETE' }),
      await fetch(`${url}${path}/nowhere`),
    ];
    for (const { headers, status } of all) {
      expect(headers.get('x-content-type-options'), String(status)).toBe('nosniff');
      expect(headers.get('cache-control'), String(status)).toBe('no-store');
      expect(headers.get('content-security-policy'), String(status)).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get('content-type') ?? '', String(status)).not.toContain('html');
      for (const banner of ['server', 'x-powered-by', 'access-control-allow-origin', 'set-cookie'])
        expect(headers.get(banner), banner).toBeNull();
    }
  });
});

/** A connection of somebody who knows no manners; `said` is what came back until it was closed. */
function rude(port: number): { socket: Socket; said: () => string; closed: Promise<unknown> } {
  const socket = connect(port, '127.0.0.1');
  let said = '';
  socket.on('data', (chunk) => {
    said += chunk.toString('latin1');
  });
  // Cut off in the middle of writing: that is what is wanted.
  socket.on('error', () => undefined);
  return { socket, said: () => said, closed: once(socket, 'close') };
}

const short = { headersMs: 300, requestMs: 600, checkMs: 50 };

/** Writes a piece every few milliseconds until it is closed. */
async function drip(socket: Socket, piece: string): Promise<void> {
  while (!socket.destroyed) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('slow senders', () => {
  it.each([
    ['says nothing', '', ''],
    ['sends a header at a time', 'GET /healthz HTTP/1.1\r\nhost: x\r\n', 'x-more: 1\r\n'],
    ['sends a letter of the path at a time', 'GET /', 'a'],
    [
      'sends a letter of alerts at a time',
      `POST /webhooks/alertmanager HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n`,
      ' ',
    ],
    [
      'sends a letter of a press at a time',
      'POST /slack/events HTTP/1.1\r\nhost: x\r\nx-slack-signature: v0=00\r\nx-slack-request-timestamp: 1\r\ncontent-length: 100000\r\n\r\n',
      'x',
    ],
    [
      'sends a chunk at a time without end, and no token',
      'POST /webhooks/alertmanager HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
      '1\r\nx\r\n',
    ],
  ])('who %s is let go of', async (_how, head, piece) => {
    const { port, url } = await serve(short);
    const slow = rude(port);
    slow.socket.write(head);
    if (piece !== '') void drip(slow.socket, piece);
    await slow.closed;
    expect(slow.said()).not.toContain('HTTP/1.1 200');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('keep nobody else waiting: a hundred of them, and a press is answered', async () => {
    const { port, url, signed } = await serve({ requestMs: 60_000, headersMs: 50_000 });
    const slow = Array.from({ length: 100 }, () => rude(port));
    ending.push(async () => {
      for (const { socket } of slow) socket.destroy();
    });
    for (const [i, { socket }] of slow.entries())
      socket.write(
        i % 2 ? 'GET /healthz HTTP/1.1\r\n' : 'POST /slack/events HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1',
      );
    const answer = await fetch(`${url}/slack/events`, { method: 'POST', headers: signed(typed), body: typed });
    expect(answer.status).toBe(200);
  });
});

describe('too much', () => {
  it('of connections is closed at once and told of once, and those that are open go on', async () => {
    const { port, lines } = await serve({ connections: 3 });
    const open = Array.from({ length: 3 }, () => rude(port));
    for (const { socket } of open) await once(socket, 'connect');
    // Connected for the sender is not yet taken by the server.
    for (const { socket, said } of open) {
      socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
      await eventually(() => said().includes('HTTP/1.1 200'), 60_000);
    }
    const beyond = Array.from({ length: 5 }, () => rude(port));
    await Promise.all(beyond.map(({ closed }) => closed));
    open[0]?.socket.write('GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n');
    await eventually(() => open[0]?.said().includes('"ready":true'), 60_000);
    expect(lines.filter((line) => line.includes('connections at a time'))).toHaveLength(1);
    for (const { socket } of open) socket.destroy();
  });

  it('of headers is 431, by their bytes', async () => {
    const { port } = await serve();
    const long = rude(port);
    long.socket.write(`GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(17 * 1024)}\r\n\r\n`);
    await long.closed;
    expect(long.said()).toContain('HTTP/1.1 431');
  });

  it('of a press is 413', async () => {
    const { url, signed } = await serve();
    const body = 'x'.repeat(1_048_577);
    expect((await fetch(`${url}/slack/events`, { method: 'POST', headers: signed(body), body })).status).toBe(413);
  });

  it('is bounded where nobody says otherwise', () => {
    const { headersMs, requestMs, checkMs, connections, headerBytes } = defaultLimits;
    expect(headersMs + checkMs).toBeLessThanOrEqual(15_000);
    expect(requestMs + checkMs).toBeLessThanOrEqual(35_000);
    expect([connections, headerBytes]).toEqual([512, 16_384]);
  });
});

describe('requests that two readers would read differently', () => {
  it.each([
    ['two lengths', 'content-length: 1\r\ncontent-length: 2\r\n\r\nxx'],
    ['a length and chunks', 'content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a length that is none', 'content-length: 1x\r\n\r\nx'],
    ['a header without a name', ': x\r\n\r\n'],
    ['a header folded over lines', 'x-a: b\r\n c: d\r\n\r\n'],
    ['a zero byte', 'x-a: \u0000\r\n\r\n'],
  ])('with %s are 400, and the connection is closed', async (_what, rest) => {
    const { port, received } = await serve();
    const odd = rude(port);
    odd.socket.write(`POST /webhooks/alertmanager HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n${rest}`);
    await odd.closed;
    expect(odd.said()).toContain('HTTP/1.1 400');
    expect(received()).toBe(0);
  });
});
