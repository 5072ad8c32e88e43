import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseExposition } from '../../src/demo/prometheus/exposition.ts';
import { formatValue } from '../../src/demo/prometheus/query.ts';
import type { AlertRule } from '../../src/demo/prometheus/rules.ts';
import { startStandInPrometheus } from '../../src/demo/prometheus/stand-in.ts';
import { prometheusPath, startPrometheus } from '../support/prometheus.ts';
import { until } from './support.ts';

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** A page of metrics whose text is set by the test. */
async function page(text: string) {
  const state = { text, scrapes: 0 };
  const server = createServer((request, response) => {
    if (request.headers['user-agent']?.startsWith('Prometheus')) realScrapes.count += 1;
    else state.scrapes += 1;
    response.writeHead(state.text === '' ? 500 : 200, { 'content-type': 'text/plain; version=0.0.4' });
    response.end(state.text);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  ended.push(
    () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  );
  return Object.assign(state, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics` });
}
const realScrapes = { count: 0 };

async function standIn(
  url: string,
  patch: { intervalMs?: number; rules?: AlertRule[]; alertmanagerUrl?: string } = {},
) {
  const running = await startStandInPrometheus({
    port: 0,
    scrapeUrls: [url],
    job: 'lab',
    rules: [],
    alertmanagerUrl: null,
    intervalMs: 50,
    onProblem: () => undefined,
    ...patch,
  });
  ended.push(running.stop);
  return running.url;
}

async function get(url: string, path: string, parameters: Record<string, string | number> = {}) {
  const query = new URLSearchParams(
    Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const response = await fetch(`${url}${path}?${query}`);
  const text = await response.text();
  const type = response.headers.get('content-type');
  return { status: response.status, type, body: type?.includes('json') ? JSON.parse(text) : text };
}

describe('the stand-in for Prometheus', () => {
  it('answers what is there, with labels of the target, and leaves out what is not', async () => {
    const source = await page(
      '# HELP x\nrequests_total{version="v41",code="200"} 12\nrequests_total{version="v42",code="500"} 3e2\n',
    );
    const url = await standIn(source.url);
    await until(() => source.scrapes > 1);
    const instance = new URL(source.url).host;
    const { body } = await get(url, '/api/v1/query', { query: 'requests_total{code=~"5..",version!="v41"}' });
    expect(body.data.result).toEqual([
      {
        metric: { __name__: 'requests_total', code: '500', instance, job: 'lab', version: 'v42' },
        value: [expect.any(Number), '300'],
      },
    ]);
    const none = await get(url, '/api/v1/query', { query: 'requests_total{version="v9"}' });
    expect(none.body).toEqual({ status: 'success', data: { resultType: 'vector', result: [] } });
    const constant = await get(url, '/api/v1/query', { query: 'vector(1)', time: 1795220512.5 });
    expect(constant.body.data.result).toEqual([{ metric: {}, value: [1795220512.5, '1'] }]);
  });

  it('ends a series that is gone from the page, and every series of a page that fails', async () => {
    const source = await page('a 1\nb 1\n');
    const url = await standIn(source.url);
    const has = async (query: string) => (await get(url, '/api/v1/query', { query })).body.data.result.length === 1;
    await until(() => has('a'));
    source.text = 'b 2\n';
    await until(async () => !(await has('a')) && (await has('b')));
    source.text = '';
    await until(async () => !(await has('b')));
    const up = await get(url, '/api/v1/query', { query: 'up' });
    expect(up.body.data.result[0].value[1]).toBe('0');
  });

  it('lays a range on the steps, by GET and by POST form alike', async () => {
    const source = await page('a 7\n');
    const url = await standIn(source.url);
    await until(() => source.scrapes > 2);
    const now = Math.floor(Date.now() / 1000);
    const parameters = { query: 'a', start: now - 4, end: now + 1, step: '0.5' };
    const got = await get(url, '/api/v1/query_range', parameters);
    const posted = await fetch(`${url}/api/v1/query_range`, {
      method: 'POST',
      body: new URLSearchParams(
        Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
      ),
    });
    expect(await posted.json()).toEqual(got.body);
    const times = got.body.data.result[0].values.map(([time]: [number]) => time);
    expect(times.at(-1)).toBe(now + 1);
    expect(times.every((time: number) => (time * 2) % 1 === 0)).toBe(true);
    // Before the first scrape there is nothing, and nothing is invented.
    expect(times.length).toBeLessThan(11);
  });

  it('refuses what it does not understand instead of answering wrongly', async () => {
    const url = await standIn((await page('a 1\n')).url);
    for (const query of [
      'rate(a[5m])',
      'sum(a)',
      'a + a',
      'a{b="c"',
      'a[5m]',
      'a offset 5m',
      '{b=~".*"}',
      'a{b=~"("}',
    ]) {
      const { status, body } = await get(url, '/api/v1/query', { query });
      expect({ query, status, type: body.errorType, state: body.status }).toEqual({
        query,
        status: 400,
        type: 'bad_data',
        state: 'error',
      });
    }
  });

  it('fires an alert after its time, tells of it, and tells when it is over', async () => {
    const received: { labels: Record<string, string>; startsAt: string; endsAt: string; annotations: object }[] = [];
    const alertmanager = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        received.push(...JSON.parse(text));
        response.end();
      });
    });
    await new Promise<void>((done) => alertmanager.listen(0, '127.0.0.1', done));
    ended.push(() => new Promise((done) => void alertmanager.close(() => done())));
    const source = await page('broken 1\n');
    const rule: AlertRule = {
      name: 'Broken',
      expression: 'broken > 0',
      forMs: 300,
      labels: { severity: 'critical' },
      annotations: { summary: '{{ $labels.job }} is {{ $value | humanizePercentage }} broken' },
      evaluate: (store, atMs) =>
        store.select([{ label: '__name__', operator: '=', value: 'broken' }]).flatMap((series) => {
          const value = series.values.at(-1) ?? 0;
          return value > 0 && atMs > 0 ? [{ labels: series.labels, value }] : [];
        }),
    };
    const alertmanagerUrl = `http://127.0.0.1:${(alertmanager.address() as AddressInfo).port}`;
    const url = await standIn(source.url, { rules: [rule], alertmanagerUrl });
    const state = async () => (await get(url, '/api/v1/alerts')).body.data.alerts[0]?.state;
    await until(async () => (await state()) === 'pending');
    expect(received).toEqual([]);
    await until(async () => (await state()) === 'firing');
    await until(() => received.length === 1);
    expect(received[0]?.labels).toEqual({
      alertname: 'Broken',
      severity: 'critical',
      job: 'lab',
      instance: new URL(source.url).host,
    });
    expect(received[0]?.annotations).toEqual({ summary: 'lab is 100% broken' });
    expect(Date.parse(received[0]?.endsAt ?? '')).toBeGreaterThan(Date.now() + 60_000);
    source.text = 'broken 0\n';
    await until(() => received.length === 2);
    expect(received[1]?.startsAt).toBe(received[0]?.startsAt);
    expect(Date.parse(received[1]?.endsAt ?? '')).toBeLessThanOrEqual(Date.now());
  });

  it('reads the exposition format as it is written, and nothing else', () => {
    expect(parseExposition('a{b="x\\"y\\\\z\\n", c="1",} +Inf 1795220512000\n\n# TYPE d gauge\nd -1.5e-3\n')).toEqual([
      { labels: { __name__: 'a', b: 'x"y\\z\n', c: '1' }, value: Number.POSITIVE_INFINITY },
      { labels: { __name__: 'd' }, value: -0.0015 },
    ]);
    for (const bad of ['a', 'a b', 'a{b=c} 1', 'a{b="c" 1', '1a 2', 'a 1 2 3']) {
      expect(() => parseExposition(`ok 1\n${bad}\n`), bad).toThrow(/line 2 is not a sample/);
    }
  });

  it.each([
    [0.1, '0.1'],
    [1e20, '100000000000000000000'],
    [1e21, '1e+21'],
    [-1.5e-7, '-1.5e-07'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ])('writes %s as %s', (value, text) => expect(formatValue(value)).toBe(text));
});

const recordings = new URL(
  '../../../shared/contracts/prometheus/captured-2.42/http-api.exchanges.json',
  import.meta.url,
);
interface Exchange {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly params: Record<string, string | number>;
  };
  readonly response: { readonly status: number; readonly content_type: string; readonly body: unknown };
}

