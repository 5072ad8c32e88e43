import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, type LoopbackServer, listenOnLoopback, sendJson, sendText } from '../loopback.ts';
import { every } from '../ticking.ts';
import { parseExposition, type ScrapedSample } from './exposition.ts';
import { Notifier } from './notifier.ts';
import { instantQuery, rangeQuery } from './query.ts';
import { type ActiveAlert, type AlertRule, RuleState } from './rules.ts';
import { SampleStore } from './samples.ts';
import { QueryProblem } from './selector.ts';

export interface StandInOptions {
  /** To listen on; 0: any free one. */
  readonly port: number;
  /** Pages of metrics, each scraped once an interval. */
  readonly scrapeUrls: readonly string[];
  readonly job: string;
  readonly rules: readonly AlertRule[];
  /** Origin of an Alertmanager; null: alerts are only listed. */
  readonly alertmanagerUrl: string | null;
  /** Between two scrapes, and between two evaluations of the rules. */
  readonly intervalMs: number;
  /** What could not be done, once for each round; the stand-in goes on. */
  readonly onProblem: (problem: string) => void;
}

/** It shares a process with what it scrapes: a moment in which that is busy must not look like a model that is gone. */
const SCRAPE_WITHIN_MS = 3_000;

/**
 * Does what the demo asks of a Prometheus where none is installed: scrapes, remembers a quarter of an hour, answers plain
 * selectors exactly as Prometheus does, and evaluates the demo's rules. Everything else is refused, never answered wrongly.
 */
export async function startStandInPrometheus(options: StandInOptions): Promise<LoopbackServer> {
  const store = new SampleStore();
  const rules = options.rules.map((rule) => new RuleState(rule));
  const server = await listenOnLoopback(options.port, (request, response) =>
    answer({ store, rules }, request, response),
  );
  const notifier = options.alertmanagerUrl ? new Notifier(options.alertmanagerUrl, server.url) : null;
  const stopping = new AbortController();
  const tick = every(
    options.intervalMs,
    async () => {
      const atMs = Date.now();
      const timeoutMs = Math.max(SCRAPE_WITHIN_MS, options.intervalMs);
      const samples = await Promise.all(
        options.scrapeUrls.map((url) =>
          scrape(url, options.job, AbortSignal.any([stopping.signal, AbortSignal.timeout(timeoutMs)])),
        ),
      );
      store.append(atMs, samples.flat());
      const alerts = rules.flatMap((state) =>
        state.evaluate(store, Date.now()).map((alert) => ({ alert, expression: state.rule.expression })),
      );
      await notifier?.send(alerts, Date.now(), stopping.signal);
    },
    (error) => {
      if (!stopping.signal.aborted) options.onProblem(`The stand-in for Prometheus: ${messageOf(error)}`);
    },
  );
  return {
    url: server.url,
    async stop() {
      stopping.abort();
      await tick.stop();
      await server.stop();
    },
  };
}

/** A page that cannot be read is `up` 0 and nothing else: its series end. */
async function scrape(url: string, job: string, signal: AbortSignal): Promise<ScrapedSample[]> {
  const target = { job, instance: new URL(url).host };
  const up = (value: number): ScrapedSample => ({ labels: { ...target, __name__: 'up' }, value });
  try {
    const response = await fetch(url, { signal, headers: { accept: 'text/plain;version=0.0.4' } });
    const text = await response.text();
    if (!response.ok) return [up(0)];
    const samples = parseExposition(text).map(({ labels, value }) => ({ labels: withTarget(labels, target), value }));
    return [up(1), ...samples];
  } catch {
    // Whatever the reason (refused, too slow, not the format): to Prometheus a target is up or it is not.
    return [up(0)];
  }
}

/** A target's own labels win; what the page calls the same is kept under exported_…, as Prometheus does it. */
function withTarget(labels: ScrapedSample['labels'], target: Readonly<Record<string, string>>): Record<string, string> {
  const renamed = Object.entries(labels).map(([name, value]) => [name in target ? `exported_${name}` : name, value]);
  return { ...Object.fromEntries(renamed), ...target };
}

interface Served {
  readonly store: SampleStore;
  readonly rules: readonly RuleState[];
}

async function answer(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const success = (data: unknown) => sendJson(response, 200, { status: 'success', data });
  const isForm = request.method === 'POST';
  if (!isForm && request.method !== 'GET') return sendText(response, 405, 'Method Not Allowed\n');
  try {
    switch (pathname) {
      case '/-/ready':
        return sendText(response, 200, 'Prometheus Server is Ready.\n');
      case '/-/healthy':
        return sendText(response, 200, 'Prometheus Server is Healthy.\n');
      case '/api/v1/query':
      case '/api/v1/query_range': {
        const form = isForm ? new URLSearchParams(await bodyOf(request)) : new URLSearchParams();
        const parameters = new URLSearchParams([...form, ...searchParams]);
        const isRange = pathname.endsWith('_range');
        return success(
          isRange ? rangeQuery(served.store, parameters) : instantQuery(served.store, parameters, Date.now()),
        );
      }
      case '/api/v1/alerts':
        return success({ alerts: served.rules.flatMap((state) => state.active()).map(listed) });
      case '/api/v1/status/buildinfo':
        return success(buildInfo);
      default:
        return sendText(response, 404, '404 page not found\n');
    }
  } catch (error) {
    if (!(error instanceof QueryProblem)) throw error;
    return sendJson(response, 400, { status: 'error', errorType: 'bad_data', error: error.message });
  }
}

const buildInfo = {
  version: '2.42.0-lastgood-stand-in',
  revision: '',
  branch: '',
  buildUser: '',
  buildDate: '',
  goVersion: '',
};

function listed(alert: ActiveAlert): object {
  return {
    labels: alert.labels,
    annotations: alert.annotations,
    state: alert.state,
    activeAt: new Date(alert.activeAtMs).toISOString(),
    // Go's 'e' form has two digits in the exponent.
    value: alert.value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2'),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
