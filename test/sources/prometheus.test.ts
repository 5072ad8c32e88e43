import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { LookPeriod, Metric } from '../../src/analysis/types.ts';
import { createHttp, type Http, type HttpRequest } from '../../src/outbound/http.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { MetricRequest } from '../../src/ports/metric-source.ts';
import { checkPrometheus, createPrometheusSource } from '../../src/sources/prometheus.ts';
import { prometheusApi } from '../../src/sources/prometheus-api.ts';
import { endpoint, type LocalServer, metric, serve } from './support.ts';

interface Exchange {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly params: Record<string, string | number>;
  };
  readonly response: { readonly status: number; readonly content_type: string; readonly body: unknown };
}

const contracts = new URL('../../../shared/contracts/prometheus/', import.meta.url);
const hasContracts = existsSync(contracts);
const captured: Exchange[] = hasContracts
  ? JSON.parse(readFileSync(new URL('captured-2.42/http-api.exchanges.json', contracts), 'utf8'))
  : [];
const constructed = (name: string) => JSON.parse(readFileSync(new URL(`constructed/${name}`, contracts), 'utf8'));

const running: LocalServer[] = [];
const http = createHttp();
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function replay(status: number, body: unknown, type = 'application/json'): Promise<string> {
  const server = await serve((_request, _body, response) => {
    response.writeHead(status, { 'content-type': type });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  running.push(server);
  return server.url;
}

const period: LookPeriod = {
  fromMs: 1_795_220_400_000,
  toMs: 1_795_220_520_000,
  healthyFromMs: 1_795_220_400_000,
  restartsAtMs: [],
  beforeOffsetMs: 3_600_000,
  against: 'stable',
};
function request(metrics: readonly Metric[], over: Partial<MetricRequest> = {}): MetricRequest {
  return { service: 'ranker', stable: 'v41', candidate: 'v42', metrics, windowMs: 30_000, period, ...over };
}
const errors = metric({ kind: 'proportion', bad: 'e{v="{{version}}"}', good: null, total: 't{v="{{version}}"}' });
const signal = () => new AbortController().signal;

describe.skipIf(!hasContracts)('recorded answers of Prometheus 2.42 (skipped: ../shared is missing)', () => {
  const ranges = captured.filter((e) => e.request.path === '/api/v1/query_range' && e.response.status === 200);
  const failures = captured.filter((e) => e.response.status !== 200);
  const instants = captured.filter((e) => e.request.path === '/api/v1/query' && e.response.status === 200);

  it.each(ranges)('$name', async ({ request: { params }, response }) => {
    const api = prometheusApi(http, endpoint(await replay(200, response.body)), 2000);
    const stepMs = Number.parseFloat(String(params.step)) * 1000;
    const stretch = { startMs: Number(params.start) * 1000, endMs: Number(params.end) * 1000, stepMs };
    const answer = await api.range(String(params.query), stretch);
    const { result } = (response.body as { data: { result: { metric: object; values: [number, string][] }[] } }).data;
    expect(answer.ok).toBe(true);
    if (!answer.ok) return;
    expect(answer.value.map((s) => s.labels)).toEqual(result.map((r) => r.metric));
    answer.value.forEach((s, i) => {
      const expected = result[i]!.values.filter(([, v]) => v !== 'NaN');
      const known = [...s.at].map((v, k): [number, number] => [stretch.startMs / 1000 + (k * stepMs) / 1000, v]);
      expect(known.filter(([, v]) => !Number.isNaN(v))).toEqual(expected.map(([t, v]) => [t, Number(v)]));
    });
  });

  it.each(failures)('$name: is missing, with what Prometheus said', async ({ response }) => {
    const url = await replay(response.status, response.body, response.content_type);
    const [read] = await createPrometheusSource({ http, endpoint: endpoint(url) }).read(request([errors]), signal());
    expect(read).toMatchObject({ stableNow: null, stableBefore: null, candidateNow: null });
    expect(read?.missing).toContain(`status ${response.status}`);
    const said = (response.body as { error?: string }).error;
    if (said !== undefined) expect(read?.missing).toContain(said.slice(0, 40));
    expect(await checkPrometheus(http, endpoint(url))).toMatchObject({ ready: false });
  });

  it.each(instants)('$name: is not taken for a range', async ({ response }) => {
    const isMatrix = (response.body as { data: { resultType: string } }).data.resultType === 'matrix';
    const url = await replay(200, response.body);
    const [read] = await createPrometheusSource({ http, endpoint: endpoint(url) }).read(request([errors]), signal());
    if (!isMatrix) expect(read?.missing).toContain('something other than a matrix');
    expect(await checkPrometheus(http, endpoint(url))).toEqual({ ready: true });
  });

  it('warnings are partial data: nothing is decided on them', async () => {
    const body = { ...constructed('query.warnings-and-infos.json'), data: { resultType: 'matrix', result: [] } };
    const url = await replay(200, body);
    const [read] = await createPrometheusSource({ http, endpoint: endpoint(url) }).read(request([errors]), signal());
    expect(read?.stableNow).toBeNull();
    expect(read?.missing).toContain('only part of the data: some stores were unavailable');
  });

  it('floats beside native histograms are read, native histograms alone are said where nothing can be made of them', async () => {
    const mixed = constructed('query_range.native-histogram-and-float-mixed.json');
    const stretch = { startMs: 1_795_220_471_000, endMs: 1_795_220_476_000, stepMs: 5000 };
    const both = await prometheusApi(http, endpoint(await replay(200, mixed)), 2000).range('q', stretch);
    expect(both.ok && [...(both.value[0]?.at ?? [])]).toEqual([1, Number.NaN]);
    expect(both.ok && both.value[0]?.natives?.map((p) => p?.count ?? null)).toEqual([null, 3]);
    delete mixed.data.result[0].values;
    const url = await replay(200, mixed);
    const [read] = await createPrometheusSource({ http, endpoint: endpoint(url) }).read(request([errors]), signal());
    expect(read).toMatchObject({ stableNow: null, missing: expect.stringContaining('native histograms') });
  });
});

describe('asking', () => {
  interface Asked {
    readonly method: string | undefined;
    readonly path: string | undefined;
    readonly form: URLSearchParams;
  }
  async function recording(
    answer: (form: URLSearchParams) => object[],
  ): Promise<{ url: string; asked: Asked[]; most: () => number }> {
    const asked: Asked[] = [];
    let open = 0;
    let most = 0;
    const server = await serve((incoming, body, response) => {
      const form = new URLSearchParams(body);
      asked.push({ method: incoming.method, path: incoming.url, form });
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: answer(form) } }));
      }, 5);
    });
    running.push(server);
    return { url: server.url, asked, most: () => most };
  }

  it('is one POST a selector and stretch, for both arms, on the aligned grid with one sample before', async () => {
    const { url, asked } = await recording(() => []);
    const odd = { ...period, fromMs: period.fromMs + 1, toMs: period.toMs + 29_999 };
    await createPrometheusSource({ http, endpoint: endpoint(`${url}/prom/`) }).read(
      request([errors], { period: odd }),
      signal(),
    );
    const now = asked.filter((a) => a.form.get('end') === '1795220520');
    expect(new Set(now.map((a) => a.form.get('query')))).toEqual(new Set(['e{v=~"v41|v42"}', 't{v=~"v41|v42"}']));
    expect(now).toHaveLength(2);
    for (const a of asked) {
      expect(a).toMatchObject({ method: 'POST', path: '/prom/api/v1/query_range' });
      expect(a.form.get('step')).toBe('30');
    }
    expect(now[0]?.form.get('start')).toBe('1795220400');
    const past = asked.filter((a) => a.form.get('end') === String(1795220520 - 3600));
    expect(past.map((a) => a.form.get('query'))).toEqual(['e{v="v41"}', 't{v="v41"}', 'e{v=~".+"}', 't{v=~".+"}']);
    expect(asked).toHaveLength(6);
  });

  it('asks what several metrics share once, and only so much at a time', async () => {
    const { url, asked, most } = await recording(() => []);
    const metrics = Array.from({ length: 12 }, (_, k) =>
      metric({ kind: 'proportion', bad: `e${k}`, good: null, total: 'shared_total' }, `m${k}`),
    );
    await createPrometheusSource({ http, endpoint: endpoint(url) }).read(
      request(metrics, { candidate: null }),
      signal(),
    );
    const totals = asked.filter((a) => a.form.get('query') === 'shared_total');
    expect(totals).toHaveLength(2);
    expect(asked).toHaveLength(12 * 2 + 2);
    expect(most()).toBeLessThanOrEqual(6);
    expect(most()).toBeGreaterThan(1);
  });

  it('reads more than 11,000 points in pieces that fit together', async () => {
    const windowMs = 1000;
    const toMs = 1_795_220_000_000;
    const fromMs = toMs - 25_000 * windowMs;
    const { url, asked } = await recording((form) => {
      const values: [number, string][] = [];
      for (let t = Number(form.get('start')); t <= Number(form.get('end')); t += 1)
        values.push([t, String(t - fromMs / 1000 + 1)]);
      return [{ metric: { a: 'b' }, values }];
    });
    const long = { ...period, fromMs, toMs: toMs + windowMs / 4 };
    const gauge = metric({ kind: 'gauge', value: 'g' });
    const [read] = await createPrometheusSource({ http, endpoint: endpoint(url) }).read(
      request([gauge], { candidate: null, windowMs, period: long }),
      signal(),
    );
    const values = read?.stableNow?.kind === 'values' ? read.stableNow.windows : [];
    expect(values).toHaveLength(25_000);
    expect(values.at(-1)).toEqual({ endMs: toMs, value: 25_001 });
    for (const a of asked) expect(Number(a.form.get('end')) - Number(a.form.get('start'))).toBeLessThan(11_000);
  });

  it('a good selector that matches nowhere is mistyped; in one arm alone it is a failure of everything', async () => {
    const accuracy = metric({ kind: 'proportion', bad: null, good: 'g{v="{{version}}"}', total: 't{v="{{version}}"}' });
    const series = (form: URLSearchParams) => {
      const [start, end] = [Number(form.get('start')), Number(form.get('end'))];
      const values: [number, string][] = [];
      for (let t = start; t <= end; t += 30) values.push([t, String(t - start)]);
      return [{ metric: {}, values }];
    };
    const nowhere = await recording((form) => (form.get('query')?.startsWith('g') ? [] : series(form)));
    const [none] = await createPrometheusSource({ http, endpoint: endpoint(nowhere.url) }).read(
      request([accuracy]),
      signal(),
    );
    expect(none).toMatchObject({ stableNow: null, candidateNow: null });
    expect(none?.missing).toContain('check the `good` selector');
    const here = await recording((form) => (form.get('query') === 'g{v="v42"}' ? [] : series(form)));
    const [one] = await createPrometheusSource({ http, endpoint: endpoint(here.url) }).read(
      request([accuracy]),
      signal(),
    );
    expect(one?.missing).toBeNull();
    expect(
      one?.candidateNow?.kind === 'counts' &&
        one.candidateNow.windows.every((w) => w.events === 0 && w.exposure === 30),
    ).toBe(true);
  });
});