describe.skipIf(!existsSync(recordings))(
  'against what Prometheus 2.42 answered (skipped: ../shared is missing)',
  () => {
    const exchanges: Exchange[] = existsSync(recordings) ? JSON.parse(readFileSync(recordings, 'utf8')) : [];
    const same = [
      'vector: empty result (no such series)',
      'range: empty',
      'vector: future time, empty',
      'error 400 bad_data: missing query',
      'error 400 bad_data: bad time',
      'error 400 bad_data: too many points',
      'error 400 bad_data: zero step',
      'error 400 bad_data: end before start',
      'error 404 not found',
    ];

    it.each(same)('%s', async (name) => {
      const exchange = exchanges.find((one) => one.name === name);
      if (!exchange) throw new Error(`There is no exchange "${name}" in the recordings.`);
      const url = await standIn((await page('up_to_now 1\n')).url);
      const { status, type, body } = await get(url, exchange.request.path, exchange.request.params);
      expect({ status, type, body }).toEqual({
        status: exchange.response.status,
        type: exchange.response.content_type,
        body: exchange.response.body,
      });
    });

    it('answers every other recorded query with the same or refuses it', async () => {
      const url = await standIn((await page('model_score_psi{feature="age"} 0.31\n')).url);
      for (const { name, request, response } of exchanges) {
        if (!/query(_range)?$/.test(request.path) || response.status !== 200) continue;
        const answer = await get(url, request.path, request.params);
        if (answer.status === 400) expect(answer.body.errorType, name).toBe('bad_data');
        else expect(Object.keys(answer.body), name).toEqual(Object.keys(response.body as object));
      }
    });

    it('writes vectors and matrices in the recorded form', async () => {
      const text = ['age 0.31', 'country NaN', 'price_usd +Inf']
        .map((line) =>
          line.replace(/(\w+) (.*)/, 'model_score_psi{feature="$1",namespace="ml-prod",service="ranker"} $2'),
        )
        .join('\n');
      const source = await page(`${text}\n`);
      const url = await standIn(source.url);
      await until(() => source.scrapes > 1);
      const recorded = exchanges.find((one) => one.name === 'vector: gauge NaN and +Inf samples')?.response.body as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      const { body } = await get(url, '/api/v1/query', { query: 'model_score_psi' });
      const plain = (result: typeof recorded.data.result) =>
        result.map(({ metric: { instance: _i, job: _j, ...metric }, value }) => ({ metric, value: value[1] }));
      expect(plain(body.data.result)).toEqual(plain(recorded.data.result));
    });
  },
);

