import type { Http } from '../../src/outbound/http.ts';
import { matrix } from './fake-prometheus.ts';

/** A strict evaluator of plain selectors over written series: what Prometheus does with them, and nothing else. */

export interface Stored {
  readonly labels: Readonly<Record<string, string>>;
  /** Rising times; a value as Prometheus writes it, null for the marker of a series that has ended. */
  readonly samples: readonly (readonly [ms: number, value: string | null])[];
  /** Native histograms: the count of their one bucket. */
  readonly histograms?: boolean;
}

export interface Evaluator {
  readonly http: Http;
  readonly asked: { readonly query: string; readonly startMs: number; readonly endMs: number }[];
  /** Told before each answer; what it gives is answered instead. */
  intercept: (query: string, signal: AbortSignal | undefined) => Promise<{ status: number; body: object } | null>;
}

const LOOKBACK_MS = 300_000;
const GRAMMAR = /^([a-z_]+)\{(.*)\}$/s;
const MATCHER = /^([a-z_]+)(=~|!=|!~|=)("(?:[^"\\\n]|\\.)*")(,|$)/s;

export function evaluator(stored: () => readonly Stored[]): Evaluator {
  const it: Evaluator = {
    asked: [],
    intercept: () => Promise.resolve(null),
    http: {
      async request({ body }, signal) {
        const form = new URLSearchParams(String(body));
        const query = form.get('query') ?? '';
        const [startMs = 0, endMs = 0, stepMs = 1] = ['start', 'end', 'step'].map((n) =>
          Math.round(Number(form.get(n)) * 1000),
        );
        it.asked.push({ query, startMs, endMs });
        const instead = await it.intercept(query, signal);
        if (instead !== null) return { status: instead.status, headers: {}, body: JSON.stringify(instead.body) };
        if (signal?.aborted) throw new Error('called off');
        const selects = selection(query);
        if (selects === null) return { status: 400, headers: {}, body: '{"status":"error","error":"parse error"}' };
        const result = stored()
          .filter(({ labels }) => selects(labels))
          .toSorted((a, b) => compare(a.labels, b.labels))
          .flatMap((series) => rangeOf(series, startMs, endMs, stepMs));
        return { status: 200, headers: {}, body: matrix(result) };
      },
    },
  };
  return it;
}

function selection(query: string): ((labels: Stored['labels']) => boolean) | null {
  const [, name, inside = ''] = GRAMMAR.exec(query) ?? [];
  if (name === undefined) return null;
  const tests: ((labels: Stored['labels']) => boolean)[] = [(labels) => labels.__name__ === name];
  for (let rest = inside; rest !== ''; ) {
    const found = MATCHER.exec(rest);
    if (found === null) return null;
    const [whole, label = '', operator, quoted = '""'] = found;
    // Go's strings of the subset are JSON's.
    const value = JSON.parse(quoted) as string;
    const pattern = operator === '=~' || operator === '!~' ? new RegExp(`^(?:${value})$`, 'su') : null;
    const isEqual = (text: string) => (pattern === null ? text === value : pattern.test(text));
    tests.push((labels) => isEqual(labels[label] ?? '') === (operator === '=' || operator === '=~'));
    rest = rest.slice(whole.length);
  }
  return (labels) => tests.every((test) => test(labels));
}

function rangeOf({ labels, samples, histograms }: Stored, startMs: number, endMs: number, stepMs: number): object[] {
  const points: [number, unknown][] = [];
  for (let ms = startMs; ms <= endMs; ms += stepMs) {
    const last = samples.findLast(([at]) => at <= ms && at > ms - LOOKBACK_MS);
    if (last === undefined || last[1] === null) continue;
    const native = { count: last[1], sum: '1', buckets: [[0, '1', '2', last[1]]] };
    points.push([ms / 1000, histograms === true ? native : last[1]]);
  }
  if (points.length === 0) return [];
  return [{ metric: labels, ...(histograms === true ? { histograms: points } : { values: points }) }];
}

/** As Prometheus sorts them: by name and value, one label after the other. */
function compare(a: Stored['labels'], b: Stored['labels']): number {
  const [left, right] = [a, b].map((labels) =>
    JSON.stringify(Object.entries(labels).sort(([x], [y]) => (x < y ? -1 : 1))),
  );
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
