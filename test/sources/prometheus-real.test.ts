import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Metric, Series } from '../../src/analysis/types.ts';
import { createHttp } from '../../src/outbound/http.ts';
import { checkPrometheus, createPrometheusSource } from '../../src/sources/prometheus.ts';
import { prometheusPath, type RunningPrometheus, startPrometheus } from '../support/prometheus.ts';
import { endpoint, type LocalServer, metric, serve, until } from './support.ts';

const WINDOW_MS = 1000;

/** A small exporter whose numbers the test sets: two versions, of which one has no errors, and one restarts. */
interface Lab {
  readonly server: LocalServer;
  readonly counters: Map<string, number>;
}

async function startLab(): Promise<Lab> {
  const counters = new Map<string, number>();
  const server = await serve((_request, _body, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end([...counters].map(([name, value]) => `${name} ${value}\n`).join(''));
  });
  return { server, counters };
}

describe.skipIf(prometheusPath === null)('a real Prometheus (skipped: prometheus is not installed)', () => {
  let lab: Lab;
  let prometheus: RunningPrometheus;
  const http = createHttp();
  const total = (version: string) => `http_requests_total{version="${version}",code="200"}`;
  const failed = (version: string) => `http_requests_total{version="${version}",code="500"}`;
  let startedMs = 0;
  const truth = { stable: 0, stableErrors: 0, candidate: 0 };

  beforeAll(async () => {
    lab = await startLab();
    const { counters } = lab;
    for (const version of ['v41', 'v42']) counters.set(total(version), 1000);
    for (const [le, n] of [
      ['0.1', 50],
      ['0.5', 90],
      ['+Inf', 100],
    ] as const) {
      counters.set(`latency_seconds_bucket{version="v41",le="${le}"}`, n);
    }
    counters.set('queue_depth{version="v41"}', 3);
    counters.set('queue_depth{version="v42"}', Number.NaN);
    prometheus = await startPrometheus({
      scrapeTargets: [{ url: `${lab.server.url}/metrics`, job: 'lab' }],
      scrapeIntervalMs: 200,
      evaluationIntervalMs: 1000,
    });
    await until(async () => (await value(prometheus.url, total('v41'))) === 1000);
    startedMs = Math.ceil(Date.now() / WINDOW_MS) * WINDOW_MS;
    await until(async () => Date.now() > startedMs + 300);
    await traffic(counters, 5);
  });

  afterAll(async () => {
    await prometheus?.stop();
    await lab?.server.stop();
  });

  /** Five rounds of traffic; v41 restarts in the third and has its first error in the fourth. */
  async function traffic(counters: Map<string, number>, rounds: number): Promise<void> {
    const add = (name: string, n: number) => counters.set(name, (counters.get(name) ?? 0) + n);
    for (let round = 1; round <= rounds; round += 1) {
      if (round === 3) {
        // In a window of its own: what a process counted in the window it dies in is lost, to Prometheus' scrapes as well.
        const edge = Math.ceil(Date.now() / WINDOW_MS) * WINDOW_MS;
        await until(async () => Date.now() > edge);
        counters.set(total('v41'), 0);
      }
      add(total('v41'), 20);
      truth.stable += 20;
      add(total('v42'), 5);
      truth.candidate += 5;
      if (round === 4) {
        counters.set(failed('v41'), 4);
        truth.stable += 4;
        truth.stableErrors += 4;
      }
      for (const [le, n] of [
        ['0.1', 5],
        ['0.5', 9],
        ['+Inf', 10],
      ] as const) {
        add(`latency_seconds_bucket{version="v41",le="${le}"}`, n);
      }
      counters.set('queue_depth{version="v41"}', 3 + round);
      const name = round === 4 ? failed('v41') : total('v41');
      await until(async () => (await value(prometheus.url, name)) === counters.get(name));
    }
  }

  async function read(metrics: readonly Metric[]) {
    const toMs = Math.ceil(Date.now() / WINDOW_MS) * WINDOW_MS;
    // A window is read once it has settled: a quarter of it after its end.
    await until(async () => Date.now() > toMs + 300);
    return createPrometheusSource({ http, endpoint: endpoint(prometheus.url) }).read(
      {
        service: 'lab',
        stable: 'v41',
        candidate: 'v42',
        metrics,
        windowMs: WINDOW_MS,
        period: {
          fromMs: startedMs,
          toMs: toMs + 300,
          healthyFromMs: startedMs,
          restartsAtMs: [],
          beforeOffsetMs: 86_400_000,
          against: 'stable',
        },
      },
      new AbortController().signal,
    );
  }
  const sums = (series: Series | null | undefined) => {
    const windows = series?.kind === 'counts' ? series.windows : [];
    return windows.reduce((sum, w) => ({ events: sum.events + w.events, exposure: sum.exposure + w.exposure }), {
      events: 0,
      exposure: 0,
    });
  };

  it('counts what happened: over a restart, with a first error, and without errors', async () => {
    const proportion = metric({
      kind: 'proportion',
      bad: 'http_requests_total{version="{{version}}",code=~"5.."}',
      good: null,
      total: 'http_requests_total{version="{{version}}"}',
    });
    const [seen] = await read([proportion]);
    expect(sums(seen?.stableNow)).toEqual({ events: truth.stableErrors, exposure: truth.stable });
    expect(sums(seen?.candidateNow)).toEqual({ events: 0, exposure: truth.candidate });
    expect(seen?.stableBefore).toBeNull();
    expect(seen?.missing).toBe('stable before: no series were found');
  });

  it('reads tails, gauges and what is not there', async () => {
    const [latency, gauge, absent] = await read([
      metric({ kind: 'latency', buckets: 'latency_seconds_bucket{version="{{version}}"}', bounds: [] }, 'latency'),
      metric({ kind: 'gauge', value: 'queue_depth{version="{{version}}"} * 2' }, 'gauge'),
      metric({ kind: 'gauge', value: 'nothing{version="{{version}}"}' }, 'absent'),
    ]);
    const tails = latency?.stableNow?.kind === 'tails' ? latency.stableNow.bounds : [];
    expect(tails.map((t) => [t.bound, sums({ kind: 'counts', windows: t.windows })])).toEqual([
      [0.1, { events: 25, exposure: 50 }],
      [0.5, { events: 5, exposure: 50 }],
    ]);
    expect(latency?.candidateNow).toBeNull();
    expect(gauge?.stableNow?.kind === 'values' && gauge.stableNow.windows.at(-1)?.value).toBe(16);
    expect(gauge?.candidateNow).toBeNull();
    expect(absent?.missing).toContain('stable, stable before, candidate: no usable numbers were found');
  });

  it('says what Prometheus says about a wrong query, and is ready', async () => {
    const [wrong] = await read([metric({ kind: 'gauge', value: 'sum by (' })]);
    expect(wrong?.missing).toContain('status 400 (bad_data)');
    expect(await checkPrometheus(http, endpoint(prometheus.url))).toEqual({ ready: true });
  });
});

async function value(url: string, query: string): Promise<number | null> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
  const body = (await response.json()) as { data: { result: { value: [number, string] }[] } };
  const text = body.data.result[0]?.value[1];
  return text === undefined ? null : Number(text);
}
