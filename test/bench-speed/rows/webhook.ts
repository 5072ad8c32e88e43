import { Agent } from 'node:http';
import { join } from 'node:path';
import { atMostTimes, percentile, told } from '../figures.ts';
import { alternating, type Row } from '../row.ts';
import { body, deliver } from '../world/alerts.ts';
import { startChild } from '../world/child.ts';
import type { Call } from '../world/door.ts';
import { serviceName } from '../world/policies.ts';
import { BOT_TOKEN, setStage, TOKEN } from '../world/stage.ts';

const WARM_UP = 20;
/** Between two samples: what the last one left to do (its card is drawn anew after 250 ms) must not be measured with the next. */
const PAUSE_MS = 350;

/** From the webhook to the first call to Slack: a new degradation each time, one after the other. */
export const webhookRow: Row = {
  name: 'webhook',
  title: 'Webhook received → first Slack call begins',
  floor: 'bare node:http + JSON.parse + one durable insert in the same store + one HTTP POST',
  async measure({ rounds, quick, say }) {
    const samples = quick ? 10 : 60;
    const stage = await setStage({ services: WARM_UP + rounds * samples });
    const floor = await startChild('floors/webhook.ts', {
      DATABASE: join(stage.directory, 'floor.db'),
      POST_URL: `${stage.door.url}/api/chat.postMessage`,
      TOKEN: BOT_TOKEN,
    });
    const agent = new Agent({ keepAlive: true });
    const times = { ours: [] as number[], floor: [] as number[] };
    const sample = async (url: string, index: number, into: number[] | null) => {
      const service = serviceName(index);
      const text = body(service, ['a']);
      stage.door.forget();
      const beganMs = performance.now();
      const isIt = (call: Call) => call.path.endsWith('/chat.postMessage') && call.body.includes(service);
      const first = stage.door.next(isIt, 20_000);
      const [{ atMs }, status] = await Promise.all([first, deliver({ url, token: TOKEN, agent }, text)]);
      if (status !== 200) throw new Error(`A webhook was answered with ${status}.`);
      into?.push(atMs - beganMs);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    };
    const ours = `${stage.app.url}/webhooks/alertmanager`;
    try {
      for (let i = 0; i < WARM_UP; i += 1) {
        await sample(floor.url, i, null);
        await sample(ours, i, null);
      }
      // Slack's limit is one post a second in a channel, and both post into it: the floor's posts go ahead by a round.
      const turn = (url: string, into: number[]) => async (round: number) => {
        for (let i = 0; i < samples; i += 1) await sample(url, WARM_UP + round * samples + i, into);
        say(`round ${round + 1}: p50 ${percentile(into.slice(-samples), 0.5).toFixed(2)} ms`);
      };
      await alternating(rounds, turn(ours, times.ours), turn(floor.url, times.floor));
    } finally {
      agent.destroy();
      await floor.stop();
      await stage.stop();
    }
    const p = (share: number) => [percentile(times.ours, share), percentile(times.floor, share)] as const;
    return {
      figures: [
        atMostTimes('p50', 'ms', ...p(0.5), 2),
        told('p50, in floors (the aim is 1.5)', '×', p(0.5)[0] / p(0.5)[1]),
        atMostTimes('p99', 'ms', ...p(0.99), 3),
      ],
      notes: [`${times.ours.length} new degradations each, one after the other.`],
    };
  },
};
