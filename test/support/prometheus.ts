import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, freePort, runServer } from './servers.ts';

/** Debian's `prometheus`; null where it is not installed: skip what needs it, and say so. */
export const prometheusPath: string | null = findProgram('prometheus');

export interface ScrapeTarget {
  /** Of the metrics page: `http://127.0.0.1:1234/metrics`; `/metrics` may be left out. */
  readonly url: string;
  readonly job?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PrometheusRun {
  readonly scrapeTargets: readonly (string | ScrapeTarget)[];
  /** Content of a rules file: YAML text, or an object with `groups`. */
  readonly rules?: string | object;
  /** Where firing alerts go: `http://127.0.0.1:9093`. */
  readonly alertmanagerUrl?: string;
  readonly scrapeIntervalMs: number;
  readonly evaluationIntervalMs: number;
  /** Further arguments: `--enable-feature=native-histograms`. */
  readonly args?: readonly string[];
}

export interface RunningPrometheus {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a real Prometheus on a free port of loopback, with its own data directory, and waits until it is ready. */
export async function startPrometheus(run: PrometheusRun): Promise<RunningPrometheus> {
  if (prometheusPath === null) throw new Error('prometheus is not installed.');
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-prometheus-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  if (run.rules !== undefined) {
    const text = typeof run.rules === 'string' ? run.rules : JSON.stringify(run.rules);
    await writeFile(join(directory, 'rules.yml'), text);
  }
  // JSON is YAML.
  await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(configOf(run)));
  try {
    const server = await runServer({
      program: prometheusPath,
      args: [
        '--config.file=prometheus.yml',
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
        ...(run.args ?? []),
      ],
      cwd: directory,
      readyUrl: `${url}/-/ready`,
    });
    return {
      url,
      stop: async () => {
        await server.stop();
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

function configOf(run: PrometheusRun): object {
  const targets = run.scrapeTargets.map((t) => (typeof t === 'string' ? { url: t } : t));
  return {
    global: {
      scrape_interval: `${run.scrapeIntervalMs}ms`,
      scrape_timeout: `${run.scrapeIntervalMs}ms`,
      evaluation_interval: `${run.evaluationIntervalMs}ms`,
    },
    ...(run.rules === undefined ? {} : { rule_files: ['rules.yml'] }),
    ...(run.alertmanagerUrl === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(run.alertmanagerUrl).host] }] }] } }),
    scrape_configs: targets.map((target: ScrapeTarget, i) => {
      const url = new URL(target.url.includes('://') ? target.url : `http://${target.url}`);
      return {
        job_name: target.job === undefined ? `target-${i}` : `${target.job}-${i}`,
        metrics_path: url.pathname === '/' ? '/metrics' : url.pathname,
        scheme: url.protocol.replace(':', ''),
        static_configs: [
          {
            targets: [url.host],
            labels: { ...(target.job === undefined ? {} : { job: target.job }), ...target.labels },
          },
        ],
      };
    }),
  };
}
