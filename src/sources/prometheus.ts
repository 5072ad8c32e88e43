import type { LookPeriod, Metric, MetricSamples } from '../analysis/types.ts';
import type { Endpoint } from '../domain/policy.ts';
import type { Http } from '../outbound/http.ts';
import type { MetricRequest, MetricSource } from '../ports/metric-source.ts';
import { type Asking, createBatch, GATHER_MS, MOST_KEPT_BYTES } from './asking.ts';
import { createDays, type Days } from './days.ts';
import { type ArmsOfLook, createKeptArms, type ReadingArm } from './kept-arms.ts';
import type { ArmName } from './kept-store.ts';
import { createMetricTemplates, isCounted, type MetricTemplate } from './metric-templates.ts';
import { prometheusApi } from './prometheus-api.ts';
import { createFilling, fillForAnyVersion, fillForWholeService, type Placeholders } from './promql.ts';
import { type ArmRead, absent, together } from './read-arm.ts';
import { createReadings, type Readings, readWindows } from './read-windows.ts';
import type { CountedMetric } from './settled.ts';
import { Waiting } from './waiting.ts';
import { pastWindows, periodOf, presentWindows, type Windows } from './windows.ts';

const TIMEOUT_MS = 5_000;
/** Ten metrics of two selectors in three stretches are 60; twice that is a policy nobody meant. */
const MOST_REQUESTS = 120;
/** Windows that were counted: 240 a metric and arm of ten thousand rollouts of five metrics take three quarters of it. */
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
  const keptArms = createKeptArms(now, options.mostCountedBytes ?? MOST_COUNTED_BYTES);
  const fill = createFilling();
  const templateOf = createMetricTemplates(batch.selectors, fill);
  const [days, readings] = [createDays(now), createReadings()];
  return {
    read: (request, signal) => {
      const asking = batch.look(options.mostRequests ?? MOST_REQUESTS);
      const waiting = new Waiting();
      const arms = keptArms.of(request.service, request.windowMs, { asking, signal, waiting });
      return readAll({ request, signal, asking, waiting, arms, days, fill, readings, templateOf });
    },
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
  readonly templateOf: (metric: CountedMetric) => MetricTemplate;
  readonly arms: ArmsOfLook;
  readonly waiting: Waiting;
}

/** The arms of one metric, asked for. */
interface AskedArms {
  readonly metric: Metric;
  readonly stable: ReadingArm;
  readonly past: ReadingArm;
  /** Where what is stable now did not run then: whatever did. */
  wider: ReadingArm | null;
  readonly candidate: ReadingArm;
}

/** The arms of every metric first: days of history must not take the requests that the present needs. */
async function readAll(look: Look): Promise<readonly MetricSamples[]> {
  const asked = askForArms(look);
  await look.waiting.over();
  for (const arms of asked) arms.wider = askWider(look, arms);
  await look.waiting.over();
  const days = asked.map(({ metric }) => askForDays(look, metric));
  const found = days.some((of) => of !== null) ? await Promise.all(days) : [];
  return asked.map((arms, i) => samplesOf(arms, found[i] ?? null));
}

const NOT_ASKED: ReadingArm = { read: absent(null) };
const TOO_EARLY: ReadingArm = { read: absent('no window is complete yet') };

/** Stable, stable before and the candidate, in this order. */
function askForArms(look: Look): AskedArms[] {
  const { service, stable, candidate, windowMs, metrics, period } = look.request;
  const ofStable: Placeholders = { version: stable, arm: 'stable', service };
  const ofCandidate: Placeholders = { version: candidate ?? '', arm: 'candidate', service };
  const all = presentWindows(period, windowMs);
  return metrics.map((metric) => {
    const own = periodOf(metric, period);
    const present = own === period ? all : presentWindows(own, windowMs);
    const hasOther = candidate !== null && metric.arms !== 'one';
    const isFixed = metric.baseline?.kind === 'fixed';
    const at = (role: ArmName['role'], values: Placeholders) =>
      present === null ? TOO_EARLY : askKept(look, metric, present, role, values);
    return {
      metric,
      stable: at('stable', ofStable),
      past: isFixed || present === null ? NOT_ASKED : askForPast(look, metric, own, ofStable),
      wider: null,
      candidate: hasOther ? at('candidate', ofCandidate) : NOT_ASKED,
    };
  });
}

