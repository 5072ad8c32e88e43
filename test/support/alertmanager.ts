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
