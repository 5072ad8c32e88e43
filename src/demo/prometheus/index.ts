import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Janitor } from '../janitor.ts';
import { freePort, type LoopbackServer } from '../loopback.ts';
import { type Program, runProgram } from '../programs.ts';
import type { AlertRule } from './rules.ts';
import { type StandInOptions, startStandInPrometheus } from './stand-in.ts';

export type { AlertRule } from './rules.ts';

export interface PrometheusOptions extends StandInOptions {
  /** The real one, where it is installed and wanted; null: the stand-in. */
  readonly program: Program | null;
  /** Where the real one keeps its files. */
  readonly directory: string;
  readonly janitor: Janitor;
}

/** Scrapes the lab and evaluates the rules each second, with the real Prometheus or the stand-in. */
export async function startPrometheus(options: PrometheusOptions): Promise<LoopbackServer> {
  const { program, directory, janitor, onProblem } = options;
  if (program === null) return startStandInPrometheus(options);
  await mkdir(directory, { recursive: true });
  // JSON is YAML.
  await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(configOf(options)));
  await writeFile(join(directory, 'rules.yml'), JSON.stringify(rulesFileOf(options.rules)));
  const url = `http://127.0.0.1:${options.port === 0 ? await freePort() : options.port}`;
  const { stop } = await runProgram({
    program,
    args: [
      '--config.file=prometheus.yml',
      `--storage.tsdb.path=${join(directory, 'data')}`,
      '--storage.tsdb.retention.time=2h',
      `--web.listen-address=${new URL(url).host}`,
      '--log.level=warn',
    ],
    cwd: directory,
    readyUrl: `${url}/-/ready`,
    janitor,
    onDeath: onProblem,
  });
  return { url, stop };
}

function configOf({ scrapeUrls, job, intervalMs, alertmanagerUrl }: PrometheusOptions): object {
  const every = `${intervalMs}ms`;
  const pages = scrapeUrls.map((url) => new URL(url));
  const paths = [...new Set(pages.map(({ pathname }) => pathname))];
  return {
    global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
    rule_files: ['rules.yml'],
    alerting: {
      alertmanagers: alertmanagerUrl ? [{ static_configs: [{ targets: [new URL(alertmanagerUrl).host] }] }] : [],
    },
    scrape_configs: paths.map((path, index) => ({
      job_name: index === 0 ? job : `${job}-${index}`,
      metrics_path: path,
      static_configs: [{ targets: pages.filter(({ pathname }) => pathname === path).map(({ host }) => host) }],
    })),
  };
}

/** The rules as Prometheus reads them. */
export function rulesFileOf(rules: readonly AlertRule[]): object {
  return {
    groups: [
      {
        name: 'demo',
        rules: rules.map(({ name, expression, forMs, labels, annotations }) => ({
          alert: name,
          expr: expression,
          for: `${forMs}ms`,
          labels,
          annotations,
        })),
      },
    ],
  };
}
