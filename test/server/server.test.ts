import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { request as httpRequest, Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { AlertReceipt } from '../../src/application/api.ts';
import type { Alert } from '../../src/domain/state.ts';
import { createLogger } from '../../src/server/logger.ts';
import type { Doors, Part } from '../../src/server/routes.ts';
import { createHttpServer, type HttpServer, type Limits } from '../../src/server/server.ts';
import { createTelemetry } from '../../src/server/telemetry.ts';

const token = 'a-token-of-thirty-two-characters';
const nextToken = 'the-token-it-is-being-replaced-by';
const receipt: AlertReceipt = { matched: 1, unmatched: 0, duplicates: 0 };

const running: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function serve(doors: Partial<Doors> = {}, limits: Partial<Limits> = {}) {
  const lines: Record<string, unknown>[] = [];
  const received: (readonly Alert[])[] = [];
  const telemetry = createTelemetry(
    createLogger({
      level: 'debug',
      secrets: [token],
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
  );
  let count = 0;
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    random: { id: () => `id-${++count}` },
    application: {
      receiveAlerts: async (alerts) => {
        received.push(alerts);
        return receipt;
      },
    },
    alertTokens: [token, nextToken],
    parseAlerts: (body) =>
      Array.isArray(body) ? { alerts: body as Alert[] } : { problem: 'alerts: expected a list, and this is none' },
    slack: (_request, response) => void response.writeHead(200).end('slack was here'),
    readiness: async () => ({ store: { ok: true, detail: 'fine', gates: true } }),
    doctor: async () => ({ jobsPending: 3 }),
    telemetry,
    answerWithinMs: 2000,
    ...doors,
    limits: { drainMs: 5000, ...limits },
  });
  running.push(server);
  const { url, port } = await server.listen();
  return { server, url, port, lines, received };
}

function post(url: string, body: string, headers: Record<string, string> = {}) {
  return fetch(`${url}/webhooks/alertmanager`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    redirect: 'manual',
  });
}

it('outlives trouble with taking connections, and says so', async () => {
  let found: unknown;
  const see = (message: unknown) => {
    found = (message as { server: unknown }).server;
  };
  subscribe('http.server.request.start', see);
  const { url, lines } = await serve();
  await fetch(`${url}/healthz`);
  unsubscribe('http.server.request.start', see);
  if (!(found instanceof Server)) throw new Error('the server was not seen');
  for (let i = 0; i < 2; i += 1) found.emit('error', new Error('accept EMFILE'));
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(lines.filter((line) => String(line.msg).includes('accept EMFILE'))).toHaveLength(2);
});

