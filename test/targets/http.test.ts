import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createHttp } from '../../src/outbound/http.ts';
import { PortError } from '../../src/ports/failure.ts';
import { createTargets, targetKinds } from '../../src/targets/index.ts';
import { targetContract } from '../contracts/target.contract.ts';
import { bodyOf, type Loopback, serve } from '../outbound/loopback.ts';
import { routerConfig, routerStand } from './stand.ts';

const http = createHttp();
afterAll(() => http.close());
const signal = new AbortController().signal;
const running: Loopback[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

targetContract('http', () => routerStand(http));

const split = { stable: 'v41', candidate: 'v42', exposurePercent: 7 };
const answer = {
  stable: { version: 'v41' },
  candidate: { version: 'v42', percent: 7 },
  versions: { v41: { ready: true }, v42: { ready: true, detail: '3 of 3' } },
  revision: 17,
};

/** A router that gives `reply` to everything and keeps what it was sent. */
async function router(reply: unknown) {
  const seen: { method?: string; url?: string; headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
  const server = await serve(async (request, response) => {
    seen.push({ method: request.method, url: request.url, headers: request.headers, body: await bodyOf(request) });
    response.end(typeof reply === 'string' ? reply : JSON.stringify(reply));
  });
  running.push(server);
  return { url: server.url, seen };
}

type Config = ReturnType<typeof routerConfig>;
async function observing(reply: unknown, change: Partial<Config['observe']> & { exposureScale?: string } = {}) {
  const { url } = await router(reply);
  const config = routerConfig(url);
  return targetKinds.http.connect({ ...config, observe: { ...config.observe, ...change } }, { http });
}

async function failure(call: Promise<unknown>): Promise<PortError> {
  const error = await call.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof PortError)) throw error;
  return error;
}

describe('what an answer says', () => {
  test('versions, exposure, readiness with its detail, revision', async () => {
    const target = await observing(answer);
    expect(await target.observe(signal, ['v43'])).toEqual({
      stable: 'v41',
      candidate: 'v42',
      exposurePercent: 7,
      ready: {
        v41: { ready: true, detail: 'ready' },
        v42: { ready: true, detail: '3 of 3' },
        v43: { ready: false, detail: expect.stringContaining('has no /versions/v43/ready') },
      },
      revision: '17',
    });
  });

  test('no candidate: null on the way to it is exposure 0', async () => {
    const target = await observing({ ...answer, candidate: null });
    expect(await target.observe(signal)).toMatchObject({ candidate: null, exposurePercent: 0 });
  });

  test.each([
    [0.07, 7],
    [1, 100],
    [0, 0],
    [0.333, 33.3],
  ])('a share of %d is %d per cent', async (share, percent) => {
    const target = await observing(
      { ...answer, candidate: { version: 'v42', percent: share } },
      { exposureScale: 'share' },
    );
    expect((await target.observe(signal)).exposurePercent).toBe(percent);
  });

  test('versions with slashes and tildes find their readiness, list places work', async () => {
    const id = 'models/fraud~1';
    const target = await observing(
      { arms: [{ id, share: 1 }, { id: 'b' }], versions: { [id]: { ready: true } }, revision: 'x' },
      { stable: '/arms/0/id', candidate: '/arms/1/id', exposure: '/arms/0/share' },
    );
    expect((await target.observe(signal)).ready[id]).toEqual({ ready: true, detail: 'ready' });
  });

  test.each(['true', 1, null, {}])('ready %j is not ready', async (ready) => {
    const target = await observing({ ...answer, versions: { v42: { ready } } });
    expect((await target.observe(signal)).ready.v42?.ready).toBe(false);
  });

  test.each([
    ['<html>login</html>', 'is not JSON'],
    ['', 'is not JSON'],
    [{ ...answer, candidate: { version: 'v42' } }, 'has no /candidate/percent'],
    [{ ...answer, candidate: { version: 'v42', percent: '7' } }, 'has no exposure at /candidate/percent: it is "7"'],
    [{ ...answer, candidate: { version: 'v42', percent: null } }, 'it is null'],
    [{ ...answer, candidate: { version: 'v42', percent: -1 } }, 'not a number from 0 to 100'],
    [{ ...answer, candidate: { version: 'v42', percent: 100.1 } }, 'not a number from 0 to 100'],
    [`{"stable":{"version":"a"},"candidate":{"version":"b","percent":1e999}}`, 'not a number from 0 to 100'],
    [{ ...answer, stable: {} }, 'has no /stable/version'],
    [{ ...answer, stable: { version: { id: 1 } } }, 'has no version at /stable/version'],
    [{ ...answer, revision: {} }, 'has no revision at /revision'],
    ['[]', 'has no /stable/version'],
    ['null', 'it is null'],
    [{ ...answer, __proto__: { x: 1 }, candidate: { version: 'v42', percent: true } }, 'a boolean'],
  ])('%j is a permanent failure that says where', async (reply, said) => {
    const target = await observing(reply);
    const error = await failure(target.observe(signal));
    expect(error.failure).toBe('permanent');
    expect(error.message).toContain(said);
    expect(error.message).toMatch(/^The answer of GET http:\/\/127\.0\.0\.1:\d+\/split/);
  });
});

