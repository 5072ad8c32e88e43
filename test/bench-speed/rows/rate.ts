import { Agent } from 'node:http';
import { join } from 'node:path';
import { atLeastTimes, percentile } from '../figures.ts';
import { alternating, type Row } from '../row.ts';
import { body, byMany, deliver } from '../world/alerts.ts';
import { startChild } from '../world/child.ts';
import { serviceName } from '../world/policies.ts';
import { setStage, TOKEN } from '../world/stage.ts';

const CONNECTIONS = 40;
const SERVICES = 40;

/** Webhooks of one new alert each, accepted a second. */
export const rateRow: Row = {
  name: 'rate',
  title: `Accepted webhooks a second, ${CONNECTIONS} connections`,
  floor: 'bare node:http + JSON.parse + one durable insert in the same store',
  async measure({ rounds, quick, say }) {
    const samples = quick ? 200 : 1000;
    const stage = await setStage({ services: SERVICES });
    const floor = await startChild('floors/webhook.ts', { DATABASE: join(stage.directory, 'floor.db') });
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
    const rates = { ours: [] as number[], floor: [] as number[] };
    const burst = async (url: string, name: string): Promise<number> => {
      const beganMs = performance.now();
      await byMany(Array(samples).keys(), CONNECTIONS, async (i) => {
        const text = body(serviceName(i % SERVICES), [`${name}-${i}`]);
        const status = await deliver({ url, token: TOKEN, agent }, text);
        if (status !== 200) throw new Error(`A webhook was answered with ${status}.`);
      });
      return (samples * 1000) / (performance.now() - beganMs);
    };
    const ours = `${stage.app.url}/webhooks/alertmanager`;
    try {
      await burst(floor.url, 'warm');
      await burst(ours, 'warm');
      const turn = (url: string, into: number[]) => async (round: number) => {
        into.push(await burst(url, String(round)));
        say(`round ${round + 1}: ${Math.round(into.at(-1) ?? 0)} a second`);
      };
      await alternating(rounds, turn(ours, rates.ours), turn(floor.url, rates.floor));
    } finally {
      agent.destroy();
      await floor.stop();
      await stage.stop();
    }
    return {
      figures: [
        atLeastTimes('accepted, median round', '/s', percentile(rates.ours, 0.5), percentile(rates.floor, 0.5), 0.5),
      ],
      notes: [`${samples} webhooks a round, over ${SERVICES} services; cards and thread lines are sent meanwhile.`],
    };
  },
};
