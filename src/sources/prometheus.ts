import type { Metric, MetricSamples } from '../analysis/types.ts';
import type { Endpoint } from '../domain/policy.ts';
import type { Http } from '../outbound/http.ts';
import type { MetricRequest, MetricSource } from '../ports/metric-source.ts';
import type { GridSeries } from './increase.ts';
import { type Answer, type PrometheusApi, prometheusApi, type Stretch } from './prometheus-api.ts';
import { fillForAnyVersion, fillPromql, type Placeholders } from './promql.ts';
import { type ArmRead, readArm, selectorsOf } from './read-arm.ts';

const TIMEOUT_MS = 5_000;
/** Queries under way at the same time: Prometheus itself runs 20 by default, and others ask it too. */
const AT_ONCE = 6;

export interface PrometheusOptions {
  readonly http: Http;
  readonly endpoint: Endpoint;
  /** For each query; 5 s. */
  readonly timeoutMs?: number;
}

/**
 * Reads counters, buckets and gauges from Prometheus, or from anything that speaks its API (Thanos, Mimir, VictoriaMetrics).
 * Every window, of the past too, carries its own time. Whatever goes wrong is `missing`.
 */
export function createPrometheusSource(options: PrometheusOptions): MetricSource {
  const api = prometheusApi(options.http, options.endpoint, options.timeoutMs ?? TIMEOUT_MS);
  return { read: (request, signal) => readAll(api, request, signal) };
}

/** Whether Prometheus answers a query; for readiness and `doctor`. Never throws. */
export async function checkPrometheus(
  http: Http,
  endpoint: Endpoint,
  signal?: AbortSignal,
): Promise<{ readonly ready: true } | { readonly ready: false; readonly reason: string }> {
  const answer = await prometheusApi(http, endpoint, TIMEOUT_MS).query('vector(1)', signal);
  return answer.ok ? { ready: true } : { ready: false, reason: answer.problem };
}

/** Asks each query once and only so many at a time: the total of requests stands in many metrics. */
type Ask = (query: string, stretch: Stretch) => Promise<Answer<GridSeries[]>>;

async function readAll(
  api: PrometheusApi,
  request: MetricRequest,
  signal: AbortSignal,
): Promise<readonly MetricSamples[]> {
  const asked = new Map<string, Promise<Answer<GridSeries[]>>>();
  const slot = limited(AT_ONCE);
  const ask: Ask = (query, stretch) => {
    const key = `${stretch.startMs} ${stretch.endMs} ${query}`;
    const known = asked.get(key) ?? slot(() => api.range(query, stretch, signal));
    asked.set(key, known);
    return known;
  };
  return Promise.all(request.metrics.map((metric) => readMetric(ask, request, metric)));
}

async function readMetric(ask: Ask, request: MetricRequest, metric: Metric): Promise<MetricSamples> {
  const { service, stable, candidate, period } = request;
  const of = (version: string, arm: Placeholders['arm']): Placeholders => ({ version, arm, service });
  const absent: ArmRead = { series: null, problem: null, noGood: false };
  const [now, before, other] = await Promise.all([
    readStretch(ask, request, metric, of(stable, 'stable'), 0),
    readPast(ask, request, metric, of(stable, 'stable'), period.beforeOffsetMs),
    candidate === null ? absent : readStretch(ask, request, metric, of(candidate, 'candidate'), 0),
  ]);
  // Good ones nowhere: mistyped rather than everything failing everywhere.
  const all = [now, before, other].filter((read) => read.series !== null);
  const mistyped = all.length > 0 && all.every((read) => read.noGood);
  const arms = [
    { name: 'stable', read: now },
    { name: 'stable before', read: before },
    { name: 'candidate', read: other },
  ];
  const problems = new Map<string, string[]>();
  for (const { name, read } of arms) {
    const problem = mistyped ? 'no good ones were found anywhere: check the `good` selector' : read.problem;
    if (problem !== null) problems.set(problem, [...(problems.get(problem) ?? []), name]);
  }
  const missing = [...problems].map(([problem, names]) => `${names.join(', ')}: ${problem}`).join('; ');
  return {
    metric: metric.name,
    stableNow: mistyped ? null : now.series,
    stableBefore: mistyped ? null : before.series,
    candidateNow: mistyped ? null : other.series,
    missing: missing === '' ? null : missing,
  };
}

/** The service's past: as the version that is stable now, or, where that did not run yet, as whatever ran then. */
async function readPast(
  ask: Ask,
  request: MetricRequest,
  metric: Metric,
  values: Placeholders,
  offsetMs: number,
): Promise<ArmRead> {
  const read = await readStretch(ask, request, metric, values, offsetMs);
  if (read.series !== null || read.problem === null) return read;
  const wider = await readStretch(ask, request, metric, values, offsetMs, fillForAnyVersion);
  return wider.series === null ? read : wider;
}

async function readStretch(
  ask: Ask,
  request: MetricRequest,
  metric: Metric,
  values: Placeholders,
  offsetMs: number,
  fill: (template: string, values: Placeholders) => string | null = fillPromql,
): Promise<ArmRead> {
  const { windowMs, period } = request;
  const endsMs = windowEnds(period.fromMs, period.toMs, windowMs).map((end) => end - offsetMs);
  const [first, last] = [endsMs[0], endsMs.at(-1)];
  if (first === undefined || last === undefined)
    return { series: null, problem: 'no window is complete yet', noGood: false };
  try {
    const queries = selectorsOf(metric.source).map((selector) => fill(selector, values));
    const found: GridSeries[][] = [];
    // One sample before the first window: an increase needs where it began.
    const stretch: Stretch = { startMs: first - windowMs, endMs: last, stepMs: windowMs };
    for (const answer of await Promise.all(queries.map((query) => (query === null ? null : ask(query, stretch))))) {
      if (answer === null) return { series: null, problem: 'no series were found', noGood: false };
      if (!answer.ok) return { series: null, problem: answer.problem, noGood: false };
      found.push(answer.value);
    }
    return readArm(metric, found, endsMs, windowMs);
  } catch (error) {
    // A placeholder that cannot be written where it stands.
    return { series: null, problem: error instanceof Error ? error.message : String(error), noGood: false };
  }
}

/** Ends of the windows in (fromMs, toMs], aligned to multiples of the window. */
function windowEnds(fromMs: number, toMs: number, windowMs: number): number[] {
  const ends: number[] = [];
  for (let end = (Math.floor(fromMs / windowMs) + 1) * windowMs; end <= toMs; end += windowMs) ends.push(end);
  return ends;
}

/** Runs what it is given, `atOnce` at a time, the rest in the order they came. */
function limited(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= atOnce) await new Promise<void>((go) => waiting.push(go));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
