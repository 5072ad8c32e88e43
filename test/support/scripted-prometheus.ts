import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How much a version is asked and how often it fails at a moment; what `http_requests_total` is made of. */
export interface Traffic {
  requestsPerSecond(version: string, atMs: number): number;
  errorShare(version: string, atMs: number): number;
}

export interface ScriptedPrometheus {
  readonly url: string;
  /** Answers 503 to everything, as while it is down. */
  down: boolean;
  stop(): Promise<void>;
}

/**
 * Answers query_range for `http_requests_total{service,version,code}` from a script instead of from scrapes, so that a story can be
 * told on a virtual clock. Anything else is refused as Prometheus refuses it.
 */
export async function startScriptedPrometheus(traffic: Traffic, beginMs: number): Promise<ScriptedPrometheus> {
  const counters = new Counters(traffic, beginMs);
  const state = { down: false };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = state.down
        ? { status: 503, body: 'down' }
        : respond(counters, new URL(request.url ?? '/', 'http://localhost'), Buffer.concat(chunks).toString());
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get down() {
      return state.down;
    },
    set down(value: boolean) {
      state.down = value;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Counters as sums over whole seconds, remembered as far as they were asked for. */
class Counters {
  readonly #traffic: Traffic;
  readonly #beginMs: number;
  readonly #sums = new Map<string, { good: number[]; bad: number[] }>();

  constructor(traffic: Traffic, beginMs: number) {
    this.#traffic = traffic;
    this.#beginMs = beginMs;
  }

  at(version: string, code: '200' | '500', atMs: number): number | null {
    const second = Math.floor((atMs - this.#beginMs) / 1000);
    if (second < 0) return null;
    let sums = this.#sums.get(version);
    if (!sums) {
      sums = { good: [0], bad: [0] };
      this.#sums.set(version, sums);
    }
    for (let s = sums.good.length; s <= second; s += 1) {
      const moment = this.#beginMs + s * 1000;
      const requests = this.#traffic.requestsPerSecond(version, moment);
      const bad = requests * this.#traffic.errorShare(version, moment);
      sums.good.push((sums.good[s - 1] ?? 0) + requests - bad);
      sums.bad.push((sums.bad[s - 1] ?? 0) + bad);
    }
    return (code === '200' ? sums.good : sums.bad)[second] ?? null;
  }
}

function respond(counters: Counters, url: URL, body: string): { status: number; body: unknown } {
  const form = new URLSearchParams(body);
  const ask = (name: string) => form.get(name) ?? url.searchParams.get(name);
  if (url.pathname !== '/api/v1/query_range') return { status: 200, body: { status: 'success', data: {} } };
  const selector = /^http_requests_total\{(.*)\}$/.exec(ask('query') ?? '');
  if (!selector) return bad(`unknown query ${ask('query')}`);
  const labels = Object.fromEntries(
    [...(selector[1] ?? '').matchAll(/(\w+)(=~?)"([^"]*)"/g)].map((m) => [m[1], { operator: m[2], value: m[3] ?? '' }]),
  );
  // Both arms may be asked for in one query: `version=~"v41|v42"`.
  const versions: string[] = labels.version?.value.split('|') ?? [];
  if (versions.length === 0) return bad('a version is needed');
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(ask(name)?.replace(/s$/, '')));
  if (![start, end, step].every((n) => Number.isFinite(n)) || !step || start! > end!)
    return bad('invalid parameter "start", "end" or "step"');
  const codes = (['200', '500'] as const).filter(
    (code) => !labels.code || new RegExp(`^(?:${labels.code.value})$`).test(code),
  );
  const result = versions.flatMap((version) =>
    codes.flatMap((code) => {
      const values: [number, string][] = [];
      for (let at = start!; at <= end!; at += step!) {
        const value = counters.at(version, code, at * 1000);
        if (value !== null && value > 0) values.push([at, String(value)]);
      }
      return values.length === 0
        ? []
        : [{ metric: { __name__: 'http_requests_total', service: 'fraud-scorer', version, code }, values }];
    }),
  );
  return { status: 200, body: { status: 'success', data: { resultType: 'matrix', result } } };
}

function bad(error: string) {
  return { status: 400, body: { status: 'error', errorType: 'bad_data', error } };
}
