import { Agent } from 'node:http';
import { atMost, type Figure } from '../figures.ts';
import type { Row } from '../row.ts';
import { body, byMany, deliver, type Sending } from '../world/alerts.ts';
import { serviceName } from '../world/policies.ts';
import { type Stage, setStage, TOKEN } from '../world/stage.ts';

const SERVICES = 10;
const TRIES = 5;
const CONNECTIONS = 40;

/** Everything breaks at once. */
export const stormRow: Row = {
  name: 'storm',
  title: 'A storm of 10,000 alerts',
  floor: '',
  async measure({ quick, say }) {
    const alerts = quick ? 1000 : 10_000;
    const figures: Figure[] = [];
    for (const size of [100, 1]) {
      const found = await storm(alerts, size);
      say(`${alerts / size} bodies of ${size}: ${found.seconds.toFixed(1)} s, ${found.statuses}`);
      const name = `${(alerts / size).toLocaleString('en-GB')} bodies of ${size}`;
      figures.push(
        atMost(`${name}: all accepted, every card there`, 's', found.seconds, 10),
        atMost(`${name}: refused for good`, '', found.refused, 0),
        atMost(`${name}: cards a degradation`, '', found.cards, 1),
        atMost(`${name}: memory at most`, 'MB', found.megabytes, 300),
      );
    }
    const notes = [
      `Of ${SERVICES} services, over ${CONNECTIONS} connections; a body is sent again where the answer is not 200.`,
    ];
    return { figures, notes };
  },
};

async function storm(alerts: number, size: number) {
  const stage = await setStage({ services: SERVICES });
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const memory = watchMemory(stage);
  const statuses = new Map<number, number>();
  let refused = 0;
  try {
    const to: Sending = { url: `${stage.app.url}/webhooks/alertmanager`, token: TOKEN, agent };
    const beganMs = performance.now();
    await byMany(Array(alerts / size).keys(), CONNECTIONS, async (i) => {
      const names = Array.from({ length: size }, (_, k) => `instance-${i * size + k}`);
      const text = body(serviceName(i % SERVICES), names);
      for (let tried = 0; tried < TRIES; tried += 1) {
        const status = await deliver(to, text);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 200) return;
      }
      refused += 1;
    });
    const channels = Array.from({ length: SERVICES }, (_, i) => `#${serviceName(i)}`);
    const cardsIn = (channel: string) => stage.workspace.messages(channel).length;
    await stage.workspace.waitFor(() => channels.every((channel) => cardsIn(channel) > 0), 60_000);
    const seconds = (performance.now() - beganMs) / 1000;
    return {
      seconds,
      refused,
      cards: Math.max(...channels.map(cardsIn)),
      megabytes: memory.most(),
      statuses: [...statuses].map(([status, count]) => `${count} × ${status}`).join(', '),
    };
  } finally {
    memory.stop();
    agent.destroy();
    await stage.stop();
  }
}

export function watchMemory({ app }: Pick<Stage, 'app'>) {
  let most = 0;
  const look = () => {
    most = Math.max(most, (app.residentBytes() ?? 0) / 1024 ** 2);
  };
  const timer = setInterval(look, 100);
  return {
    most: () => {
      look();
      return most;
    },
    stop: () => clearInterval(timer),
  };
}
