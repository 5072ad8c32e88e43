import net, { type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createHttp, type HttpRequest } from '../../src/outbound/http.ts';
import { PortError } from '../../src/ports/failure.ts';
import { type Certificates, canMakeCertificates, makeCertificates } from './certificates.ts';
import { bodyOf, type Loopback, serve } from './loopback.ts';

const http = createHttp({ now: () => Date.parse('2026-11-21T10:00:00Z') });
const running: Loopback[] = [];
const started = async (...args: Parameters<typeof serve>) => {
  const server = await serve(...args);
  running.push(server);
  return server;
};
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});
afterAll(() => http.close());

async function failure(request: Partial<HttpRequest> & { url: string }, signal?: AbortSignal): Promise<PortError> {
  const outcome = await http.request({ method: 'GET', timeoutMs: 2_000, intent: 'read', ...request }, signal).then(
    (response) => new Error(`answered ${response.status}`),
    (error: unknown) => error,
  );
  if (!(outcome instanceof PortError)) throw outcome;
  return outcome;
}

test('gives method, headers and body, and takes status, headers and body back', async () => {
  const server = await started(async (request, response) => {
    const body = await bodyOf(request);
    response.writeHead(201, { 'X-Seen': 'yes' });
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
  });
  const response = await http.request({
    method: 'PUT',
    url: `${server.url}/split?a=b%20c`,
    headers: { Authorization: 'Bearer token' },
    body: '{"b":1}',
    timeoutMs: 2_000,
    intent: 'write',
  });
  expect(response.status).toBe(201);
  expect(response.headers['x-seen']).toBe('yes');
  const seen = JSON.parse(response.body);
  expect(seen).toMatchObject({
    method: 'PUT',
    url: '/split?a=b%20c',
    body: '{"b":1}',
    headers: { authorization: 'Bearer token', 'content-type': 'application/json', 'user-agent': 'lastgood' },
  });
});

test('says no secret it was told of, wherever in the request it stood: an answer may quote the body', async () => {
  const secret = 'router secret/value';
  const http = createHttp({ secrets: [secret, 'on'] });
  const server = await started(async (request, response) => {
    response.writeHead(400);
    response.end(`${'x'.repeat(190)} ${request.url} ${await bodyOf(request)}: no such thing`);
  });
  const url = `${server.url}/${encodeURIComponent(secret)}/split`;
  const body = JSON.stringify({ token: secret });
  for (const to of [url, `http://127.0.0.1:1/${encodeURIComponent(secret)}`]) {
    const error: unknown = await http
      .request({ method: 'PUT', url: to, body, timeoutMs: 2_000, intent: 'write' })
      .catch((failed: unknown) => failed);
    expect(error).toBeInstanceOf(PortError);
    expect(String(error)).toContain('[redacted]');
    expect(String(error)).not.toMatch(/secret|rout/);
  }
  http.close();
});

test('keeps connections, and unpacks gzip', async () => {
  const ports = new Set<number | undefined>();
  const server = await started((request, response) => {
    ports.add(request.socket.remotePort);
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(gzipSync('"packed"'));
  });
  for (let i = 0; i < 3; i += 1) {
    const { body } = await http.request({ method: 'GET', url: server.url, timeoutMs: 2_000, intent: 'read' });
    expect(body).toBe('"packed"');
  }
  expect(ports.size).toBe(1);
});

describe('what an answer means', () => {
  test.each([
    [400, 'permanent'],
    [401, 'permanent'],
    [404, 'permanent'],
    [409, 'permanent'],
    [429, 'retryable'],
    [500, 'retryable'],
    [503, 'retryable'],
  ])('%i is %s, for reads and writes', async (status, kind) => {
    const server = await started((_, response) => response.writeHead(status).end('{"why":"because"}'));
    for (const intent of ['read', 'write'] as const) {
      const error = await failure({ url: `${server.url}/a/b?q=hidden-query`, method: 'POST', intent });
      expect(error.failure).toBe(kind);
      expect(error.message).toContain(`POST ${server.url}/a/b answered ${status}`);
      expect(error.message).toContain('{"why":"because"}');
      expect(error.message).not.toContain('hidden-query');
    }
  });

  test.each([
    ['7', 7_000],
    ['Sat, 21 Nov 2026 10:00:30 GMT', 30_000],
    ['Sat, 21 Nov 2026 09:00:00 GMT', 0],
    ['99999999', 3_600_000],
    ['soon', null],
  ])('Retry-After %s is %s ms', async (header, ms) => {
    const server = await started((_, response) => response.writeHead(429, { 'retry-after': header }).end());
    expect((await failure({ url: server.url })).retryAfterMs).toBe(ms);
  });

  test('statuses the caller accepts are returned', async () => {
    const server = await started((_, response) => response.writeHead(409).end('taken'));
    const response = await http.request({
      method: 'PUT',
      url: server.url,
      timeoutMs: 2_000,
      intent: 'write',
      accept: (status) => status === 409,
    });
    expect(response).toMatchObject({ status: 409, body: 'taken' });
  });

  test('a redirect is a permanent failure that names it without its query, and is not followed', async () => {
    let asked = 0;
    const server = await started((_, response) => {
      asked += 1;
      response.writeHead(302, { location: '/login?token=abcdefgh' }).end();
    });
    const error = await failure({ url: `${server.url}/split` });
    expect(error.failure).toBe('permanent');
    expect(error.message).toContain(`${server.url}/login.`);
    expect(error.message).not.toContain('abcdefgh');
    expect(asked).toBe(1);
  });
});

