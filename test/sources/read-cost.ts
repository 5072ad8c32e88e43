import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Metric } from '../../src/analysis/types.ts';
import { createHttp } from '../../src/outbound/http.ts';
import type { MetricSource } from '../../src/ports/metric-source.ts';
import { createPrometheusSource } from '../../src/sources/prometheus.ts';
import { endpoint, metric } from './support.ts';

/**
 * A program: what reading costs. Processor time of this process a look, where so many services look at the same moment, each at
 * five proportions in three stretches; the Prometheus that answers is a process of its own.
 *
 *     node test/sources/read-cost.ts [windows [services …]]
 *
 * What a look allocates, and what is kept of a service, is told with `--expose-gc`, and a young generation that holds all looks:
 *
 *     node --expose-gc --min-semi-space-size=512 --max-semi-space-size=512 test/sources/read-cost.ts
 */

const STEP_MS = 30_000;
const METRICS = 5;
const ROUNDS = 5;

async function measure(windows: number, sizes: readonly number[]): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const url = await new Promise<string>((resolve) => child.once('message', (at) => resolve(String(at))));
  const http = createHttp();
  try {
    for (const services of sizes.length > 0 ? sizes : [1, 100, 1000]) {
      const clock = { nowMs: Date.UTC(2026, 10, 21, 12) + 10_000 };
      const source = createPrometheusSource({
        http,
        endpoint: endpoint(url),
        now: () => clock.nowMs,
        timeoutMs: 60_000,
      });
      const look = () =>
        Promise.all(Array.from({ length: services }, (_, k) => readOf(source, k, windows, clock.nowMs)));
      const emptyBytes = bytesInUse();
      const first = await spent(look);
      const keptBytes = bytesInUse() - emptyBytes;
      const later: Spent[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        clock.nowMs += STEP_MS;
        later.push(await spent(look));
      }
      const micros = (of: number) => `${Math.round(of / services).toLocaleString('en-GB')} µs`;
      const kilobytes = (of: number) => (globalThis.gc === undefined ? '' : `, ${Math.round(of / services / 1024)} KB`);
      const kept = globalThis.gc === undefined ? '' : `${kilobytes(keptBytes)} kept`;
      process.stdout.write(
        `${windows} windows, ${services} services: first look ${micros(first.micros)}${kept}; ` +
          `later looks ${micros(median(later, 'micros'))}${kilobytes(median(later, 'bytes'))} each\n`,
      );
    }
  } finally {
    http.close();
    child.kill();
    await wait(0);
  }
}

interface Spent {
  readonly micros: number;
  /** Allocated, where nothing is collected meanwhile. */
  readonly bytes: number;
}

async function spent(work: () => Promise<unknown>): Promise<Spent> {
  const bytesBefore = bytesInUse();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { micros: user + system, bytes: inUse() - bytesBefore };
}

function bytesInUse(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return inUse();
}

function inUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function median(spent: readonly Spent[], of: keyof Spent): number {
  const rising = spent.map((one) => one[of]).toSorted((a, b) => a - b);
  return rising[Math.floor(rising.length / 2)] ?? Number.NaN;
}

const METRICS_READ: readonly Metric[] = Array.from({ length: METRICS }, (_, k) =>
  metric(
    {
      kind: 'proportion',
      bad: `m${k}_total{service="{{service}}",version="{{version}}",code=~"5.."}`,
      good: null,
      total: `m${k}_total{service="{{service}}",version="{{version}}"}`,
    },
    `m${k}`,
  ),
);

async function readOf(source: MetricSource, k: number, windows: number, nowMs: number): Promise<void> {
  const beganMs = Date.UTC(2026, 10, 21, 12) - windows * STEP_MS;
  const samples = await source.read(
    {
      service: `service-${k}`,
      stable: 'v41',
      candidate: 'v42',
      metrics: METRICS_READ,
      windowMs: STEP_MS,
      period: {
        fromMs: beganMs,
        toMs: nowMs,
        healthyFromMs: beganMs,
        restartsAtMs: [],
        beforeOffsetMs: Math.ceil((nowMs - beganMs + 600_000) / STEP_MS) * STEP_MS,
        against: 'stable',
      },
    },
    new AbortController().signal,
  );
  const problem = samples.find((s) => s.missing !== null);
  if (problem !== undefined) throw new Error(`${problem.metric}: ${problem.missing}`);
}

/** Two pods of each service and version, a series for each of two codes. */
function serve(): void {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      response.setHeader('content-type', 'application/json');
      response.end(`{"status":"success","data":{"resultType":"matrix","result":[${seriesOf(form).join(',')}]}}`);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
}

function seriesOf(form: URLSearchParams): string[] {
  const query = form.get('query') ?? '';
  const asked = (label: string) =>
    new RegExp(`${label}=~?"([^"]*)"`).exec(query)?.[1]?.replaceAll('\\', '').split('|') ?? [];
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)));
  const name = query.split('{')[0] ?? '';
  const series: string[] = [];
  for (const service of asked('service')) {
    for (const version of asked('version')) {
      for (const code of query.includes('code') ? ['500'] : ['200', '500']) {
        for (const pod of ['a', 'b']) {
          const values: string[] = [];
          for (let at = start ?? 0; at <= (end ?? 0) + 1e-6; at += step ?? 1)
            values.push(`[${at},"${Math.round((at - 1.7e9) * (code === '500' ? 1 : 100))}"]`);
          const labels = { __name__: name, code, instance: `10.0.0.1:80${pod}`, job: 'pods', pod, service, version };
          series.push(`{"metric":${JSON.stringify(labels)},"values":[${values.join(',')}]}`);
        }
      }
    }
  }
  return series;
}

if (process.argv[2] === 'serve') serve();
else await measure(Number(process.argv[2] ?? 20), process.argv.slice(3).map(Number));
