import type { Endpoint } from '../domain/policy.ts';
import { excerpt, secretsOf } from '../outbound/excerpt.ts';
import type { Http, HttpResponse } from '../outbound/http.ts';
import { PortError } from '../ports/failure.ts';
import { messageOf } from './found.ts';
import type { GridSeries } from './increase.ts';
import { createMatrix, isRecord, pointsOf, type Stretch } from './matrix.ts';

/** Prometheus' HTTP API, as far as it is read: query and query_range by POST form. */

/**
 * A plain sentence in `problem`, or the series. Never both, and never thrown. `wasAnswered` false: it was called off, or never
 * asked, so the same question a moment later is worth asking.
 */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly problem: string;
      readonly wasAnswered: boolean;
      /** It was refused for what was asked: a wrong query, one that takes too much, an answer that is too long. */
      readonly wasRefused?: boolean;
    };

export interface PrometheusApi {
  range(query: string, stretch: Stretch, signal?: AbortSignal): Promise<Answer<GridSeries[]>>;
  query(query: string, signal?: AbortSignal): Promise<Answer<unknown>>;
}

/** Prometheus refuses more points a series than 11,000; longer stretches are read in pieces. */
const MOST_POINTS = 10_000;
/** Statuses of what was asked: a wrong query, a form or a query that is too much. */
const REFUSED = [400, 413, 414, 422];
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
      const why = signal?.aborted ? 'the look was stopped before it answered' : tell(messageOf(error));
      const wasRefused = !signal?.aborted && error instanceof PortError && error.failure === 'permanent';
      return { ok: false, problem: `Prometheus could not be read: ${why}`, wasAnswered: !signal?.aborted, wasRefused };
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
  const { startMs, stepMs } = stretch;
  const points = pointsOf(stretch);
  const matrix = createMatrix(stretch);
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
    const problem = matrix.add(answer.value);
    if (problem !== null) return { ok: false, problem, wasAnswered: true };
  }
  return { ok: true, value: matrix.series() };
}

/** How many requests a range query of this stretch takes. */
export function requestsFor(stretch: Stretch): number {
  return Math.ceil(pointsOf(stretch) / MOST_POINTS);
}

function seconds(ms: number): string {
  return String(Math.round(ms) / 1000);
}

function readBody(response: HttpResponse, tell: (text: string) => string): Answer<unknown> {
  let body: unknown;
  try {
    body = JSON.parse(response.body);
  } catch {
    const what = response.status === 200 ? 'something that is not JSON' : `status ${response.status}`;
    const hint =
      response.status === 200 || response.status === 404
        ? ': is it the address of a Prometheus?'
        : hintFor(response.status);
    const wasRefused = REFUSED.includes(response.status);
    return { ok: false, problem: `Prometheus answered with ${what}${hint}`, wasAnswered: true, wasRefused };
  }
  if (!isRecord(body) || response.status !== 200 || body.status !== 'success') {
    const error = isRecord(body) && typeof body.error === 'string' ? `: ${tell(body.error)}` : hintFor(response.status);
    const kind = isRecord(body) && typeof body.errorType === 'string' ? ` (${tell(body.errorType)})` : '';
    return {
      ok: false,
      problem: `Prometheus answered with status ${response.status}${kind}${error}`,
      wasAnswered: true,
      wasRefused: REFUSED.includes(response.status),
    };
  }
  const partial = whatIsPartial(body);
  if (partial !== null) {
    return { ok: false, problem: `Prometheus has only part of the data${tell(partial)}`, wasAnswered: true };
  }
  return { ok: true, value: body.data };
}

/**
 * Thanos and Mimir answer with what they have and warn, VictoriaMetrics says `isPartial`: partial counts look like a drop in
 * traffic, or in errors. `infos` are hints about the query, and nothing is amiss. Null: the answer is whole.
 */
function whatIsPartial(body: Record<string, unknown>): string | null {
  if (Array.isArray(body.warnings) && body.warnings.length > 0) return `: ${String(body.warnings[0])}`;
  return body.isPartial === true ? ': some of its storage did not answer (isPartial)' : null;
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