/** One version's arm; of what is counted only the windows are asked for that are not kept. */
function askKept(
  look: Look,
  metric: Metric,
  windows: Windows,
  role: ArmName['role'],
  values: Placeholders,
): ReadingArm {
  const kept = isCounted(metric)
    ? look.arms.ask({ template: look.templateOf(metric), metric, role, values, windows })
    : null;
  return kept ?? askWhole(look, metric, windows, (template) => look.fill(template, values));
}

function askWhole(
  { asking, signal, readings, waiting }: Look,
  metric: Metric,
  windows: Windows,
  fill: (template: string) => string | null,
): ReadingArm {
  const arm: { read: ArmRead | null } = { read: null };
  waiting.begin();
  readWindows({ asking, signal, readings }, metric, windows, fill).then(({ read }) => {
    arm.read = read;
    waiting.end();
  });
  return arm;
}

/** The service's past: as the version that is stable now. Yesterday or last week it is the whole service: what is now stable need not have been there. */
function askForPast(look: Look, metric: Metric, period: LookPeriod, values: Placeholders): ReadingArm {
  const { windowMs } = look.request;
  if (metric.baseline?.kind !== 'offset') {
    return askKept(look, metric, pastWindows(period, windowMs, period.beforeOffsetMs), 'past', values);
  }
  const windows = pastWindows(period, windowMs, metric.baseline.offsetMs);
  return askWhole(
    look,
    metric,
    windows,
    (template) => fillForWholeService(template, values) ?? look.fill(template, values),
  );
}

/** Where what is stable now did not run then. */
function askWider(look: Look, { metric, past }: AskedArms): ReadingArm | null {
  if (metric.baseline?.kind === 'offset' || (past.read?.problem ?? null) === null) return null;
  const { service, stable: version, windowMs } = look.request;
  const period = periodOf(metric, look.request.period);
  const windows = pastWindows(period, windowMs, period.beforeOffsetMs);
  return askWhole(look, metric, windows, (template) =>
    fillForAnyVersion(template, { version, arm: 'stable', service }),
  );
}

interface DaysRead {
  readonly history: ArmRead | null;
  readonly budget: ArmRead | null;
}

/** Days of history, where the metric asks for them. */
function askForDays(look: Look, metric: Metric): Promise<DaysRead> | null {
  const needsHistory = metric.tolerance.fromHistory === true && hasHistory(metric);
  const needsBudget = metric.source.kind === 'objective';
  if (!needsHistory && !needsBudget) return null;
  return Promise.all([
    needsHistory ? look.days.history(look, metric) : null,
    needsBudget ? look.days.budget(look, metric) : null,
  ]).then(([history, budget]) => ({ history, budget }));
}

/** The samples as the comparison takes them. */
function samplesOf({ metric, stable, past, wider, candidate }: AskedArms, days: DaysRead | null): MetricSamples {
  const before = wider?.read?.problem === null ? wider : past;
  const reads = [stable.read ?? absent(null), before.read ?? absent(null), candidate.read ?? absent(null)];
  // What stable shows decides at which bounds native histograms are counted.
  const [now = NONE, then = NONE, other = NONE] = together(metric, reads, [0, 1]);
  const arms = { metric: metric.name, stableNow: now.series, stableBefore: then.series, candidateNow: other.series };
  if (days === null) return { ...arms, missing: whatIsMissing([now, then, other]) };
  const { history, budget } = days;
  return {
    ...arms,
    ...(history === null ? {} : { history: history.series }),
    ...(budget === null ? {} : { budget: budget.series }),
    missing: whatIsMissing([now, then, other, history, budget]),
  };
}

const NONE = absent(null);
const NAMES = ['stable', 'stable before', 'candidate', 'history', 'error budget'];

function whatIsMissing(reads: readonly (ArmRead | null)[]): string | null {
  if (reads.every((read) => (read?.problem ?? null) === null)) return null;
  const problems = new Map<string, string[]>();
  for (const [i, read] of reads.entries()) {
    if (read === null || read.problem === null) continue;
    problems.set(read.problem, [...(problems.get(read.problem) ?? []), NAMES[i] ?? '']);
  }
  return [...problems].map(([problem, names]) => `${names.join(', ')}: ${problem}`).join('; ');
}

function hasHistory({ source }: Metric): boolean {
  return (
    source.kind === 'proportion' || source.kind === 'labelled' || source.kind === 'rate' || source.kind === 'latency'
  );
}