describe.skipIf(prometheusPath === null)('beside a real Prometheus (skipped: prometheus is not installed)', () => {
  it('gives the same values at the same steps', { timeout: 60_000 }, async () => {
    const series = (at: number) =>
      [
        `http_requests_total{version="v41",code="200"} ${1000 * at}`,
        `http_requests_total{version="v42",code="200"} ${100 * at}`,
        ...(at > 1 ? [`http_requests_total{version="v42",code="500"} ${7 * at}`] : []),
        `duration_seconds_bucket{version="v42",le="0.1"} ${50.5 * at}`,
        `duration_seconds_bucket{version="v42",le="+Inf"} ${60 * at}`,
        'odd{text="a \\"quoted\\" \\\\ text"} 1e-9',
      ].join('\n');
    const source = await page(`${series(1)}\n`);
    const real = await startPrometheus({
      scrapeTargets: [{ url: source.url, job: 'lab' }],
      scrapeIntervalMs: 200,
      evaluationIntervalMs: 1000,
    });
    ended.push(real.stop);
    const url = await standIn(source.url, { intervalMs: 200 });
    const plateaus: number[] = [];
    for (const at of [1, 2, 3]) {
      source.text = `${series(at)}\n`;
      const before = { standIn: source.scrapes, real: realScrapes.count };
      // Both have seen it for a while: in the middle of that, both must say the same.
      await until(() => source.scrapes > before.standIn + 4 && realScrapes.count > before.real + 4, 40_000);
      plateaus.push(Date.now() / 1000);
      await until(() => source.scrapes > before.standIn + 6 && realScrapes.count > before.real + 6);
    }
    const queries = [
      'http_requests_total',
      'http_requests_total{version="v42",code=~"5.."}',
      'http_requests_total{version="v42",code!~"5.."}',
      '{__name__=~"duration_.*",le="+Inf"}',
      'odd{text=\'a "quoted" \\\\ text\'}',
      'up',
      'nothing',
    ];
    for (const query of queries) {
      for (const time of plateaus) {
        const parameters = { query, start: time, end: time, step: '1' };
        const answers = await Promise.all([real.url, url].map((one) => get(one, '/api/v1/query_range', parameters)));
        const [expected, actual] = answers.map(({ body }) =>
          body.data.result
            .map(({ metric: { job: _, ...metric }, values }: { metric: Record<string, string>; values: unknown }) => ({
              metric,
              values,
            }))
            .sort((a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
        );
        expect(actual, `${query} at ${time}`).toEqual(expected);
        if (query !== 'nothing' && !query.includes('5..')) expect(actual.length, query).toBeGreaterThan(0);
      }
    }
    // A range over both plateaus: on each of its own steps, neither has a gap the other has not.
    const range = { query: 'http_requests_total{version="v41"}', start: plateaus[0]!, end: plateaus[2]!, step: '0.2' };
    const [expected, actual] = await Promise.all([real.url, url].map((one) => get(one, '/api/v1/query_range', range)));
    const times = (answer: typeof expected) =>
      answer?.body.data.result[0].values.map(([time]: [number]) => time) as number[];
    expect(times(actual)).toEqual(times(expected));
  });
});
