import type { MetricKind } from '../analysis/types.ts';
import type { Endpoint, Policy } from '../domain/policy.ts';
import { createHttp } from '../outbound/http.ts';
import type { Measure, Measured } from '../policies/index.ts';
import { type PrometheusApi, prometheusApi } from '../sources/prometheus-api.ts';
import { fillForWholeService } from '../sources/promql.ts';
import { CELLS } from '../sources/selectors.ts';

const timeoutMs = 15_000;
/** A day, so that nights count as they do. */
const range = '1d';

/** Reads the real traffic of a policy's metrics, and how much of it is bad, from its Prometheus. `close` when done. */
export function createMeasure(fallback: Endpoint | null): { readonly measure: Measure; close(): void } {
  const http = createHttp();
  const measure: Measure = async (policy) => {
    const endpoint = policy.prometheus ?? fallback;
    if (endpoint === null)
      return { metrics: [], problem: 'PROMETHEUS_URL is not set, and the policy has no prometheus' };
    const api = prometheusApi(http, endpoint, timeoutMs);
    const metrics: Measured[] = [];
    for (const { source } of policy.metrics) {
      const found = await measured(api, source, policy);
      if (typeof found === 'string') return { metrics, problem: found };
      metrics.push(found);
    }
    return { metrics, problem: null };
  };
  return { measure, close: () => http.close() };
}

/** A sentence where Prometheus could not be read. */
async function measured(api: PrometheusApi, source: MetricKind, policy: Policy): Promise<Measured | string> {
  const counts = countsOf(source);
  const [all, bad, good] = [counts.all, counts.bad, counts.good].map((terms) => perSecond(terms ?? [], policy));
  if (!all) return { traffic: null, expected: null };
  const traffic = await numberOf(api, all);
  if (typeof traffic === 'string') return traffic;
  const part = bad ?? good;
  if (!part || traffic === null) return { traffic, expected: null };
  const events = await numberOf(api, part);
  if (typeof events === 'string') return events;
  // No series of errors is no errors; no series of what went right says nothing.
  if (events === null && bad === null) return { traffic, expected: null };
  const share = (events ?? 0) / traffic;
  return { traffic, expected: bad === null ? 1 - share : share };
}

interface Term {
  readonly selector: string;
  readonly weight: number;
}

/** The counters of the denominator, and of what is bad or good of it. */
function countsOf(source: MetricKind): {
  readonly all?: readonly Term[];
  readonly bad?: readonly Term[];
  readonly good?: readonly Term[];
} {
  const one = (selector: string | null) => (selector === null ? undefined : [{ selector, weight: 1 }]);
  switch (source.kind) {
    case 'proportion':
    case 'objective':
      return { all: one(source.total), bad: one(source.bad), good: one(source.good) };
    case 'rate':
      return { all: one(source.per), bad: one(source.events) };
    case 'latency': {
      // The bucket of everything; a native histogram has no buckets to choose from and is left to the policy.
      const at = source.buckets.lastIndexOf('}');
      const everything = at < 0 ? `${source.buckets}{le="+Inf"}` : `${source.buckets.slice(0, at)},le="+Inf"}`;
      return { all: one(everything.replace('{,', '{')) };
    }
    case 'labelled': {
      const terms = CELLS[source.measure].flatMap(({ cell, wrong, all }) => {
        const selector = source[cell];
        return selector === null ? [] : [{ selector, wrong, all }];
      });
      return {
        all: terms.map(({ selector, all }) => ({ selector, weight: all })),
        bad: terms.filter(({ wrong }) => wrong > 0).map(({ selector, wrong }) => ({ selector, weight: wrong })),
      };
    }
    default:
      return {};
  }
}

/** Null: there is nothing to read, or not for the whole service. A counter that is absent counts as none where another is there. */
function perSecond(terms: readonly Term[], policy: Policy): string | null {
  const parts: string[] = [];
  for (const { selector, weight } of terms) {
    const whole = fillForWholeService(selector, { version: '', arm: 'stable', service: policy.service });
    if (whole === null) return null;
    parts.push(`label_replace(${weight} * sum(rate(${whole}[${range}])), "term", "${parts.length}", "", "")`);
  }
  return parts.length === 0 ? null : `sum(${parts.join(' or ')})`;
}

/** Null: no series, or no number. */
async function numberOf(api: PrometheusApi, query: string): Promise<number | string | null> {
  const answer = await api.query(query);
  if (!answer.ok) return answer.problem;
  const { result } = answer.value as { result?: readonly { readonly value?: readonly [number, string] }[] };
  const value = Number(Array.isArray(result) ? result[0]?.value?.[1] : Number.NaN);
  return Number.isFinite(value) && value > 0 ? value : null;
}