describe('trouble is missing, never thrown', () => {
  const matrix = (result: object[], more: object = {}) => ({
    status: 'success',
    data: { resultType: 'matrix', result },
    ...more,
  });
  const at = (k: number) => 1_795_220_400 + 30 * k;
  const counter = { metric: { a: 'b' }, values: [0, 1, 2, 3, 4].map((k) => [at(k), String(10 * k)]) };
  const readOne = async (source: Metric['source'], status: number, body: unknown, type?: string) => {
    const url = await replay(status, body, type);
    const [read] = await createPrometheusSource({ http, endpoint: endpoint(url) }).read(
      request([metric(source)], { candidate: null, period: { ...period, toMs: period.toMs + 10_000 } }),
      signal(),
    );
    return read;
  };
  const gauge: Metric['source'] = { kind: 'gauge', value: 'g' };
  const valuesOf = (read: Awaited<ReturnType<typeof readOne>>) =>
    read?.stableNow?.kind === 'values' ? read.stableNow.windows.map((w) => [w.endMs / 1000, w.value]) : null;

  it.each([
    ['warnings', { warnings: ['store-0 is down'] }, 'only part of the data: store-0 is down'],
    ['isPartial, as VictoriaMetrics says it', { isPartial: true }, 'only part of the data: some of its storage'],
  ])('%s: an answer in part is no data', async (_name, more, reason) => {
    const read = await readOne({ kind: 'rate', events: 'e', per: 't' }, 200, matrix([counter], more));
    expect(read?.stableNow).toBeNull();
    expect(read?.missing).toContain(reason);
  });

  it('infos are hints, and so are empty warnings', async () => {
    const read = await readOne(
      gauge,
      200,
      matrix([counter], { infos: ['might not be a counter'], warnings: [], isPartial: false }),
    );
    expect(valuesOf(read)).toEqual([1, 2, 3, 4].map((k) => [at(k), 10 * k]));
  });

  it('NaN, infinities, text and what is no sample are left out; of several for one moment the last holds', async () => {
    const values = [
      [at(0), '1'],
      [at(1), 'NaN'],
      [at(2), '+Inf'],
      [at(2), '7'],
      [at(2), '8'],
      [at(3), '-Inf'],
      [at(4), '9'],
      [at(4), ''],
      [at(4), null],
      'nonsense',
      [at(99), '5'],
      ['x', '5'],
    ];
    expect(valuesOf(await readOne(gauge, 200, matrix([{ metric: {}, values }])))).toEqual([
      [at(2), 8],
      [at(4), 9],
    ]);
  });

  it('nothing but NaN is no data, not zero', async () => {
    const nan = { metric: {}, values: counter.values.map(([t]) => [t, 'NaN']) };
    for (const source of [
      gauge,
      { kind: 'rate', events: 'e', per: null } as const,
      { kind: 'split', requests: 'r', slack: 0.1 } as const,
    ]) {
      const read = await readOne(source, 200, matrix([nan]));
      expect(read?.stableNow).toBeNull();
      expect(read?.missing).toMatch(/no (series were|usable numbers were) found/);
    }
  });

  it('a series that is named twice is counted once', async () => {
    const read = await readOne({ kind: 'split', requests: 'r', slack: 0.1 }, 200, matrix([counter, counter]));
    expect(read?.stableNow?.kind === 'counts' && read.stableNow.windows.map((w) => w.exposure)).toEqual([
      10, 10, 10, 10,
    ]);
  });

  it.each([
    ['429 of a proxy', 429, 'slow down', 'text/plain', 'status 429'],
    [
      '429 of Mimir',
      429,
      { status: 'error', errorType: 'too_many_requests', error: 'limit hit' },
      undefined,
      '(too_many_requests): limit hit',
    ],
    ['502 of a proxy', 502, '<html>bad gateway</html>', 'text/html', 'status 502'],
    ['a redirect', 302, '', 'text/plain', 'it redirects, give the final address'],
    ['credentials refused', 401, 'no', 'text/plain', 'check the credentials'],
    [
      'an error with status 200',
      200,
      { status: 'error', errorType: 'execution', error: 'boom' },
      undefined,
      '(execution): boom',
    ],
  ])('%s', async (_name, status, body, type, reason) => {
    const read = await readOne(gauge, status, body, type);
    expect(read).toMatchObject({ stableNow: null, stableBefore: null });
    expect(read?.missing).toContain(reason);
  });

  it('a query has a time of its own, and its answer a longest length', async () => {
    const sent: HttpRequest[] = [];
    const recording: Http = {
      request: async (one) => {
        sent.push(one);
        throw new PortError('permanent', 'POST http://p answered with more than 64 MiB.');
      },
    };
    const source = createPrometheusSource({ http: recording, endpoint: endpoint('http://p'), timeoutMs: 2500 });
    const [read] = await source.read(request([metric(gauge)]), signal());
    expect(read?.missing).toContain('more than 64 MiB');
    for (const one of sent) {
      expect(new URLSearchParams(String(one.body)).get('timeout')).toBe('2.5s');
      expect(one).toMatchObject({ timeoutMs: 2500, maxBytes: 64 * 1024 * 1024, intent: 'read' });
    }
  });

  it.each([
    ['HTML', '<html>hello</html>', 'not JSON'],
    ['nothing', '', 'not JSON'],
    ['null', 'null', 'status 200'],
    ['another API', '{"hello":"world"}', 'status 200'],
    ['a matrix without a result', '{"status":"success","data":{"resultType":"matrix"}}', 'other than a matrix'],
    ['a matrix of nonsense', '{"status":"success","data":{"resultType":"matrix","result":[7]}}', 'without labels'],
  ])('%s', async (_name, body, reason) => {
    const [read] = await createPrometheusSource({ http, endpoint: endpoint(await replay(200, body)) }).read(
      request([errors]),
      signal(),
    );
    expect(read?.stableNow).toBeNull();
    expect(read?.missing).toContain(reason);
  });

  it('a server that does not answer in time, and one that is not there', async () => {
    const server = await serve(() => undefined);
    running.push(server);
    const source = createPrometheusSource({ http, endpoint: endpoint(server.url), timeoutMs: 100 });
    const [slow] = await source.read(request([errors]), signal());
    expect(slow).toMatchObject({ stableNow: null, candidateNow: null });
    expect(slow?.missing).toContain('could not be read');
    const [gone] = await createPrometheusSource({ http, endpoint: endpoint('http://127.0.0.1:1') }).read(
      request([errors]),
      signal(),
    );
    expect(gone?.missing).toContain('could not be read');
    const [odd] = await createPrometheusSource({ http, endpoint: endpoint('not an address') }).read(
      request([errors]),
      signal(),
    );
    expect(odd?.missing).toContain('could not be read');
  });

  it('a look that was stopped', async () => {
    const server = await serve(() => undefined);
    running.push(server);
    const stop = new AbortController();
    const reading = createPrometheusSource({ http, endpoint: endpoint(server.url) }).read(
      request([errors]),
      stop.signal,
    );
    stop.abort();
    expect((await reading)[0]?.missing).toContain('the look was stopped');
  });

  it('a version that cannot be written into the query', async () => {
    const bare = metric({ kind: 'gauge', value: 'g_{{version}}' });
    const url = await replay(200, { status: 'success', data: { resultType: 'matrix', result: [] } });
    const [read] = await createPrometheusSource({ http, endpoint: endpoint(url) }).read(
      request([bare], { candidate: 'x} or up{' }),
      signal(),
    );
    expect(read?.missing).toContain('only fits inside of quotes');
  });

  it('no secret gets into the text, even where the server sends it back', async () => {
    const secret = 'sk-very-secret-token-1234';
    const url = await replay(403, { status: 'error', errorType: 'forbidden', error: `token Bearer ${secret} may not` });
    const at = endpoint(url, { Authorization: `Bearer ${secret}` });
    const [read] = await createPrometheusSource({ http, endpoint: at }).read(request([errors]), signal());
    expect(read?.missing).toContain('status 403');
    expect(JSON.stringify(read)).not.toContain(secret);
    expect(JSON.stringify(await checkPrometheus(http, at))).not.toContain(secret);
  });
});
