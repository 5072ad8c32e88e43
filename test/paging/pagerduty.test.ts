import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createPagerDutyStandIn, type PagerDutyStandIn } from '../../src/demo/lab/pagerduty.ts';
import { createPagerDuty, type PagerDutyOptions } from '../../src/paging/index.ts';
import { eventOf } from '../../src/paging/pagerduty-event.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Page } from '../../src/ports/pager.ts';
import { type Certificates, canMakeCertificates, makeCertificates } from '../outbound/certificates.ts';
import { serve } from '../outbound/loopback.ts';

const routingKey = 'canary0123456789canary0123456789';
const page: Page = {
  action: 'trigger',
  dedupKey: 'lg-1/fraud-scorer-d5',
  summary: 'fraud-scorer v42: error rate 7.9 % against 0.8 %',
  service: 'fraud-scorer',
  severity: 'critical',
  routingKey: null,
  links: [
    { text: 'Runbook', href: 'https://runbooks.example/fraud' },
    { text: 'Not a link', href: 'javascript:alert(1)' },
  ],
  details: { 'how to answer': 'in Slack', exposure: '10 %', 'opened at': null, score: 31 },
};

const contract = new URL('../../../shared/contracts/pagerduty/events-v2.openapi.json', import.meta.url);

/** The vendor's schema of a request to /enqueue; null where the contracts are not on this machine. */
function requestSchema() {
  if (!existsSync(contract)) return null;
  const api = JSON.parse(readFileSync(contract, 'utf8'));
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { url: true, 'date-time': true } });
  const { schema } = api.paths['/enqueue'].post.requestBody.content['application/json'];
  return ajv.compile({ ...schema, components: api.components });
}
const valid = requestSchema();

let standIn: PagerDutyStandIn;
beforeEach(async () => {
  standIn = await createPagerDutyStandIn({ routingKey });
});
afterEach(async () => {
  await standIn.stop();
  if (valid)
    for (const request of standIn.requests) expect(valid(request.body), JSON.stringify(valid.errors)).toBe(true);
});

const never = new AbortController().signal;
const pager = (options: Partial<PagerDutyOptions> = {}) =>
  createPagerDuty({ routingKey, eventsHost: standIn.eventsHost, timeoutMs: 2_000, ...options });

