import { join } from 'node:path';
import { startAlertmanager } from './alertmanager/index.ts';
import type { Janitor } from './janitor.ts';
import { freePort } from './loopback.ts';
import { pause } from './pause.ts';
import { findProgram, type Program } from './programs.ts';
import { startPrometheus } from './prometheus/index.ts';
import { alertRules, SERVICE, VERSIONS } from './scenario.ts';
import type { Source } from './snapshot.ts';

export interface MonitoringOptions {
  readonly standIns: boolean;
  readonly directory: string;
  readonly janitor: Janitor;
  readonly scrapeUrls: readonly string[];
  readonly webhookToken: string;
  readonly onProblem: (problem: string) => void;
}

/** Prometheus and Alertmanager: the installed ones, or the stand-ins, each by itself. */
export interface Monitoring {
  /** Where Prometheus will be: Lastgood has to be told before it runs, and Alertmanager needs to know where Lastgood is. */
  readonly prometheusUrl: string;
  /** Starts both; answers what is in use. */
  begin(webhookUrl: string): Promise<readonly Source[]>;
  /** True as soon as a few seconds of the serving version can be read; false where that takes too long or `signal` is aborted. */
  numbersAreIn(signal: AbortSignal): Promise<boolean>;
  stop(): Promise<void>;
}

const INTERVAL_MS = 1_000;
const NUMBERS_WITHIN_MS = 60_000;
/** What the first comparison's past takes. */
const SECONDS_OF_NUMBERS = 5;

export async function startMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const { directory, janitor, onProblem, standIns } = options;
  const find = (...commands: string[]) => (standIns ? Promise.resolve(null) : findProgram(commands));
  const [prometheus, alertmanager, port] = await Promise.all([
    find('prometheus'),
    // Debian's name, then upstream's.
    find('prometheus-alertmanager', 'alertmanager'),
    freePort(),
  ]);
  const prometheusUrl = `http://127.0.0.1:${port}`;
  const running = new AsyncDisposableStack();
  return {
    prometheusUrl,
    async begin(webhookUrl) {
      const alerts = await startAlertmanager({
        program: alertmanager,
        directory: join(directory, 'alertmanager'),
        janitor,
        receiver: { name: 'lastgood', webhookUrl, bearerToken: options.webhookToken },
        groupBy: ['alertname', 'service'],
        groupWaitMs: 1_000,
        groupIntervalMs: 1_000,
        repeatIntervalMs: 3_600_000,
        onProblem,
      });
      running.defer(() => alerts.stop());
      const numbers = await startPrometheus({
        program: prometheus,
        directory: join(directory, 'prometheus'),
        janitor,
        port,
        scrapeUrls: options.scrapeUrls,
        job: 'models',
        rules: alertRules,
        alertmanagerUrl: alerts.url,
        intervalMs: INTERVAL_MS,
        onProblem,
      });
      running.defer(() => numbers.stop());
      return [source('Prometheus', prometheus, numbers.url), source('Alertmanager', alertmanager, alerts.url)];
    },
    numbersAreIn: (signal) => numbersAreIn(prometheusUrl, signal),
    stop: () => running.disposeAsync(),
  };
}

function source(name: Source['name'], program: Program | null, url: string): Source {
  const label = program ? `${name} ${program.version}` : `stand-in for ${name}`;
  return { name, real: program !== null, label, url };
}

async function numbersAreIn(url: string, signal: AbortSignal): Promise<boolean> {
  const endMs = Date.now() + NUMBERS_WITHIN_MS;
  while (!signal.aborted && Date.now() < endMs) {
    if ((await secondsRead(url)) >= SECONDS_OF_NUMBERS) return true;
    await pause(INTERVAL_MS / 4, signal);
  }
  return false;
}

/** For how many of the last seconds there is a number of the version that serves. */
async function secondsRead(url: string): Promise<number> {
  const end = Math.floor(Date.now() / 1000);
  const query = `http_requests_total{service="${SERVICE}",version="${VERSIONS[0]}",code="200"}`;
  const parameters = new URLSearchParams({ query, start: `${end - 30}`, end: `${end}`, step: '1' });
  try {
    const response = await fetch(`${url}/api/v1/query_range?${parameters}`, { signal: AbortSignal.timeout(2_000) });
    const { data } = (await response.json()) as { data?: { result?: readonly { values?: readonly unknown[] }[] } };
    return data?.result?.[0]?.values?.length ?? 0;
  } catch {
    // Not yet listening, or too busy: asked again in a moment.
    return 0;
  }
}
