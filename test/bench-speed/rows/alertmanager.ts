import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alertmanagerPath, postAlerts } from '../../support/alertmanager.ts';
import { freePort, type RunningServer, runServer } from '../../support/servers.ts';
import { atMost, percentile, told } from '../figures.ts';
import { alternating, type Row } from '../row.ts';
import type { Call } from '../world/door.ts';
import { serviceName } from '../world/policies.ts';
import { setStage, TOKEN } from '../world/stage.ts';

const WARM_UP = 10;
/** As in the row of webhooks. */
const PAUSE_MS = 350;

/** From an alert's arrival at a real Alertmanager to the first call to Slack: its own Slack receiver, and by way of us. */
export const alertmanagerRow: Row = {
  name: 'alertmanager',
  title: 'Alertmanager → us → Slack',
  floor: 'Alertmanager → its own Slack receiver',
  async measure({ rounds, quick, say }) {
    if (alertmanagerPath === null) return { notMeasured: 'prometheus-alertmanager is not installed here' };
    const samples = quick ? 5 : 40;
    const stage = await setStage({ services: WARM_UP + rounds * samples });
    const times = { ours: [] as number[], floor: [] as number[] };
    const running: Alertmanager[] = [];
    try {
      const authorization = { type: 'Bearer', credentials: TOKEN };
      const webhook = { url: `${stage.app.url}/webhooks/alertmanager`, http_config: { authorization } };
      const slack = { api_url: `${stage.door.url}/hook`, channel: '#alerts', text: '{{ .GroupLabels.service }}' };
      const ours = await start({ webhook_configs: [webhook] });
      running.push(ours);
      const floor = await start({ slack_configs: [slack] });
      running.push(floor);
      const sample = async (url: string, index: number, into: number[] | null) => {
        const service = serviceName(index);
        stage.door.forget();
        const isIt = ({ path, body }: Call) => /chat\.postMessage|hook/.test(path) && body.includes(service);
        const beganMs = performance.now();
        const first = stage.door.next(isIt, 20_000);
        await postAlerts(url, [{ labels: { alertname: 'HighErrorRate', service, severity: 'warning' } }]);
        into?.push((await first).atMs - beganMs);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      };
      for (let i = 0; i < WARM_UP; i += 1) {
        await sample(floor.url, i, null);
        await sample(ours.url, i, null);
      }
      const turn = (url: string, into: number[]) => async (round: number) => {
        for (let i = 0; i < samples; i += 1) await sample(url, WARM_UP + round * samples + i, into);
        say(`round ${round + 1}: p50 ${percentile(into.slice(-samples), 0.5).toFixed(2)} ms`);
      };
      await alternating(rounds, turn(ours.url, times.ours), turn(floor.url, times.floor));
    } finally {
      for (const one of running) await one.stop();
      await stage.stop();
    }
    const p = (share: number) => [percentile(times.ours, share), percentile(times.floor, share)] as const;
    return {
      figures: [
        told('p50', 'ms', ...p(0.5)),
        told('p99', 'ms', ...p(0.99)),
        atMost('added at p99', 'ms', p(0.99)[0] - p(0.99)[1], 25),
      ],
      notes: [`${times.ours.length} alerts each, group_wait 0 s.`],
    };
  },
};

interface Alertmanager extends RunningServer {
  readonly url: string;
}

async function start(receiver: object): Promise<Alertmanager> {
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-alertmanager-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const times = { group_wait: '0s', group_interval: '1h', repeat_interval: '4h' };
  const config = {
    route: { receiver: 'bench', group_by: ['alertname', 'service'], ...times },
    receivers: [{ name: 'bench', ...receiver }],
  };
  // JSON is YAML.
  await writeFile(join(directory, 'alertmanager.yml'), JSON.stringify(config));
  const server = await runServer({
    program: alertmanagerPath ?? '',
    args: [
      '--config.file=alertmanager.yml',
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=${url.slice('http://'.length)}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ],
    cwd: directory,
    readyUrl: `${url}/-/ready`,
  });
  return {
    url,
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
