import { join } from 'node:path';
import { startAlertmanager } from './alertmanager/index.ts';
import type { Janitor } from './janitor.ts';
import type { LoopbackServer } from './loopback.ts';
import { pause } from './pause.ts';
import { findProgram, type Program } from './programs.ts';
import { startPrometheus } from './prometheus/index.ts';
import { alertRules, JOB } from './rules.ts';
import { SERVICE, VERSIONS } from './scenario.ts';
import type { Source } from './snapshot.ts';
import { startAlertmanagerInDemoTime, startWebhookInDemoTime } from './time/alert-times.ts';
import type { DemoClock } from './time/demo-clock.ts';
import { startPrometheusInDemoTime } from './time/prometheus-times.ts';

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
  /** Where both are seen in the demo's time. Known before they run: Alertmanager needs to know where Lastgood is. */
  readonly prometheusUrl: string;
  readonly alertmanagerUrl: string;
  /** Starts both; answers what is in use. */
  begin(webhookUrl: string): Promise<readonly Source[]>;
  /**
   * True as soon as so many seconds of the demo can be read of the serving version (5 unless given); false where that takes too long
   * or `signal` is aborted.
   */
  numbersAreIn(signal: AbortSignal, leastSeconds?: number): Promise<boolean>;
  stop(): Promise<void>;
}

/** Of the wall. Four scrapes a second: at three times the speed a second of the demo still has one. */
const INTERVAL_MS = 250;
const NUMBERS_WITHIN_MS = 90_000;
/** What the first comparison's past takes. */
const SECONDS_OF_NUMBERS = 5;

export async function startMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const { directory, janitor, onProblem, standIns, clock } = options;
  const find = (...commands: string[]) => (standIns ? Promise.resolve(null) : findProgram(commands));
  const [prometheus, alertmanager] = await Promise.all([
    find('prometheus'),
    // Debian's name, then upstream's.
    find('prometheus-alertmanager', 'alertmanager'),
  ]);
  await using begun = new AsyncDisposableStack();
  const keep = <Server extends LoopbackServer>(server: Server) => begun.adopt(server, () => server.stop());
  const origins: { prometheus: string | null; alertmanager: string | null } = { prometheus: null, alertmanager: null };
  const translated = {
    prometheus: keep(await startPrometheusInDemoTime(() => origins.prometheus, clock)).url,
    alertmanager: keep(await startAlertmanagerInDemoTime(() => origins.alertmanager, clock)).url,
  };
  const running = begun.move();
  return {
    prometheusUrl: translated.prometheus,
    alertmanagerUrl: translated.alertmanager,
    async begin(webhookUrl) {
      const webhook = await startWebhookInDemoTime(webhookUrl, clock);
      running.defer(() => webhook.stop());
      const alerts = await startAlertmanager({
        program: alertmanager,
        directory: join(directory, 'alertmanager'),
        janitor,
        receiver: { name: 'lastgood', webhookUrl: webhook.url, bearerToken: options.webhookToken },
        groupBy: ['alertname', 'service'],
        groupWaitMs: INTERVAL_MS,
        groupIntervalMs: INTERVAL_MS,
        repeatIntervalMs: 3_600_000,
        onProblem,
      });
      running.defer(() => alerts.stop());
      origins.alertmanager = alerts.url;
      const numbers = await startPrometheus({
        program: prometheus,
        directory: join(directory, 'prometheus'),
        janitor,
        port: 0,
        scrapeUrls: options.scrapeUrls,
        job: JOB,
        rules: alertRules,
        alertmanagerUrl: alerts.url,
        intervalMs: INTERVAL_MS,
        onProblem,
      });
      running.defer(() => numbers.stop());
      origins.prometheus = numbers.url;
      return [source('Prometheus', prometheus, numbers.url), source('Alertmanager', alertmanager, alerts.url)];
    },
    numbersAreIn: (signal, leastSeconds = SECONDS_OF_NUMBERS) =>
      numbersAreIn({ url: translated.prometheus, clock, leastSeconds }, signal),
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
