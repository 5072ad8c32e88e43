import { QueryProblem } from './selector.ts';

/** The parameters of a query, read and refused as Prometheus does. Moments in Unix milliseconds. */

const MOST_POINTS = 11_000;

export function readTime(parameters: URLSearchParams, name: string, otherwiseMs: number | null): number {
  const text = parameters.get(name) ?? '';
  if (text === '' && otherwiseMs !== null) return otherwiseMs;
  const ms = /^-?\d+(\.\d+)?(e\d+)?$/i.test(text) ? Number(text) * 1000 : parseRfc3339(text);
  if (Number.isFinite(ms)) return Math.round(ms);
  const detail = `cannot parse "${text}" to a valid timestamp`;
  // The time of an instant query is named twice, as Prometheus names it.
  throw new QueryProblem(
    `invalid parameter "${name}": ${name === 'time' ? `Invalid time value for 'time': ${detail}` : detail}`,
  );
}

export function readRange(parameters: URLSearchParams): { startMs: number; endMs: number; stepMs: number } {
  const startMs = readTime(parameters, 'start', null);
  const endMs = readTime(parameters, 'end', null);
  if (endMs < startMs) {
    throw new QueryProblem('invalid parameter "end": end timestamp must not be before start time');
  }
  const text = parameters.get('step') ?? '';
  const stepMs = readDuration(text);
  if (stepMs === null) {
    throw new QueryProblem(`invalid parameter "step": cannot parse "${text}" to a valid duration`);
  }
  if (stepMs <= 0) {
    throw new QueryProblem(
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  if ((endMs - startMs) / stepMs > MOST_POINTS) {
    throw new QueryProblem(
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  }
  return { startMs, endMs, stepMs };
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** Seconds as a number, or Prometheus' durations such as 1m30s; null where it is neither. */
function readDuration(text: string): number | null {
  if (/^-?\d+(\.\d+)?(e-?\d+)?$/i.test(text)) return Math.round(Number(text) * 1000);
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h|d|w|y)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) return null;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0);
}

function parseRfc3339(text: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
}
