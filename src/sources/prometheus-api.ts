import type { Endpoint } from '../domain/policy.ts';
import { excerpt, secretsOf } from '../outbound/excerpt.ts';
import type { Http, HttpResponse } from '../outbound/http.ts';
import { PortError } from '../ports/failure.ts';
import type { GridSeries } from './increase.ts';

/** Prometheus' HTTP API, as far as it is read: query and query_range by POST form. */

/** A stretch of the aligned grid: points every `stepMs` from `startMs` to `endMs`, both included. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** A plain sentence in `problem`, or the series. Never both, and never thrown. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string; readonly retryable: boolean };

export interface PrometheusApi {
  range(query: string, stretch: Stretch, signal?: AbortSignal): Promise<Answer<GridSeries[]>>;
  query(query: string, signal?: AbortSignal): Promise<Answer<unknown>>;
}

/** Prometheus refuses more points a series than 11,000; longer stretches are read in pieces. */
const MOST_POINTS = 10_000;
/** What an answer may weigh: many series of a long stretch are some megabytes. */
const MOST_BYTES = 64 * 1024 * 1024;

export function prometheusApi(http: Http, endpoint: Endpoint, timeoutMs: number): PrometheusApi {
  const tell = teller(endpoint);
  const post = async (path: string, form: Record<string, string>, signal?: AbortSignal): Promise<Answer<unknown>> => {
    try {
      const response = await http.request(
        {
          method: 'POST',
          url: `${endpoint.url.replace(/\/+$/, '')}${path}`,
          headers: {
            ...endpoint.headers,
            'Content-Type': 'application/x-www-form-urlencoded',
            Accept: 'application/json',
          },
          body: new URLSearchParams({ ...form, timeout: `${timeoutMs / 1000}s` }).toString(),
          timeoutMs,
          intent: 'read',
          tls: endpoint.tls,
          maxBytes: MOST_BYTES,
          accept: () => true,
        },
        signal,
      );
      return readBody(response, tell);
    } catch (error) {
      const retryable = !(error instanceof PortError) || error.failure !== 'permanent';
      const why = signal?.aborted ? 'the look was stopped before it answered' : tell(messageOf(error));
      return { ok: false, problem: `Prometheus could not be read: ${why}`, retryable };
    }
  };
  return {
    query: (query, signal) => post('/api/v1/query', { query }, signal),
    range: (query, stretch, signal) => readRange(post, query, stretch, signal),
  };
}

type Post = (path: string, form: Record<string, string>, signal?: AbortSignal) => Promise<Answer<unknown>>;

async function readRange(
  post: Post,
  query: string,
  stretch: Stretch,
  signal?: AbortSignal,
): Promise<Answer<GridSeries[]>> {
  const { startMs, endMs, stepMs } = stretch;
  const points = Math.floor((endMs - startMs) / stepMs) + 1;
  const series = new Map<string, GridSeries>();
  for (let from = 0; from < points; from += MOST_POINTS) {
    const to = Math.min(points, from + MOST_POINTS) - 1;
    const form = {
      query,
      start: seconds(startMs + from * stepMs),
      end: seconds(startMs + to * stepMs),
      step: seconds(stepMs),
    };
    const answer = await post('/api/v1/query_range', form, signal);
    if (!answer.ok) return answer;
    const problem = layOnGrid(answer.value, stretch, points, series);
    if (problem !== null) return { ok: false, problem, retryable: false };
  }
  return { ok: true, value: [...series.values()] };
}

function seconds(ms: number): string {
  return String(Math.round(ms) / 1000);
}

/** Adds a matrix to the series known by their labels. Answers what is wrong with it, null if nothing is. */
function layOnGrid(data: unknown, stretch: Stretch, points: number, series: Map<string, GridSeries>): string | null {
  if (!isRecord(data) || data.resultType !== 'matrix' || !Array.isArray(data.result)) {
    return 'Prometheus answered with something other than a matrix of series';
  }
  for (const one of data.result as unknown[]) {
    if (!isRecord(one) || !isRecord(one.metric)) return 'Prometheus answered with a series without labels';
    if (!Array.isArray(one.values)) {
      if (Array.isArray(one.histograms))
        return 'the selector finds native histograms: give one of classic buckets (…_bucket)';
      continue;
    }
    const labels = Object.fromEntries(Object.entries(one.metric).map(([k, v]) => [k, String(v)]));
    const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    const grid = series.get(key) ?? { labels, at: new Float64Array(points).fill(Number.NaN) };
    series.set(key, grid);
    for (const sample of one.values as unknown[]) {
      if (!Array.isArray(sample)) continue;
      const index = Math.round((Number(sample[0]) * 1000 - stretch.startMs) / stretch.stepMs);
      const value = sampleValue(sample[1]);
      if (index >= 0 && index < points && Number.isFinite(value)) grid.at[index] = value;
    }
  }
  return null;
}

/** Sample values are strings, with "NaN", "+Inf" and "-Inf" among them; those are numbers nobody can count with. */
function sampleValue(text: unknown): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
}

function readBody(response: HttpResponse, tell: (text: string) => string): Answer<unknown> {
  const retryable = response.status >= 500 || response.status === 429 || response.status === 408;
  let body: unknown;
  try {
    body = JSON.parse(response.body);
  } catch {
    const what = response.status === 200 ? 'something that is not JSON' : `status ${response.status}`;
    const hint =
      response.status === 200 || response.status === 404
        ? ': is it the address of a Prometheus?'
        : hintFor(response.status);
    return { ok: false, problem: `Prometheus answered with ${what}${hint}`, retryable };
  }
  if (!isRecord(body) || response.status !== 200 || body.status !== 'success') {
    const error = isRecord(body) && typeof body.error === 'string' ? `: ${tell(body.error)}` : hintFor(response.status);
    const kind = isRecord(body) && typeof body.errorType === 'string' ? ` (${tell(body.errorType)})` : '';
    return { ok: false, problem: `Prometheus answered with status ${response.status}${kind}${error}`, retryable };
  }
  if (Array.isArray(body.warnings) && body.warnings.length > 0) {
    // Thanos and Mimir answer with what they have: partial counts look like a drop in traffic, or in errors.
    return {
      ok: false,
      problem: `Prometheus has only part of the data: ${tell(String(body.warnings[0]))}`,
      retryable: true,
    };
  }
  return { ok: true, value: body.data };
}

function hintFor(status: number): string {
  if (status === 401 || status === 403) return ': check the credentials of `prometheus` in the policy';
  if (status >= 300 && status < 400) return ': it redirects, give the final address';
  return '';
}

/** Makes text fit for a card: short, one line, and without anything the endpoint's headers or address keep secret. */
function teller(endpoint: Endpoint): (text: string) => string {
  const secrets = URL.canParse(endpoint.url) ? secretsOf(new URL(endpoint.url), endpoint.headers) : [endpoint.url];
  return (text) => excerpt(text, secrets);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