describe('POST /webhooks/alertmanager', () => {
  it('takes alerts from whoever has the token, or the one it is being replaced by', async () => {
    const { url, received } = await serve();
    const first = await post(url, '[{"name":"a"}]');
    expect([first.status, await first.json()]).toEqual([200, receipt]);
    const second = await post(url, '[{"name":"b"}]', { authorization: `bearer ${nextToken}` });
    expect(second.status).toBe(200);
    expect(received).toEqual([[{ name: 'a' }], [{ name: 'b' }]]);
  });

  it('knows a token by its hash, and does not take the hash for one', async () => {
    const hash = `sha256:${createHash('sha256').update(token).digest('hex')}`;
    const { url } = await serve({ alertTokens: [hash, nextToken] });
    expect((await post(url, '[]')).status).toBe(200);
    expect((await post(url, '[]', { authorization: `Bearer ${nextToken}` })).status).toBe(200);
    for (const wrong of [hash, hash.slice(7)])
      expect((await post(url, '[]', { authorization: `Bearer ${wrong}` })).status).toBe(401);
  });

  it.each([
    ['no token', ''],
    ['another token', 'Bearer another-token-of-the-same-size!!'],
    ['a beginning of the token', `Bearer ${token.slice(0, -1)}`],
    ['the token and more', `Bearer ${token}x`],
    ['the token in another scheme', `Basic ${token}`],
    ['the tokens as they stand in the configuration', `Bearer ${token},${nextToken}`],
  ])('lets nobody in with %s', async (_what, authorization) => {
    const { url, received } = await serve();
    const answer = await post(url, '[]', { authorization });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="lastgood"');
    expect(await answer.json()).toEqual({ error: expect.stringContaining('ALERTMANAGER_WEBHOOK_TOKEN') });
    expect(received).toEqual([]);
  });

  it('answers 400 with the reason for what is not JSON, and for JSON that holds no alerts', async () => {
    const { url, received } = await serve();
    const broken = await post(url, '{"alerts": [');
    expect(broken.status).toBe(400);
    expect(((await broken.json()) as { error: string }).error).toMatch(/^The body is not JSON: .+/);
    const other = await post(url, '{"alerts": 7}');
    expect([other.status, await other.json()]).toEqual([400, { error: 'alerts: expected a list, and this is none' }]);
    expect((await post(url, '')).status).toBe(400);
    expect(received).toEqual([]);
  });

  it('refuses another content type, and an encoded charset is no other', async () => {
    const { url } = await serve();
    expect((await post(url, '[]', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(url, '[]', { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200);
  });

  it('takes the 332 KB of 500 alerts, and answers 413 with what to do over 4 MB, announced or not', async () => {
    const { url, received, port } = await serve();
    expect((await post(url, JSON.stringify([{ name: 'x'.repeat(332_000) }]))).status).toBe(200);
    expect(received).toHaveLength(1);
    const tooLarge = await post(url, `["${'x'.repeat(4 * 1024 * 1024)}"]`);
    expect(tooLarge.status).toBe(413);
    expect(await tooLarge.json()).toEqual({ error: expect.stringContaining('max_alerts') });

    const chunked = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/webhooks/alertmanager',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
    for (let i = 0; i < 5; i++) chunked.write('x'.repeat(1024 * 1024));
    chunked.end();
    const [answer] = await once(chunked, 'response');
    answer.resume();
    expect(answer.statusCode).toBe(413);
    expect(received).toHaveLength(1);
  });

  it('answers 200 only after the alerts were stored', async () => {
    const stored = Promise.withResolvers<AlertReceipt>();
    const asked = Promise.withResolvers<void>();
    const { url } = await serve({
      application: {
        receiveAlerts: () => {
          asked.resolve();
          return stored.promise;
        },
      },
    });
    let answered = false;
    const answer = post(url, '[]').then((response) => {
      answered = true;
      return response;
    });
    await asked.promise;
    // A full turn of another request shows that the loop was free to answer, and did not.
    await (await fetch(`${url}/healthz`)).text();
    expect(answered).toBe(false);
    stored.resolve(receipt);
    expect((await answer).status).toBe(200);
  });

  it('answers 503, never 4xx, when storing fails or takes too long, and keeps the cause to the log', async () => {
    const failing = await serve({
      application: { receiveAlerts: () => Promise.reject(new Error(`disk full, by the way ${token}`)) },
    });
    const refused = await post(failing.url, '[]');
    expect(refused.status).toBe(503);
    expect(await refused.json()).toEqual({ error: 'The alerts could not be stored just now: send them again.' });
    const logged = JSON.stringify(failing.lines);
    expect(logged).toContain('disk full');
    expect(logged).not.toContain(token);

    const hanging = await serve({
      application: { receiveAlerts: () => Promise.withResolvers<AlertReceipt>().promise },
      answerWithinMs: 20,
    });
    expect((await post(hanging.url, '[]')).status).toBe(503);
  });
});

describe('the other routes', () => {
  it('hands what Slack sends to Slack, and a throw there becomes 503 with a request id, not a dead process', async () => {
    const { url } = await serve();
    const answer = await fetch(`${url}/slack/events`, { method: 'POST', body: 'x=1' });
    expect([answer.status, await answer.text()]).toEqual([200, 'slack was here']);

    const broken = await serve({
      slack: () => {
        throw new Error('unmatched');
      },
    });
    const refused = await fetch(`${broken.url}/slack/events`, {
      method: 'POST',
      body: 'x=1',
      headers: { 'x-request-id': 'proxy-7' },
    });
    expect(refused.status).toBe(503);
    expect(((await refused.json()) as { error: string }).error).toContain('proxy-7');
    expect((await fetch(`${broken.url}/healthz`)).status).toBe(200);
  });

  it('is ready when every part that gates is, and shows every part either way', async () => {
    const parts: Record<string, Part> = {
      store: { ok: true, detail: 'fine', gates: true },
      prometheus: { ok: false, detail: 'does not answer', gates: false },
    };
    const { url, server } = await serve({ readiness: async () => parts });
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, parts }]);
    parts.store = { ok: false, detail: 'locked', gates: true };
    const notReady = await fetch(`${url}/readyz`);
    expect([notReady.status, await notReady.json()]).toEqual([503, { ready: false, parts }]);
    parts.store = { ok: true, detail: 'fine', gates: true };
    server.retire();
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('says what there is at an unknown address and what a known one takes', async () => {
    const { url } = await serve();
    const missing = await fetch(`${url}/webhooks/alert-manager`, { method: 'POST' });
    expect(missing.status).toBe(404);
    expect(((await missing.json()) as { error: string }).error).toContain('POST /webhooks/alertmanager');
    const wrong = await fetch(`${url}/webhooks/alertmanager`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('counts requests by route, never by the path that was asked for', async () => {
    const { url } = await serve();
    await (await fetch(`${url}/healthz?probe=1`)).text();
    await (await fetch(`${url}/wp-admin/${'x'.repeat(50)}`)).text();
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('lastgood_http_requests_total{route="/healthz",method="GET",status="200"} 1');
    expect(metrics).toContain('lastgood_http_requests_total{route="none",method="GET",status="404"} 1');
    expect(metrics).not.toContain('wp-admin');
    expect(metrics).toContain('process_cpu_seconds_total');
  });

  it('keeps a proxy’s request id, and makes one where there is none or it is no id', async () => {
    const { url, lines } = await serve();
    const ids = [];
    for (const id of ['lb-42', 'an id "with" spaces', '']) {
      const answer = await fetch(`${url}/healthz`, { headers: id ? { 'x-request-id': id } : {} });
      ids.push(answer.headers.get('x-request-id'));
    }
    expect(ids).toEqual(['lb-42', 'id-1', 'id-2']);
    expect(lines.map((line) => line.requestId)).toEqual(ids);
  });
});

describe('slow senders and a stop', () => {
  it('does not wait for a body that does not come', async () => {
    const { port, received } = await serve({}, { requestMs: 300, headersMs: 200, checkMs: 50 });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /webhooks/alertmanager HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n[`,
    );
    socket.resume();
    await once(socket, 'close');
    expect(received).toEqual([]);
  });

  it('lets an answer under way finish, and takes no more', async () => {
    const stored = Promise.withResolvers<AlertReceipt>();
    const asked = Promise.withResolvers<void>();
    const { url, server } = await serve({
      application: {
        receiveAlerts: () => {
          asked.resolve();
          return stored.promise;
        },
      },
    });
    const answer = post(url, '[]');
    await asked.promise;
    let closed = false;
    const closing = server.close().then(() => {
      closed = true;
    });
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    expect(closed).toBe(false);
    stored.resolve(receipt);
    expect((await answer).status).toBe(200);
    const before = performance.now();
    await closing;
    expect(performance.now() - before).toBeLessThan(2000);
  });

  it('cuts off what does not finish within the drain time', async () => {
    const asked = Promise.withResolvers<void>();
    const { url, server } = await serve(
      {
        slack: () => {
          asked.resolve();
          return Promise.withResolvers<void>().promise;
        },
      },
      { drainMs: 50 },
    );
    const answer = fetch(`${url}/slack/events`, { method: 'POST' }).catch((error: unknown) => error);
    await asked.promise;
    await server.close();
    expect(await answer).toBeInstanceOf(Error);
  });

  it('says what to do where the port is taken', async () => {
    const { port } = await serve();
    const second = createHttpServer({ ...(await optionsOf()), port });
    await expect(second.listen()).rejects.toThrow(/another process has it.*set PORT/);
  });
});

async function optionsOf() {
  return {
    host: '127.0.0.1',
    random: { id: () => 'x' },
    application: { receiveAlerts: async () => receipt },
    alertTokens: [token],
    parseAlerts: () => ({ alerts: [] }),
    slack: () => undefined,
    readiness: async () => ({}),
    doctor: async () => ({}),
    telemetry: createTelemetry(createLogger({ level: 'silent', secrets: [], destination: { write: () => undefined } })),
    answerWithinMs: 1000,
  };
}

describe('GET /api/v1/doctor', () => {
  it('tells whoever may send alerts, and nobody else', async () => {
    const { url } = await serve();
    const ask = (authorization?: string) =>
      fetch(`${url}/api/v1/doctor`, authorization === undefined ? {} : { headers: { authorization } });
    for (const good of [token, nextToken]) {
      const answer = await ask(`Bearer ${good}`);
      expect([answer.status, await answer.json()]).toEqual([200, { jobsPending: 3 }]);
    }
    for (const bad of [undefined, 'Bearer wrong', `Basic ${token}`, `Bearer ${token}x`]) {
      const answer = await ask(bad);
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="lastgood"']);
      expect(await answer.text()).not.toContain('jobsPending');
    }
  });
});
