import { setTimeout as sleep } from 'node:timers/promises';
import type { LoopbackServer } from '../loopback.ts';
import { createModelMetrics } from './model-metrics.ts';
import type { Random } from './random.ts';
import { isRecord, type LabAnswer, noSuchAddress, serveLab } from './serve.ts';

/** How a model misbehaves. */
export interface ModelFaults {
  /** Share of requests that fail, 0..1, on top of what always fails. */
  readonly errorRate: number;
  /** On top of what it always takes. */
  readonly extraLatencyMs: number;
  /** How much less often it is right, 0..1. */
  readonly accuracyDrop: number;
  /** How far the amounts it is given have moved from those it was trained with, 0..1: 0.5 halves them. */
  readonly inputShift: number;
}

/** A model behind HTTP: `POST /score`, `GET /metrics`, `GET /health`. */
export interface ModelServer extends LoopbackServer {
  readonly version: string;
  faults: ModelFaults;
  /** False: `/health` says 503, as if its instances were gone. */
  ready: boolean;
  /** False: `/metrics` says 503, as if its exporter were broken. */
  metricsShown: boolean;
  /** What `/metrics` answers now. */
  metricsPage(): { readonly status: number; readonly body: string };
}

export interface ModelOptions {
  readonly service?: string;
  readonly version: string;
  readonly random: Random;
}

export const healthy: ModelFaults = { errorRate: 0, extraLatencyMs: 0, accuracyDrop: 0, inputShift: 0 };

// What a model in good order does: one request in 200 fails, most take 2 to 20 ms, 49 of 50 scores are right.
const usualErrorRate = 0.005;
const usualAccuracy = 0.98;
const fastestMs = 2;
const meanExtraMs = 6;
const slowestMs = 60;

/**
 * `POST /score` takes `{ amount?, fraud? }` and answers `{ score, version }`; where `fraud` says what is true, it counts whether
 * the score was right.
 */
export async function createModelServer({
  service = 'fraud-scorer',
  version,
  random,
}: ModelOptions): Promise<ModelServer> {
  const metrics = createModelMetrics(service, version);
  const ending = new AbortController();
  const state = { faults: healthy, ready: true, metricsShown: true };

  async function score(body: unknown): Promise<LabAnswer> {
    const began = performance.now();
    const { faults } = state;
    const ordinary = Math.min(fastestMs - meanExtraMs * Math.log(1 - random()), slowestMs);
    const answer = scored(body, faults);
    await sleep(ordinary + faults.extraLatencyMs, undefined, { signal: ending.signal });
    metrics.request(answer.status, (performance.now() - began) / 1000);
    return answer;
  }

  function scored(body: unknown, faults: ModelFaults): LabAnswer {
    if (!isRecord(body)) return { status: 400, body: { error: 'give an object like { "amount": 12.5 }' } };
    if (random() < usualErrorRate + faults.errorRate)
      return { status: 500, body: { error: 'the model failed', version } };
    if (typeof body.amount === 'number') metrics.input(body.amount * (1 - faults.inputShift));
    const fraud = body.fraud === true;
    const right = random() < usualAccuracy - faults.accuracyDrop;
    const value = (fraud === right ? 0.5 : 0) + random() / 2;
    metrics.prediction(value, typeof body.fraud === 'boolean' ? right : null);
    return { status: 200, body: { score: value, version } };
  }

  const metricsPage = () =>
    state.metricsShown ? { status: 200, body: metrics.text() } : { status: 503, body: 'The exporter is broken.\n' };
  const server = await serveLab((request) => {
    switch (`${request.method} ${request.path}`) {
      case 'POST /score':
        return score(request.body);
      case 'GET /metrics':
        return { ...metricsPage(), headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } };
      case 'GET /health':
        return state.ready
          ? { status: 200, body: { ready: true, detail: '3 of 3 instances' } }
          : { status: 503, body: { ready: false, detail: '0 of 3 instances' } };
      default:
        return noSuchAddress(request);
    }
  });
  return Object.assign(state, {
    version,
    url: server.url,
    metricsPage,
    async stop() {
      ending.abort();
      await server.stop();
    },
  });
}