describe('what is sent', () => {
  test('placeholders keep their type where they stand alone, are text elsewhere, and are encoded in the address', async () => {
    const { url, seen } = await router({});
    const config = {
      ...routerConfig(url),
      shift: {
        method: 'POST',
        url: `${url}/routes/{{candidate.version}}?share={{candidate.share}}`,
        headers: { 'If-Match': '{{revision}}', 'X-Token': 'canary' },
        body: {
          weights: { '{{stable.version}}': '{{stable.percent}}', '{{candidate.version}}': '{{ candidate.percent }}' },
          shares: ['{{stable.share}}', '{{candidate.share}}'],
          note: '{{candidate.version}} at {{candidate.percent}} %',
          revision: '{{revision}}',
          kept: [null, true, 3, 'text'],
        },
      },
    };
    const target = targetKinds.http.connect(config, { http });
    await target.shift({ ...split, candidate: 'team/v 42' }, '17', signal);
    expect(seen[0]).toMatchObject({
      method: 'POST',
      url: '/routes/team%2Fv%2042?share=0.07',
      headers: { 'if-match': '17' },
    });
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({
      weights: { v41: 93, 'team/v 42': 7 },
      shares: [0.93, 0.07],
      note: 'team/v 42 at 7 %',
      revision: 17,
      kept: [null, true, 3, 'text'],
    });
    await target.shift(split, '"etag"', signal);
    expect(JSON.parse(seen[1]?.body ?? '').revision).toBe('etag');
    expect(seen[1]?.headers['if-match']).toBe('etag');
  });

  test('percents add up without the noise of floating point', async () => {
    const { url, seen } = await router({});
    const target = targetKinds.http.connect(routerConfig(url), { http });
    for (const exposurePercent of [0.1, 33.3, 7, 99.9]) {
      await target.shift({ ...split, exposurePercent }, null, signal);
      const body = JSON.parse(seen.at(-1)?.body ?? '');
      expect(body.candidate.percent).toBe(exposurePercent);
      expect(String(body.stable.percent).length).toBeLessThan(6);
    }
  });

  test('a version that would lead to another address is refused', async () => {
    const { url, seen } = await router({});
    const config = { ...routerConfig(url), shift: { url: `${url}/routes/{{candidate.version}}/weight` } };
    const error = await failure(
      targetKinds.http.connect(config, { http }).shift({ ...split, candidate: '..' }, null, signal),
    );
    expect(error.failure).toBe('permanent');
    expect(seen).toHaveLength(0);
  });

  test('409 is a lost race only where the shift is a compare-and-set', async () => {
    const server = await serve((_, response) => response.writeHead(409).end('no'));
    running.push(server);
    const config = routerConfig(server.url);
    const shift = (body: unknown) =>
      targetKinds.http.connect({ ...config, shift: { ...config.shift, body } }, { http });
    expect((await failure(shift(config.shift.body).shift(split, '1', signal))).failure).toBe('retryable');
    expect((await failure(shift({ x: 1 }).shift(split, '1', signal))).failure).toBe('permanent');
  });

  test('landing takes up to twice the time-out', () => {
    expect(targetKinds.http.connect({ ...routerConfig('http://h'), timeout: '2s' }, { http }).landingMs).toBe(4_000);
    const { timeout: _, ...config } = routerConfig('http://h');
    expect(targetKinds.http.connect(config, { http }).landingMs).toBe(10_000);
  });
});