describe('what no answer means', () => {
  test('refused connections and unknown hosts did not happen', async () => {
    const server = await serve(() => undefined);
    await server.stop();
    for (const intent of ['read', 'write'] as const) {
      const error = await failure({ url: server.url, intent });
      expect(error.failure).toBe('retryable');
      expect(error.message).toContain('ECONNREFUSED');
      expect((await failure({ url: 'http://nowhere.invalid/', intent })).failure).toBe('retryable');
    }
  });

  test.each(['no answer at all', 'a head without its body', 'a body that drips'])('%s: times out', async (how) => {
    const server = await started((_, response) => {
      if (how === 'no answer at all') return;
      response.writeHead(200, { 'content-length': '1000' });
      response.write('x');
      if (how === 'a body that drips') {
        const drip = setInterval(() => response.write('x'), 20);
        response.once('close', () => clearInterval(drip));
      }
    });
    const begin = performance.now();
    const read = await failure({ url: server.url, timeoutMs: 150 });
    expect(performance.now() - begin).toBeLessThan(5_000);
    expect(read.failure).toBe('retryable');
    expect(read.message).toContain('timed out after 0.2 s');
    const write = await failure({ url: server.url, timeoutMs: 150, intent: 'write', method: 'PUT', body: '{}' });
    expect(write.failure).toBe('ambiguous');
    expect(write.message).toContain('may have taken effect');
  });

  test('a connection reset after the request was sent', async () => {
    const server = await started((request) => request.socket.resetAndDestroy());
    expect((await failure({ url: server.url })).failure).toBe('retryable');
    const write = await failure({ url: server.url, intent: 'write', method: 'PUT', body: '{}' });
    expect(write.failure).toBe('ambiguous');
    expect(write.message).toContain('lost before the answer was complete');
  });

  test('a TLS handshake that never ends was never sent, so that a write is not ambiguous', async () => {
    const silent = net.createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    try {
      const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
      const error = await failure({ url, intent: 'write', method: 'PUT', timeoutMs: 150 });
      expect(error.failure).toBe('retryable');
      expect(error.message).toContain('while connecting');
    } finally {
      silent.close();
    }
  });

  test('the caller may give up', async () => {
    const server = await started(() => undefined);
    const giveUp = new AbortController();
    setTimeout(() => giveUp.abort(), 50);
    const error = await failure({ url: server.url, intent: 'write', method: 'PUT' }, giveUp.signal);
    expect(error.failure).toBe('ambiguous');
    expect((await failure({ url: server.url, intent: 'write' }, AbortSignal.abort())).failure).toBe('retryable');
  });

  test('a read is repeated once where a kept connection was closed meanwhile, a write never', async () => {
    let requests = 0;
    const server = await started((request, response) => {
      requests += 1;
      if (requests % 2 === 0) request.socket.resetAndDestroy();
      else response.end('well');
    });
    const read = () => http.request({ method: 'GET', url: server.url, timeoutMs: 2_000, intent: 'read' });
    await read();
    expect((await read()).body).toBe('well');
    expect(requests).toBe(3);
    expect((await failure({ url: server.url, intent: 'write', method: 'PUT' })).failure).toBe('ambiguous');
    expect(requests).toBe(4);
  });
});

