import type { Metric, MetricSamples, Series } from '../analysis/types.ts';
import type { Endpoint } from '../domain/policy.ts';
import type { Http } from '../outbound/http.ts';
import type { MetricRequest, MetricSource } from '../ports/metric-source.ts';
import { type Asking, createBatch, GATHER_MS, MOST_KEPT_BYTES } from './asking.ts';
import { createDays, type Days } from './days.ts';
import { type ArmName, createKeptArms, type KeptArms } from './kept-arms.ts';
import type { Query, Selectors } from './named.ts';
import { prometheusApi } from './prometheus-api.ts';
import { createFilling, fillForAnyVersion, fillForWholeService, type Placeholders } from './promql.ts';
import { type ArmRead, absent, together } from './read-arm.ts';
import { createReadings, type Readings, readWindows } from './read-windows.ts';
import { inTurns } from './sharing.ts';
import { pastWindows, periodOf, presentWindows, type Windows } from './windows.ts';

const TIMEOUT_MS = 5_000;
/** Ten metrics of two selectors in three stretches are 60; twice that is a policy nobody meant. */
const MOST_REQUESTS = 120;
/** Windows that were counted: those of ten thousand rollouts of five metrics. */
const MOST_COUNTED_BYTES = 96 * 1024 * 1024;
/** Endpoints that are remembered: more than anybody has Prometheus servers. */
const MOST_SOURCES = 64;

export interface PrometheusOptions {
  readonly http: Http;
  readonly endpoint: Endpoint;
  /** For each query; 5 s. */
  readonly timeoutMs?: number;
  /** Requests one look may send; 120. What is beyond them is missing. */
  readonly mostRequests?: number;
  /** How long others are waited for who ask for the same of another service; 20 ms. */
  readonly gatherMs?: number;
  /** What is kept of answers that do not change any more; 48 MB. */
  readonly mostKeptBytes?: number;
  /** What is kept of windows that were counted; 96 MB. */
  readonly mostCountedBytes?: number;
  /** For how long answers are kept: seconds for looks at the same moment, an hour for days of history. */
  readonly now?: () => number;
}

/**
 * Reads counters, histograms and gauges from Prometheus, or from anything that speaks its API (Thanos, Mimir, VictoriaMetrics).
 * Every window, of the past too, carries its own time. Whatever goes wrong is `missing`. Reads at the same moment share what
 * they ask for.
 */
export function createPrometheusSource(options: PrometheusOptions): MetricSource {
  const now = options.now ?? Date.now;
  const batch = createBatch(prometheusApi(options.http, options.endpoint, options.timeoutMs ?? TIMEOUT_MS), {
    now,
    gatherMs: options.gatherMs ?? GATHER_MS,
    mostKeptBytes: options.mostKeptBytes ?? MOST_KEPT_BYTES,
  });
  const arms = createKeptArms(now, options.mostCountedBytes ?? MOST_COUNTED_BYTES);
  const { selectors } = batch;
  const kept = { days: createDays(now), fill: createFilling(), readings: createReadings(), arms, selectors };
  const ourTurn = inTurns();
  return {
    read: (request, signal) =>
      readAll({ ...kept, ourTurn, request, signal, asking: batch.look(options.mostRequests ?? MOST_REQUESTS) }),
  };
}

/**
 * One source for each endpoint, whoever's policy names it, so that services measured by the same Prometheus share what they ask.
 * Never shared where the address, a header (credentials, tenant) or TLS differs.
 */
