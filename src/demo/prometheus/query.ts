import { readRange, readTime } from './parameters.ts';
import { keyOf, type Labels, type SampleStore, valueAt } from './samples.ts';
import { type Expression, parseExpression, QueryProblem } from './selector.ts';

/** `data` of a successful answer, in Prometheus' form. */
export interface QueryData {
  readonly resultType: 'vector' | 'matrix';
  readonly result: readonly unknown[];
}

/** Answers /api/v1/query. Throws QueryProblem. */
export function instantQuery(store: SampleStore, parameters: URLSearchParams, nowMs: number): QueryData {
  const timeMs = readTime(parameters, 'time', nowMs);
  const result = seriesOf(store, readQuery(parameters)).flatMap(({ labels, at }) => {
    const value = at(timeMs);
    return value === null ? [] : [{ metric: labels, value: [timeMs / 1000, formatValue(value)] }];
  });
  return { resultType: 'vector', result };
}

/** Answers /api/v1/query_range: a value at every step that has one; gaps are left out. Throws QueryProblem. */
export function rangeQuery(store: SampleStore, parameters: URLSearchParams): QueryData {
  const { startMs, endMs, stepMs } = readRange(parameters);
  const result = seriesOf(store, readQuery(parameters)).flatMap(({ labels, at }) => {
    const values: [number, string][] = [];
    for (let timeMs = startMs; timeMs <= endMs; timeMs += stepMs) {
      const value = at(timeMs);
      if (value !== null) values.push([timeMs / 1000, formatValue(value)]);
    }
    return values.length === 0 ? [] : [{ metric: labels, values }];
  });
  return { resultType: 'matrix', result };
}

function readQuery(parameters: URLSearchParams): Expression {
  try {
    return parseExpression(parameters.get('query') ?? '');
  } catch (error) {
    if (!(error instanceof QueryProblem)) throw error;
    throw new QueryProblem(`invalid parameter "query": ${error.message}`);
  }
}

interface Evaluated {
  readonly labels: Labels;
  readonly at: (timeMs: number) => number | null;
}

function seriesOf(store: SampleStore, expression: Expression): Evaluated[] {
  if (expression.kind === 'constant') return [{ labels: {}, at: () => expression.value }];
  return store.select(expression.matchers).map((series) => ({
    labels: sorted(series.labels),
    at: (timeMs) => valueAt(series, timeMs),
  }));
}

/** Prometheus writes labels in the order of their names. */
function sorted(labels: Labels): Labels {
  return Object.fromEntries(JSON.parse(keyOf(labels)) as [string, string][]);
}

/** A sample's value as Prometheus writes it: a text; like JavaScript's, but Go gives an exponent two digits at least. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}
