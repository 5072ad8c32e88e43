import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { seededRandom } from '../../src/demo/lab/random.ts';
import type { Weights } from '../support/router.ts';

/** How a version answers. All are shares of what it is asked. */
export interface Traits {
  readonly errors: number;
  /** Of copies: another answer than stable's. */
  readonly disagrees: number;
  readonly converts: number;
  /** Of the positives that are labelled later: found. */
  readonly recall: number;
  /** Of its predictions: the high ones. */
  readonly high: number;
}

/** One service that is asked, split as its router says. */
export interface Asked {
  readonly service: string;
  readonly perSecond: number;
  readonly weights: () => Weights;
  /** The mesh copies every request to a candidate that has no share. */
  readonly mirrors: boolean;
  /** What really comes of a configured share; the same where nothing is wrong with the router. */
  readonly really: (share: number) => number;
  /** May change while it runs. */
  readonly traits: Map<string, Traits>;
}

export interface Traffic {
  /** What Prometheus scrapes. */
  readonly metricsUrl: string;
  stop(): Promise<void>;
}

const TICK_MS = 50;
/** How long after the answer it is known whether it was right. */
export const LABELS_LATE_MS = 2_000;
const POSITIVES = 0.2;

/** Counters as the models of several services would count them, without the requests: whoever is asked, how often, in real time. */
export async function startTraffic(services: readonly Asked[]): Promise<Traffic> {
  const random = seededRandom(20_261_121);
  const counters = new Map<string, number>();
  const labels: { readonly dueMs: number; readonly series: string; readonly by: number }[] = [];
  const count = (series: string, by: number) => counters.set(series, (counters.get(series) ?? 0) + by);
  const some = (of: number, share: number) => Math.min(of, poisson(of * share, random));

  function answered(service: string, version: string, requests: number): void {
    const of = traitsOf(services, service, version);
    const by = `service="${service}",version="${version}"`;
    const failed = some(requests, of.errors);
    count(`http_requests_total{${by},code="500"}`, failed);
    count(`http_requests_total{${by},code="200"}`, requests - failed);
    // The front end counts without knowing who answers.
    count(`frontend_requests_total{service="${service}",code="500"}`, failed);
    count(`frontend_requests_total{service="${service}",code="200"}`, requests - failed);
    count(`sessions_total{${by}}`, requests);
    count(`conversions_total{${by}}`, some(requests, of.converts));
    const high = some(requests, of.high);
    count(`predictions_total{${by},bin="high"}`, high);
    count(`predictions_total{${by},bin="low"}`, requests - high);
    const positives = some(requests, POSITIVES);
    const missed = some(positives, 1 - of.recall);
    const dueMs = performance.now() + LABELS_LATE_MS;
    labels.push({ dueMs, series: `labels_total{${by},is="missed"}`, by: missed });
    labels.push({ dueMs, series: `labels_total{${by},is="found"}`, by: positives - missed });
  }

  /** Nobody sees the answer to a copy: it makes no session, and nobody labels it. */
  function copied(service: string, version: string, requests: number): void {
    const of = traitsOf(services, service, version);
    const by = `service="${service}",version="${version}"`;
    const failed = some(requests, of.errors);
    count(`http_requests_total{${by},code="500"}`, failed);
    count(`http_requests_total{${by},code="200"}`, requests - failed);
    const other = some(requests, of.disagrees);
    count(`shadow_predictions_total{${by},agrees="false"}`, other);
    count(`shadow_predictions_total{${by},agrees="true"}`, requests - other);
  }

  let beforeMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const seconds = (nowMs - beforeMs) / 1000;
    beforeMs = nowMs;
    for (const { service, perSecond, weights, mirrors, really } of services) {
      const { stable, candidate } = weights();
      const share = candidate.percent === 0 ? 0 : really(candidate.percent / 100);
      answered(service, stable.version, poisson(perSecond * seconds * (1 - share), random));
      if (share > 0) answered(service, candidate.version, poisson(perSecond * seconds * share, random));
      else if (mirrors && candidate.version !== 'none')
        copied(service, candidate.version, poisson(perSecond * seconds, random));
    }
    while (labels[0] !== undefined && labels[0].dueMs <= nowMs) {
      const { series, by } = labels.shift() ?? { series: '', by: 0 };
      count(series, by);
    }
  }, TICK_MS);
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
    response.end([...counters].map(([series, value]) => `${series} ${value}\n`).join(''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    metricsUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    stop: () =>
      new Promise((resolve) => {
        clearInterval(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function traitsOf(services: readonly Asked[], service: string, version: string): Traits {
  const traits = services.find((one) => one.service === service)?.traits.get(version);
  if (traits === undefined) throw new Error(`${service} knows nothing of ${version}.`);
  return traits;
}

/** Exact for small means, rounded from a normal one for large ones. */
function poisson(mean: number, random: () => number): number {
  if (mean > 50) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const limit = Math.exp(-mean);
  let events = -1;
  for (let product = 1; product > limit; product *= random()) events += 1;
  return Math.max(0, events);
}