export function createPrometheusSources(
  options: Omit<PrometheusOptions, 'endpoint'>,
): (endpoint: Endpoint) => MetricSource {
  const sources = new Map<string, MetricSource>();
  return (endpoint) => {
    const headers = Object.entries(endpoint.headers).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const { ca, cert, key, insecure } = endpoint.tls;
    const id = JSON.stringify([endpoint.url, headers, ca, cert, key, insecure]);
    const source = sources.get(id) ?? createPrometheusSource({ ...options, endpoint });
    sources.delete(id);
    sources.set(id, source);
    const [oldest] = sources.keys();
    if (sources.size > MOST_SOURCES && oldest !== undefined) sources.delete(oldest);
    return source;
  };
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

interface Look {
  readonly request: MetricRequest;
  readonly signal: AbortSignal;
  readonly asking: Asking;
  readonly days: Days;
  readonly fill: ReturnType<typeof createFilling>;
  readonly readings: Readings;
  readonly arms: KeptArms;
  readonly selectors: Selectors;
  readonly ourTurn: () => Promise<void>;
}

/**
 * The arms of every metric first: days of history must not take the requests that the present needs. What was found is put together when
 * it is this look's turn: looks come back by the hundred, and all of their windows at once would outlive the young.
 */
async function readAll(look: Look): Promise<readonly MetricSamples[]> {
  const { metrics } = look.request;
  const found = await Promise.all(metrics.map((metric) => askForArms(look, metric)));
  await look.ourTurn();
  const arms = await Promise.all(metrics.map((metric, i) => putTogether(metric, found[i] ?? [])));
  return Promise.all(metrics.map((metric, i) => withDays(look, metric, arms[i] ?? [])));
}

/** An arm of which everything was asked for. */
type Arm = () => ArmRead | Promise<ArmRead>;

interface NamedArm {
  readonly name: string;
  readonly read: ArmRead;
}

/** Stable, stable before and the candidate, in this order. */
function askForArms(look: Look, metric: Metric): Promise<readonly Arm[]> {
  const { service, stable, candidate, windowMs } = look.request;
  const present = presentWindows(periodOf(metric, look.request.period), windowMs);
  const hasOther = candidate !== null && metric.arms !== 'one';
  const isFixed = metric.baseline?.kind === 'fixed';
  const none: Arm = () => absent(null);
  const at = (version: string, role: 'stable' | 'candidate'): Arm | Promise<Arm> => {
    if (present === null) return () => absent('no window is complete yet');
    return askKept(look, metric, present, { service, version, role });
  };
  return Promise.all([
    at(stable, 'stable'),
    isFixed || present === null ? none : askForPast(look, metric),
    hasOther ? at(candidate, 'candidate') : none,
  ]);
}

async function putTogether(metric: Metric, arms: readonly Arm[]): Promise<NamedArm[]> {
  const reads = arms.map((arm) => arm());
  const all = reads.every((read) => !(read instanceof Promise)) ? (reads as ArmRead[]) : await Promise.all(reads);
  // What stable shows decides at which bounds native histograms are counted.
  const [now, before, other] = together(metric, all, [0, 1]);
  return [
    { name: 'stable', read: now ?? absent(null) },
    { name: 'stable before', read: before ?? absent(null) },
    { name: 'candidate', read: other ?? absent(null) },
  ];
}

/** One version's arm; of what is counted only the windows are asked for that are not kept. */
async function askKept(look: Look, metric: Metric, windows: Windows, name: ArmName): Promise<Arm> {
  const { service, version, role } = name;
  const values: Placeholders = { version, arm: role === 'candidate' ? 'candidate' : 'stable', service };
  const text = (template: string) => look.fill(template, values);
  const fill = (template: string): Query => look.selectors.filled(template, values, text) ?? text(template);
  const { asking, signal } = look;
  const kept = await look.arms.ask({ name, metric, windows, fill, asking, signal });
  if (kept !== null) return kept;
  const { read } = await readWindows(look, metric, windows, text);
  return () => read;
}

/**
 * The service's past: as the version that is stable now, or, where that did not run yet, as whatever ran then. Yesterday or last
 * week it is the whole service: what is now stable need not have been there.
 */
async function askForPast(look: Look, metric: Metric): Promise<Arm> {
  const { service, stable: version, windowMs } = look.request;
  const period = periodOf(metric, look.request.period);
  const values: Placeholders = { version, arm: 'stable', service };
  if (metric.baseline?.kind === 'offset') {
    const windows = pastWindows(period, windowMs, metric.baseline.offsetMs);
    const fill = (template: string) => fillForWholeService(template, values) ?? look.fill(template, values);
    const { read } = await readWindows(look, metric, windows, fill);
    return () => read;
  }
  const windows = pastWindows(period, windowMs, period.beforeOffsetMs);
  const arm = await askKept(look, metric, windows, { service, version, role: 'past' });
  const orWider = async (own: ArmRead): Promise<ArmRead> => {
    const wider = (await readWindows(look, metric, windows, (t) => fillForAnyVersion(t, values))).read;
    return wider.problem === null ? wider : own;
  };
  const judged = (own: ArmRead) => (own.problem === null ? own : orWider(own));
  return () => {
    const own = arm();
    return own instanceof Promise ? own.then(judged) : judged(own);
  };
}

/** The samples as the comparison takes them, with days of history where the metric asks for them. */
async function withDays(look: Look, metric: Metric, arms: readonly NamedArm[]): Promise<MetricSamples> {
  const needsHistory = metric.tolerance.fromHistory === true && isCounted(metric);
  const needsBudget = metric.source.kind === 'objective';
  const [history, budget] =
    needsHistory || needsBudget
      ? await Promise.all([
          needsHistory ? look.days.history(look, metric) : null,
          needsBudget ? look.days.budget(look, metric) : null,
        ])
      : [null, null];
  const all: readonly NamedArm[] = [
    ...arms,
    { name: 'history', read: history ?? absent(null) },
    { name: 'error budget', read: budget ?? absent(null) },
  ];
  const problems = new Map<string, string[]>();
  for (const { name, read } of all) {
    if (read.problem !== null) problems.set(read.problem, [...(problems.get(read.problem) ?? []), name]);
  }
  const missing = [...problems].map(([problem, names]) => `${names.join(', ')}: ${problem}`).join('; ');
  const seriesOf = (name: string): Series | null => arms.find((arm) => arm.name === name)?.read.series ?? null;
  return {
    metric: metric.name,
    stableNow: seriesOf('stable'),
    stableBefore: seriesOf('stable before'),
    candidateNow: seriesOf('candidate'),
    ...(history === null ? {} : { history: history.series }),
    ...(budget === null ? {} : { budget: budget.series }),
    missing: missing === '' ? null : missing,
  };
}

function isCounted({ source }: Metric): boolean {
  return (
    source.kind === 'proportion' || source.kind === 'labelled' || source.kind === 'rate' || source.kind === 'latency'
  );
}
