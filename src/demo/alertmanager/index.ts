import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Janitor } from '../janitor.ts';
import { freePort, type LoopbackServer } from '../loopback.ts';
import { type Program, runProgram } from '../programs.ts';
import { type StandInAlertmanagerOptions, startStandInAlertmanager } from './stand-in.ts';

export interface AlertmanagerOptions extends StandInAlertmanagerOptions {
  /** The real one, where it is installed and wanted; null: the stand-in. */
  readonly program: Program | null;
  /** Where the real one keeps its files. */
  readonly directory: string;
  readonly janitor: Janitor;
}

/** Groups alerts and tells Lastgood of them, with the real Alertmanager or the stand-in. */
export async function startAlertmanager(options: AlertmanagerOptions): Promise<LoopbackServer> {
  const { program, directory, janitor, onProblem } = options;
  if (program === null) return startStandInAlertmanager(options);
  await mkdir(directory, { recursive: true });
  // JSON is YAML. Readable by nobody else: the token is in it.
  await writeFile(join(directory, 'alertmanager.yml'), JSON.stringify(configOf(options)), { mode: 0o600 });
  const url = `http://127.0.0.1:${await freePort()}`;
  const { stop } = await runProgram({
    program,
    args: [
      '--config.file=alertmanager.yml',
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
      // Alone: no port for a cluster.
      '--cluster.listen-address=',
      '--log.level=warn',
    ],
    cwd: directory,
    readyUrl: `${url}/-/ready`,
    janitor,
    onDeath: onProblem,
  });
  return { url, stop };
}

function configOf(options: AlertmanagerOptions): object {
  const { receiver, groupBy, groupWaitMs, groupIntervalMs, repeatIntervalMs } = options;
  return {
    route: {
      receiver: receiver.name,
      group_by: groupBy,
      group_wait: `${groupWaitMs}ms`,
      group_interval: `${groupIntervalMs}ms`,
      repeat_interval: `${repeatIntervalMs}ms`,
    },
    receivers: [
      {
        name: receiver.name,
        webhook_configs: [
          {
            url: receiver.webhookUrl,
            send_resolved: true,
            http_config: { authorization: { type: 'Bearer', credentials: receiver.bearerToken } },
          },
        ],
      },
    ],
  };
}