async function failure(sending: Promise<void>): Promise<PortError> {
  const error = await sending.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof PortError)) throw error;
  expect(`${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('canary');
  return error;
}

test.skipIf(!valid).each(['trigger', 'acknowledge', 'resolve'] as const)(
  "%s is an event of the vendor's schema (skipped: ../shared is missing)",
  (action) => expect(valid?.(eventOf({ ...page, action }, routingKey)), JSON.stringify(valid?.errors)).toBe(true),
);

test('triggers, acknowledges and resolves one incident, however often it is told', async () => {
  for (const action of ['trigger', 'trigger', 'acknowledge'] as const) await pager().send({ ...page, action }, never);
  expect(standIn.incidents()).toMatchObject([
    { dedupKey: page.dedupKey, state: 'acknowledged', severity: 'critical', source: 'fraud-scorer', events: 3 },
  ]);
  expect(standIn.incidents()[0]).toMatchObject({
    summary: page.summary,
    details: page.details,
    links: [{ text: 'Runbook', href: 'https://runbooks.example/fraud' }],
  });
  await pager().send({ ...page, action: 'resolve' }, never);
  expect(standIn.incidents()[0]?.state).toBe('resolved');
});

test("a policy's own routing key goes before the instance's", async () => {
  await pager({ routingKey: 'x'.repeat(32) }).send({ ...page, routingKey }, never);
  expect(standIn.incidents()).toHaveLength(1);
  const error = await failure(pager().send({ ...page, routingKey: 'canary-wrong' }, never));
  expect(error.failure).toBe('permanent');
  expect(error.message).toContain('Invalid routing key');
});

test('without a routing key it says what to set, and sends nothing', async () => {
  const error = await failure(pager({ routingKey: null }).send(page, never));
  expect(error.failure).toBe('permanent');
  expect(error.message).toContain('PAGERDUTY_ROUTING_KEY');
  expect(error.message).toContain('escalate.routingKey');
  expect(standIn.requests).toHaveLength(0);
});

describe('what an answer means', () => {
  const body = { status: 'x', message: `no: ${routingKey}`, errors: ['because'] };
  test.each([
    [400, 'permanent'],
    [403, 'permanent'],
    [404, 'permanent'],
    [200, 'permanent'],
    [500, 'retryable'],
    [503, 'retryable'],
  ])('%i is %s', async (status, kind) => {
    standIn.faults.push({ status, body });
    const error = await failure(pager().send(page, never));
    expect(error.failure).toBe(kind);
    expect(error.message).toContain(`answered ${status}`);
    expect(error.message).toContain('because');
  });

  test('429 is retryable, at once and with one request', async () => {
    for (let i = 0; i < 4; i += 1) standIn.faults.push({ status: 429, body });
    const begin = performance.now();
    const error = await failure(pager().send(page, never));
    expect(error.failure).toBe('retryable');
    expect(error.message).toContain('429');
    expect(standIn.requests).toHaveLength(1);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  test('an answer that is not JSON is retryable', async () => {
    standIn.faults.push({ status: 502, body: '<html>Bad gateway</html>' });
    expect((await failure(pager().send(page, never))).failure).toBe('retryable');
  });

  test('a redirect is not followed', async () => {
    standIn.faults.push({ status: 302, body: {}, headers: { location: 'http://127.0.0.1:1/elsewhere' } });
    const error = await failure(pager().send(page, never));
    expect(error.failure).toBe('permanent');
    expect(error.message).toContain('redirects');
  });
});

describe('what no answer means: always retryable, the dedup key makes repeating harmless', () => {
  test('nobody there', async () => {
    const gone = await serve(() => undefined);
    await gone.stop();
    const error = await failure(pager({ eventsHost: gone.url }).send(page, never));
    expect(error.failure).toBe('retryable');
    expect(error.message).toContain('ECONNREFUSED');
  });

  test.each(['silence', 'half an answer'])('%s: within the time-out', async (how) => {
    const hanging = await serve((_, response) => {
      if (how === 'half an answer') response.writeHead(202, { 'content-length': '100' }).write('{');
    });
    const begin = performance.now();
    const error = await failure(pager({ eventsHost: hanging.url, timeoutMs: 150 }).send(page, never));
    await hanging.stop();
    expect(error.failure).toBe('retryable');
    expect(error.message).toContain('within 0.15 s');
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  test('the caller gives up', async () => {
    const hanging = await serve(() => undefined);
    const giveUp = new AbortController();
    const sending = failure(pager({ eventsHost: hanging.url }).send(page, giveUp.signal));
    giveUp.abort();
    expect((await sending).failure).toBe('retryable');
    await hanging.stop();
  });

  test('a reset connection', async () => {
    const broken = await serve((request) => request.socket.resetAndDestroy());
    expect((await failure(pager({ eventsHost: broken.url }).send(page, never))).failure).toBe('retryable');
    await broken.stop();
  });
});

test('limits: whatever the page says, the event fits', () => {
  const text = fc.string({ maxLength: 3_000, unit: fc.constantFrom('a', '\u0000', '"', 'ü', '🚨') });
  const pages = fc.record({
    summary: text,
    dedupKey: fc.string({ minLength: 1, maxLength: 600 }),
    details: fc.dictionary(fc.string({ maxLength: 200 }), fc.oneof(text, fc.integer()), { maxKeys: 80 }),
  });
  fc.assert(
    fc.property(pages, (given) => {
      const links = Array.from({ length: 30 }, (_, i) => ({ text: 't'.repeat(500), href: `https://x.example/${i}` }));
      const event = eventOf({ ...page, ...given, links }, routingKey);
      expect(event.payload.summary.length).toBeGreaterThan(0);
      expect(event.payload.summary.length).toBeLessThanOrEqual(1024);
      expect(event.payload.summary.isWellFormed()).toBe(true);
      expect(event.dedup_key?.length).toBeLessThanOrEqual(255);
      expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(512 * 1024);
      if (valid) expect(valid(event)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('long dedup keys that differ only at the end stay different, and the same key stays the same', () => {
  const key = (end: string) => eventOf({ ...page, dedupKey: `${'k'.repeat(400)}${end}` }, routingKey).dedup_key;
  expect(key('1')).not.toBe(key('2'));
  expect(key('1')).toBe(key('1'));
  expect(key('1')).toHaveLength(255);
});

test.each(['https://events.pagerduty.com', 'host/path', 'http://pagerduty.example', 'a b', ''])(
  'the host "%s" is refused when it is made, not when somebody has to be woken',
  (eventsHost) => expect(() => pager({ eventsHost })).toThrow(/PagerDuty/),
);

test('nothing is left behind that keeps the process alive, whatever the outcome', () => {
  const script = `
    import { createPagerDuty } from './src/paging/index.ts';
    const pager = createPagerDuty({ routingKey: 'k', eventsHost: 'http://127.0.0.1:9', timeoutMs: 20_000 });
    await pager.send(${JSON.stringify(page)}, new AbortController().signal).catch((error) => process.stdout.write(error.failure));
  `;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    cwd: new URL('../..', import.meta.url).pathname,
    timeout: 10_000,
    encoding: 'utf8',
  });
  expect({ stdout, status }).toEqual({ stdout: 'retryable', status: 0 });
});

