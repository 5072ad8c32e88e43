import { join } from 'node:path';
import { startAlertmanager } from './alertmanager/index.ts';
import type { Janitor } from './janitor.ts';
import type { LoopbackServer } from './loopback.ts';
import { pause } from './pause.ts';
import { findProgram, type Program } from './programs.ts';
import { startPrometheus } from './prometheus/index.ts';
import { alertRules, JOB } from './rules.ts';
import { SERVICE, VERSIONS } from './scenario.ts';
import { startAlertmanagerInDemoTime, startWebhookInDemoTime } from './time/alert-times.ts';
import type { DemoClock } from './time/demo-clock.ts';
import { startPrometheusInDemoTime } from './time/prometheus-times.ts';
import type { Source } from './world/types.ts';

export interface MonitoringOptions {
  readonly standIns: boolean;
  readonly directory: string;
  readonly janitor: Janitor;
  readonly scrapeUrls: readonly string[];
  readonly webhookToken: string;
  /** Of Lastgood. Prometheus and Alertmanager have the wall's, and are seen through a translation. */
  readonly clock: DemoClock;
  readonly onProblem: (problem: string) => void;
}

/** Prometheus and Alertmanager: the installed ones, or the stand-ins, each by itself. */
export interface Monitoring {
  /** Where both are seen in the demo's time. */
  readonly prometheusUrl: string;
  readonly alertmanagerUrl: string;
  /** Which are in use. */
  readonly sources: readonly Source[];
  /** From now on Lastgood is told of alerts, at its origin; until then Alertmanager tries again and again. */
  connect(lastgoodUrl: string): void;
  /**
   * True as soon as so many seconds of the demo can be read of the serving version (5 unless given); false where that takes too long
   * or `signal` is aborted.
   */
  numbersAreIn(signal: AbortSignal, leastSeconds?: number): Promise<boolean>;
  stop(): Promise<void>;
}

/** Of the wall. Short enough that at three times the speed every second of the demo still has a scrape. */
const INTERVAL_MS = 300;
const NUMBERS_WITHIN_MS = 90_000;
/** What the first comparison's past takes. */
const SECONDS_OF_NUMBERS = 5;

/** Starts both, seen in the demo's time through a translation each. */
export async function startMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const { directory, janitor, onProblem, standIns, clock } = options;
  const find = (...commands: string[]) => (standIns ? Promise.resolve(null) : findProgram(commands));
  const [prometheus, alertmanager] = await Promise.all([
    find('prometheus'),
    // Debian's name, then upstream's.
    find('prometheus-alertmanager', 'alertmanager'),
  ]);
  await using begun = new AsyncDisposableStack();
  const keep = async (starting: Promise<LoopbackServer>) => {
    const server = await starting;
    begun.defer(() => server.stop());
    return server.url;
  };
  let lastgoodUrl: string | null = null;
  const webhookOrigin = await keep(startWebhookInDemoTime(() => lastgoodUrl, clock));
  const alertsUrl = await keep(
    startAlertmanager({
      program: alertmanager,
      directory: join(directory, 'alertmanager'),
      janitor,
      receiver: {
        name: 'lastgood',
        webhookUrl: `${webhookOrigin}/webhooks/alertmanager`,
        bearerToken: options.webhookToken,
      },
      groupBy: ['alertname', 'service'],
      groupWaitMs: INTERVAL_MS,
      groupIntervalMs: INTERVAL_MS,
      repeatIntervalMs: 3_600_000,
      onProblem,
    }),
  );
  const numbersUrl = await keep(
    startPrometheus({
      program: prometheus,
      directory: join(directory, 'prometheus'),
      janitor,
      port: 0,
      scrapeUrls: options.scrapeUrls,
      job: JOB,
      rules: alertRules,
      alertmanagerUrl: alertsUrl,
      intervalMs: INTERVAL_MS,
      onProblem,
    }),
  );
  const prometheusUrl = await keep(startPrometheusInDemoTime(() => numbersUrl, clock));
  const alertmanagerUrl = await keep(startAlertmanagerInDemoTime(() => alertsUrl, clock));
  const running = begun.move();
  return {
    prometheusUrl,
    alertmanagerUrl,
    sources: [source('Prometheus', prometheus, numbersUrl), source('Alertmanager', alertmanager, alertsUrl)],
    connect(url) {
      lastgoodUrl = url;
    },
    numbersAreIn: (signal, leastSeconds = SECONDS_OF_NUMBERS) =>
      numbersAreIn({ url: prometheusUrl, clock, leastSeconds }, signal),
    stop: () => running.disposeAsync(),
  };
}

function source(name: Source['name'], program: Program | null, url: string): Source {
  const label = program ? `${name} ${program.version}` : `stand-in for ${name}`;
  return { name, real: program !== null, label, url };
}

interface Numbers {
  readonly url: string;
  readonly clock: DemoClock;
  readonly leastSeconds: number;
}

async function numbersAreIn(numbers: Numbers, signal: AbortSignal): Promise<boolean> {
  const endMs = Date.now() + NUMBERS_WITHIN_MS;
  while (!signal.aborted && Date.now() < endMs) {
    if ((await secondsRead(numbers)) >= numbers.leastSeconds) return true;
    await pause(INTERVAL_MS, signal);
  }
  return false;
}

/** For how many of the last seconds there is a number of the version that serves. */
async function secondsRead({ url, clock, leastSeconds }: Numbers): Promise<number> {
  const end = Math.floor(clock.now() / 1000);
  const query = `http_requests_total{service="${SERVICE}",version="${VERSIONS[0]}",code="200"}`;
  const start = end - leastSeconds - 5;
  const parameters = new URLSearchParams({ query, start: `${start}`, end: `${end}`, step: '1' });
  try {
    const response = await fetch(`${url}/api/v1/query_range?${parameters}`, { signal: AbortSignal.timeout(2_000) });
    const { data } = (await response.json()) as { data?: { result?: readonly { values?: readonly unknown[] }[] } };
    return data?.result?.[0]?.values?.length ?? 0;
  } catch {
    // Not yet listening, or too busy: asked again in a moment.
    return 0;
  }
}
