import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, freePort, runServer } from './servers.ts';

/** Debian's `prometheus-alertmanager` (upstream: `alertmanager`); null where it is not installed. */
export const alertmanagerPath: string | null = findProgram('prometheus-alertmanager') ?? findProgram('alertmanager');

export interface AlertmanagerRun {
  readonly webhookUrl: string;
  readonly bearerToken: string;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  /** 4 h. */
  readonly repeatIntervalMs?: number;
  /** `alertname`, `service`. */
  readonly groupBy?: readonly string[];
}

export interface RunningAlertmanager {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a real Alertmanager alone (no cluster) on a free port of loopback and waits until it is ready. */
export async function startAlertmanager(run: AlertmanagerRun): Promise<RunningAlertmanager> {
  if (alertmanagerPath === null) throw new Error('prometheus-alertmanager is not installed.');
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-alertmanager-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // JSON is YAML.
  await writeFile(join(directory, 'alertmanager.yml'), JSON.stringify(configOf(run)));
  try {
    const server = await runServer({
      program: alertmanagerPath,
      args: [
        '--config.file=alertmanager.yml',
        `--storage.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
        '--log.level=warn',
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

function configOf(run: AlertmanagerRun): object {
  return {
    route: {
      receiver: 'lastgood',
      group_by: run.groupBy ?? ['alertname', 'service'],
      group_wait: `${run.groupWaitMs}ms`,
      group_interval: `${run.groupIntervalMs}ms`,
      repeat_interval: `${run.repeatIntervalMs ?? 4 * 3_600_000}ms`,
    },
    receivers: [
      {
        name: 'lastgood',
        webhook_configs: [
          {
            url: run.webhookUrl,
            send_resolved: true,
            http_config: { authorization: { type: 'Bearer', credentials: run.bearerToken } },
          },
        ],
      },
    ],
  };
}

export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly generatorURL?: string;
  /** Now where it is left out. */
  readonly startsAt?: string;
  /** In the past: resolved. Left out: after the resolve time-out (5 min). */
  readonly endsAt?: string;
}

/** As Prometheus sends them. */
export async function postAlerts(url: string, alerts: readonly PostedAlert[]): Promise<void> {
  await ask(`${url}/api/v2/alerts`, alerts);
}

export interface StandingSilence {
  readonly id: string;
  readonly status: { readonly state: string };
  readonly createdBy: string;
  readonly comment: string;
  readonly endsAt: string;
  readonly matchers: readonly { readonly name: string; readonly value: string }[];
}

/** Every silence, expired ones included. */
export async function silencesOf(url: string): Promise<readonly StandingSilence[]> {
  const response = await fetch(`${url}/api/v2/silences`);
  return (await response.json()) as StandingSilence[];
}

/** Silences a label's value for an hour, as a person does on Alertmanager's page. */
export async function silenceByHand(url: string, name: string, value: string): Promise<void> {
  const now = Date.now();
  await ask(`${url}/api/v2/silences`, {
    matchers: [{ name, value, isRegex: false, isEqual: true }],
    startsAt: new Date(now).toISOString(),
    endsAt: new Date(now + 3_600_000).toISOString(),
    createdBy: 'ann',
    comment: 'known',
  });
}

async function ask(url: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
}