describe.skipIf(!canMakeCertificates())('over TLS, as in production (skipped where openssl is missing)', () => {
  test('with its CA it is told, without it nothing is sent', async () => {
    const made = makeCertificates();
    const front = await serveTls(made, Number(new URL(standIn.eventsHost).port));
    try {
      expect((await failure(pager({ eventsHost: front.host }).send(page, never))).failure).toBe('retryable');
      expect(standIn.requests).toHaveLength(0);
      await pager({ eventsHost: front.host, ca: made.ca }).send(page, never);
      expect(standIn.incidents()).toMatchObject([{ state: 'triggered' }]);
    } finally {
      front.stop();
    }
  });
});

/** TLS in front of a plain server. */
async function serveTls(certificates: Certificates, port: number): Promise<{ host: string; stop(): void }> {
  const server = tls.createServer(certificates, (socket) => {
    const behind = net.connect(port, '127.0.0.1');
    for (const end of [socket, behind]) end.on('error', () => [socket, behind].forEach((each) => void each.destroy()));
    socket.pipe(behind).pipe(socket);
  });
  server.on('tlsClientError', (_, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: `127.0.0.1:${(server.address() as net.AddressInfo).port}`, stop: () => void server.close() };
}

describe('a PagerDuty that does not answer', () => {
  test('is left alone after five failures in a row, and asked again in time', async () => {
    let asked = 0;
    let status = 503;
    const server = await serve((_request, response) => {
      asked += 1;
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"status":"success"}');
    });
    let nowMs = Date.parse('2026-11-21T12:04:00Z');
    const paging = pager({ eventsHost: server.url, now: () => nowMs });
    try {
      for (let i = 0; i < 5; i += 1) {
        expect((await failure(paging.send(page, never))).message).toContain('answered 503');
        nowMs += 1_000;
      }
      const left = await failure(paging.send(page, never));
      expect(left).toMatchObject({ failure: 'retryable', retryAfterMs: 1_000 });
      expect(left.message).toMatch(
        /has not answered 5 times in a row \(last: answered 503\); it is asked again at 12:04:06 UTC/,
      );
      expect(left.message).not.toContain(routingKey);
      expect([asked, paging.circuit().state]).toEqual([5, 'open']);
      nowMs += 1_000;
      status = 202;
      await paging.send(page, never);
      expect([asked, paging.circuit().state]).toEqual([6, 'closed']);
    } finally {
      await server.stop();
    }
  });

  test.each([400, 429])('answers, though, where it answers %i', async (status) => {
    const server = await serve((_request, response) => response.writeHead(status).end('{"status":"invalid"}'));
    let nowMs = 0;
    const paging = pager({ eventsHost: server.url, now: () => nowMs });
    try {
      for (let i = 0; i < 7; i += 1) {
        await failure(paging.send(page, never));
        nowMs += 1_000;
      }
      expect(paging.circuit()).toMatchObject({ state: 'closed', failures: 0 });
    } finally {
      await server.stop();
    }
  });
});