test.each([false, true])('an answer that is too long is cut off (gzip: %s)', async (packed) => {
  const long = Buffer.alloc(200_000, 'x');
  const server = await started((_, response) => {
    if (packed) response.setHeader('content-encoding', 'gzip');
    response.end(packed ? gzipSync(long) : long);
  });
  const error = await failure({ url: server.url, maxBytes: 10_000 });
  expect(error.failure).toBe('permanent');
  expect(error.message).toContain('longer than 10000 bytes');
  expect((await failure({ url: server.url, maxBytes: 10_000, intent: 'write' })).failure).toBe('ambiguous');
});

test('an error tells no secret, even if the server tells it back, and no control characters', async () => {
  const server = await started((request, response) => {
    const [, credentials] = String(request.headers.authorization).split(' ');
    const plain = Buffer.from(String(credentials), 'base64').toString('utf8');
    response.writeHead(401, { 'x-secret': 'canary-in-answer-header' });
    response.end(
      `\u001b[31mrefused\u0007 ${request.headers.authorization} ${request.headers['x-key']} ${credentials} ${plain} ${plain.split(':')[1]} ${JSON.stringify(request.headers['x-quoted'])} ${request.url} ${'long '.repeat(100)}`,
    );
  });
  const basic = `Basic ${Buffer.from('lastgood:canary-basic').toString('base64')}`;
  const authorizations: Record<string, string>[] = [
    { Authorization: 'Bearer canary-bearer' },
    { authorization: basic },
    {},
  ];
  for (const authorization of authorizations) {
    const error = await failure({
      url: `${server.url.replace('//', '//user:canary-password@')}/x?key=canary-query`,
      headers: { ...authorization, 'X-Key': 'canary-key', 'X-Quoted': 'canary"quoted' },
    });
    const everything = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`;
    expect(error.message).toContain('refused');
    expect(everything).not.toContain('canary');
    expect(everything).not.toContain(basic.slice(6));
    expect(everything).not.toContain(Buffer.from('user:canary-password').toString('base64'));
    expect(error.message).not.toMatch(/\p{Cc}/u);
    expect(error.message.length).toBeLessThan(400);
  }
});

test.each(['ftp://host/x', 'not a url', ''])('refuses the address "%s"', async (url) => {
  expect((await failure({ url })).failure).toBe('permanent');
});

test('a header that cannot be sent is a permanent failure without its value', async () => {
  const server = await started((_, response) => response.end());
  const error = await failure({ url: server.url, headers: { 'x-token': 'canary\u{1F600}' } });
  expect(error.failure).toBe('permanent');
  expect(error.message).not.toContain('canary');
});

describe.skipIf(!canMakeCertificates())('TLS (skipped where openssl is missing)', () => {
  let made: Certificates;
  beforeAll(() => {
    made = makeCertificates();
  });
  const none = { ca: null, cert: null, key: null, insecure: false };
  const get = (url: string, tls: HttpRequest['tls']) =>
    http.request({ method: 'GET', url, timeoutMs: 2_000, intent: 'read', tls });

  test('an unknown CA is refused, a given one and `insecure` are not', async () => {
    const server = await started((_, response) => response.end('well'), made);
    const error = await failure({ url: server.url, intent: 'write' });
    expect(error.failure).toBe('retryable');
    expect(error.message).toContain('tls.ca');
    expect((await get(server.url, { ...none, ca: made.ca })).body).toBe('well');
    expect((await get(server.url, { ...none, insecure: true })).body).toBe('well');
  });

  test('a client certificate is shown; without it a write did not happen', async () => {
    const server = await started((_, response) => response.end('well'), {
      ...made,
      requestCert: true,
      rejectUnauthorized: true,
      ca: made.ca,
    });
    const withoutCertificate = await failure({ url: server.url, intent: 'write', tls: { ...none, ca: made.ca } });
    expect(withoutCertificate.failure).toBe('retryable');
    const mutual = { ca: made.ca, cert: made.cert, key: made.key, insecure: false };
    expect((await get(server.url, mutual)).body).toBe('well');
  });

  test('plain HTTP where TLS is expected, and a certificate that is not PEM, say so', async () => {
    const plain = await started((_, response) => response.end());
    const error = await failure({ url: plain.url.replace('http:', 'https:'), intent: 'write' });
    expect(error.failure).toBe('retryable');
    expect(error.message).toContain('TLS failed');
    const noPem = await failure({ url: plain.url.replace('http:', 'https:'), tls: { ...none, cert: 'a', key: 'b' } });
    expect(noPem.message).toContain('not PEM');
  });
});
