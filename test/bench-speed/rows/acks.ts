import { Agent } from 'node:http';
import { join } from 'node:path';
import { atMostTimes, type Figure, percentile } from '../figures.ts';
import { alternating, type Row } from '../row.ts';
import { body, byMany, deliver } from '../world/alerts.ts';
import { startChild } from '../world/child.ts';
import { serviceName } from '../world/policies.ts';
import { SECRET, type Stage, setStage, TOKEN } from '../world/stage.ts';

const PEOPLE = 20;
const SERVICES = 20;
/** The forms of the presses are opened by then: they are not to be measured with the commands. */
const PAUSE_MS = 1_000;

/** Presses of a card's button and slash commands, from Slack's request to its answer. */
export const acksRow: Row = {
  name: 'acks',
  title: `Button and slash acknowledged, ${PEOPLE} concurrent`,
  floor: 'bare Bolt that acknowledges + one durable insert',
  async measure({ rounds, quick, say }) {
    const samples = quick ? 40 : 200;
    const stage = await setStage({ services: SERVICES });
    const floor = await startChild('floors/bolt.ts', {
      DATABASE: join(stage.directory, 'floor.db'),
      SIGNING_SECRET: SECRET,
    });
    const gate = await openGate();
    try {
      const cards = await openCards(stage);
      stage.workspace.connect(gate.url);
      const times = { button: pair(), slash: pair() };
      const turn = (url: string, side: 'ours' | 'floor') => async (round: number) => {
        await gate.to(url);
        for (const kind of ['button', 'slash'] as const) {
          await gate.take();
          await byMany(Array(samples).keys(), PEOPLE, (i) => ask(stage, kind, cards, i));
          const took = await gate.take();
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
          if (took.length < samples) throw new Error(`Of ${samples} ${took.length} were acknowledged.`);
          if (round >= 0) times[kind][side].push(...took);
          if (round >= 0) say(`round ${round + 1}, ${side}, ${kind}: p50 ${percentile(took, 0.5).toFixed(1)} ms`);
        }
      };
      await alternating(
        1,
        () => turn(stage.app.url, 'ours')(-1),
        () => turn(floor.url, 'floor')(-1),
      );
      await alternating(rounds, turn(stage.app.url, 'ours'), turn(floor.url, 'floor'));
      const figures = (['button', 'slash'] as const).flatMap((kind) => figuresOf(kind, times[kind]));
      return {
        figures,
        notes: [`${samples} presses and as many /rollout status a round, ${PEOPLE} at the same moment each time.`],
      };
    } finally {
      await gate.stop();
      await floor.stop();
      await stage.stop();
    }
  },
};

interface Pair {
  readonly ours: number[];
  readonly floor: number[];
}

function pair(): Pair {
  return { ours: [], floor: [] };
}

function figuresOf(kind: string, { ours, floor }: Pair): Figure[] {
  return [
    atMostTimes(`${kind} p50`, 'ms', percentile(ours, 0.5), percentile(floor, 0.5), 1.2),
    atMostTimes(`${kind} p99`, 'ms', percentile(ours, 0.99), percentile(floor, 0.99), 2),
  ];
}

interface Card {
  readonly channel: string;
  readonly ts: string;
}

async function openCards(stage: Stage): Promise<readonly Card[]> {
  const agent = new Agent({ keepAlive: true });
  const to = { url: `${stage.app.url}/webhooks/alertmanager`, token: TOKEN, agent };
  const cards: Card[] = [];
  for (let i = 0; i < SERVICES; i += 1) {
    const channel = `#${serviceName(i)}`;
    await deliver(to, body(serviceName(i), ['a']));
    const card = await stage.workspace.waitFor(() => stage.workspace.messages(channel)[0], 20_000);
    cards.push({ channel, ts: card.ts });
  }
  agent.destroy();
  return cards;
}

async function ask(stage: Stage, kind: 'button' | 'slash', cards: readonly Card[], i: number): Promise<void> {
  const card = cards[i % cards.length];
  if (!card) throw new Error('There are no cards.');
  const ann = stage.workspace.user('U0ANN');
  const { ok, error } =
    kind === 'slash'
      ? await ann.type(card.channel, `/rollout status ${card.channel.slice(1)}`)
      : await ann.press(card.ts, 'rollout:extend', { channel: card.channel });
  if (!ok) throw new Error(`A ${kind} was not acknowledged: ${error}`);
}

interface Gate {
  /** From here on requests go there. */
  to(url: string): Promise<void>;
  /** How long each took since this was asked last, in ms. */
  take(): Promise<number[]>;
  readonly url: string;
  stop(): Promise<void>;
}

async function openGate(): Promise<Gate> {
  const child = await startChild('world/gate.ts', { TOGETHER: String(PEOPLE) });
  return {
    url: child.url,
    async to(url) {
      await fetch(`${child.url}/gate/target`, { method: 'POST', body: url });
    },
    take: async () => (await (await fetch(`${child.url}/gate/times`)).json()) as number[],
    stop: () => child.stop(),
  };
}