describe('what a policy may say', () => {
  const base = routerConfig('http://router:9000');
  const problems = (config: unknown) =>
    targetKinds.http.config
      .safeParse(config)
      .error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
      .join('\n') ?? '';
  const observe = (change: object) => ({ ...base, observe: { ...base.observe, ...change } });
  const shift = (change: object) => ({ ...base, shift: { ...base.shift, ...change } });

  test.each([
    ['nothing', base, ''],
    ['kind', { ...base, kind: 'http' }, ''],
    ['another kind', { ...base, kind: 'argo' }, 'kind:'],
    ['timeout', { ...base, timeout: '5' }, 'timeout: must be a duration'],
    ['timeout too long', { ...base, timeout: '2h' }, 'timeout: must be a duration'],
    ['timeout too short', { ...base, timeout: '1ms' }, 'timeout: must be a duration'],
    ['no observe', { shift: base.shift }, 'observe:'],
    ['url', observe({ url: 'ftp://router' }), 'observe.url: must be an http or https URL'],
    ['relative url', shift({ url: '/split' }), 'shift.url: must be an http or https URL'],
    ['pointer', observe({ stable: 'stable.version' }), 'observe.stable: must be a JSON pointer'],
    ['pointer escape', observe({ stable: '/a~2' }), 'observe.stable: must be a JSON pointer'],
    [
      'placeholder in a plain pointer',
      observe({ stable: '/{{version}}' }),
      'observe.stable: unknown placeholder {{version}}',
    ],
    ['unknown placeholder in ready', observe({ ready: '/{{stable.version}}' }), 'observe.ready: unknown placeholder'],
    ['placeholder in observe.url', observe({ url: 'http://r/{{stable.version}}' }), 'observe.url: unknown placeholder'],
    [
      'unknown placeholder in a header',
      shift({ headers: { A: '{{token}}' } }),
      'shift.headers.A: unknown placeholder {{token}}',
    ],
    [
      'unknown placeholder in the body',
      shift({ body: { a: ['{{canary}}'] } }),
      'shift.body.a.0: unknown placeholder {{canary}}',
    ],
    ['unknown placeholder in a key', shift({ body: { '{{x}}': 1 } }), 'unknown placeholder {{x}}'],
    ['open placeholder', shift({ body: 'a {{candidate.percent' }), 'shift.body: a placeholder is not closed'],
    [
      'placeholder in the host',
      shift({ url: 'http://{{stable.version}}.svc/w' }),
      'shift.url: must not have a placeholder in its host',
    ],
    ['header name', shift({ headers: { 'a b': 'x' } }), 'is not a header name'],
    ['header value', shift({ headers: { a: 'x\ny' } }), 'shift.headers.a: has a character'],
    ['method', shift({ method: 'GET' }), 'shift.method'],
    ['revision nowhere', observe({ revision: undefined }), 'observe.revision: is required'],
  ])('%s', (_, config, said) => {
    const found = problems(config);
    if (said === '') expect(found).toBe('');
    else expect(found).toContain(said);
  });

  test('connecting with what the schema refuses is a permanent failure', () => {
    const connect = () => createTargets({ http })({ target: { kind: 'http', config: { observe: {} } } });
    expect(connect).toThrow(PortError);
    expect(() => createTargets({ http })({ target: { kind: 'constructor', config: {} } })).toThrow(/no target of kind/);
  });
});
