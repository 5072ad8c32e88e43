import type { LoopbackServer } from '../loopback.ts';
import { readRange, readTime } from '../prometheus/parameters.ts';
import { QueryProblem } from '../prometheus/selector.ts';
import type { ClockStretch, DemoClock } from './demo-clock.ts';
import { type Forwarded, type ForwardedAnswer, type Origin, passOn, startForwarder } from './forward.ts';
import { answerInDemoTime, rewritten } from './moments.ts';

const WITHIN_MS = 5_000;
/**
 * Points of one query behind the translation. Prometheus steps in whole milliseconds; a third of a second is none, and after this
 * many points the grid begins anew, so that it is never more than ten milliseconds beside the moment that was asked for.
 */
const MOST_POINTS = 30;
const JSON_TYPE = 'application/json';

/** A part of a grid of moments that lies in one stretch of the clock: point `i` is at `startMs + i * stepMs` of the wall. */
export interface GridPart {
  readonly startMs: number;
  readonly stepMs: number;
  readonly demoStartMs: number;
  readonly points: number;
}

/**
 * Prometheus as Lastgood sees it: moments asked for and moments of samples are the demo's. Durations inside a query (`[5m]`,
 * `offset 1h`) stay what they are in Prometheus: the wall's.
 */
export function startPrometheusInDemoTime(origin: Origin, clock: DemoClock): Promise<LoopbackServer> {
  return startForwarder(async (request) => {
    const { pathname } = new URL(request.path, 'http://localhost');
    try {
      if (pathname === '/api/v1/query_range') return await range(origin, request, clock);
      if (pathname === '/api/v1/query') return await instant(origin, request, clock);
    } catch (error) {
      if (!(error instanceof QueryProblem)) throw error;
      const body = JSON.stringify({ status: 'error', errorType: 'bad_data', error: error.message });
      return { status: 400, type: JSON_TYPE, body };
    }
    const answer = await passOn(origin, request, AbortSignal.timeout(WITHIN_MS));
    return { ...answer, body: answerInDemoTime(answer.body, clock) };
  });
}

async function instant(origin: Origin, request: Forwarded, clock: DemoClock): Promise<ForwardedAnswer> {
  const parameters = parametersOf(request);
  if (parameters.get('time')) {
    parameters.set('time', seconds(clock.toWall(readTime(parameters, 'time', null))));
  }
  const answer = await ask(origin, '/api/v1/query', request, parameters);
  return {
    ...answer,
    body: rewritten(answer.body, (value) => mapSamples(value, (s) => clock.toDemo(s * 1000) / 1000)),
  };
}

async function range(origin: Origin, request: Forwarded, clock: DemoClock): Promise<ForwardedAnswer> {
  const parameters = parametersOf(request);
  const { startMs, endMs, stepMs } = readRange(parameters);
  const parts = gridParts({ startMs, endMs, stepMs }, clock.stretches());
  const found = new Map<string, { metric: unknown; values: unknown[] }>();
  let last: ForwardedAnswer | null = null;
  for (const part of parts) {
    const wanted = new URLSearchParams(parameters);
    wanted.set('start', seconds(part.startMs));
    wanted.set('end', seconds(part.startMs + (part.points - 1) * part.stepMs));
    wanted.set('step', seconds(part.stepMs));
    const answer = await ask(origin, '/api/v1/query_range', request, wanted);
    const body = parsed(answer.body);
    if (!isMatrix(body)) return answer;
    last = answer;
    for (const { metric, values } of body.data.result) {
      const key = JSON.stringify(metric);
      const series = found.get(key) ?? { metric, values: [] };
      found.set(key, series);
      for (const [atSeconds, value] of values) {
        const index = Math.round((atSeconds * 1000 - part.startMs) / part.stepMs);
        series.values.push([Math.round(part.demoStartMs + index * stepMs) / 1000, value]);
      }
    }
  }
  const body = JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [...found.values()] } });
  return { status: last?.status ?? 200, type: last?.type ?? JSON_TYPE, body };
}

/** The grid of the demo's moments, cut where the clock's factor changes and after `most` points. Steps are whole milliseconds. */
export function gridParts(
  grid: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
  stretches: readonly ClockStretch[],
  most = MOST_POINTS,
): GridPart[] {
  const parts: GridPart[] = [];
  const points = Math.floor((grid.endMs - grid.startMs) / grid.stepMs) + 1;
  const stretchOf = (index: number) => {
    const demoMs = grid.startMs + index * grid.stepMs;
    return Math.max(
      0,
      stretches.findLastIndex((one) => one.demoMs <= demoMs),
    );
  };
  for (let from = 0; from < points; ) {
    const at = stretchOf(from);
    const stretch = stretches[at] ?? { wallMs: 0, demoMs: 0, factor: 1 };
    let to = from + 1;
    while (to < points && to - from < most && stretchOf(to) === at) to += 1;
    const demoStartMs = grid.startMs + from * grid.stepMs;
    parts.push({
      startMs: Math.round(stretch.wallMs + (demoStartMs - stretch.demoMs) / stretch.factor),
      stepMs: Math.max(1, Math.round(grid.stepMs / stretch.factor)),
      demoStartMs,
      points: to - from,
    });
    from = to;
  }
  return parts;
}

function parametersOf(request: Forwarded): URLSearchParams {
  const { searchParams } = new URL(request.path, 'http://localhost');
  const form = request.method === 'POST' ? new URLSearchParams(request.body) : new URLSearchParams();
  return new URLSearchParams([...form, ...searchParams]);
}

function ask(origin: Origin, path: string, request: Forwarded, parameters: URLSearchParams): Promise<ForwardedAnswer> {
  const headers = { ...request.headers, 'content-type': 'application/x-www-form-urlencoded' };
  const sent = { method: 'POST', path, headers, body: parameters.toString() };
  return passOn(origin, sent, AbortSignal.timeout(WITHIN_MS));
}

/** Vectors, and the scalars and texts that stand alone. */
function mapSamples(body: unknown, toDemo: (atSeconds: number) => number): unknown {
  if (!isRecord(body) || !isRecord(body.data)) return body;
  const move = (sample: unknown) => (Array.isArray(sample) ? [toDemo(Number(sample[0])), ...sample.slice(1)] : sample);
  const { resultType, result } = body.data;
  if (!Array.isArray(result)) return body;
  const isAlone = resultType === 'scalar' || resultType === 'string';
  const moved = isAlone
    ? move(result)
    : result.map((one) => {
        if (!isRecord(one)) return one;
        return {
          ...one,
          ...('value' in one ? { value: move(one.value) } : {}),
          ...(Array.isArray(one.values) ? { values: one.values.map(move) } : {}),
        };
      });
  return { ...body, data: { ...body.data, result: moved } };
}

interface Matrix {
  readonly data: {
    readonly result: readonly { readonly metric: unknown; readonly values: readonly (readonly [number, string])[] }[];
  };
}

function isMatrix(body: unknown): body is Matrix {
  if (!isRecord(body) || body.status !== 'success' || !isRecord(body.data) || !Array.isArray(body.data.result))
    return false;
  return body.data.result.every((one) => isRecord(one) && Array.isArray(one.values));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function seconds(ms: number): string {
  return String(Math.round(ms) / 1000);
}
