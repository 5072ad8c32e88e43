import { seededRandom } from '../../src/demo/lab/index.ts';
import { eventually } from '../acceptance/support/eventually.ts';
import { Alerts, CANDIDATE, CHANNEL, deliver, SERVICE } from '../acceptance/support/outside.ts';
import { judge, type Verdict } from './judge.ts';
import type { StoreKind } from './options.ts';
import { type ChaosWorld, PATH, startChaosWorld } from './world.ts';

/**
 * Between a start and its kill: anything from nothing to twice as long as a start takes on this machine just now, and this. Some die
 * before they listen, some at work; were it a fixed time, a busy machine would see nothing but starts.
 */
const LONGEST_WORK_MS = 1_500;
/** How much longer a start is taken to be than one that was cut off. */
const PATIENCE_GROWTH = 0.75;
/** Against hanging, not against slowness. */
const PATIENCE_MS = 600_000;

export interface AcknowledgedAlert {
  readonly name: string;
  readonly status: 'firing' | 'resolved';
  readonly startsAtMs: number;
  readonly fingerprint: string;
}

/** What happened, as the world outside saw it. */
export interface Seen {
  readonly kills: { readonly atMs: number; readonly rollingBack: boolean }[];
  /** Times in which the app was ready. */
  readonly up: { readonly fromMs: number; toMs: number }[];
  readonly acknowledged: AcknowledgedAlert[];
  rollouts: number;
}

export interface ChaosRun {
  readonly store: StoreKind;
  readonly kills: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
}

/** One rollback after the other, with kills at random instants, until there were enough of them; then everything is counted. */
export async function runChaos({ store, kills, seed, tell }: ChaosRun): Promise<Verdict> {
  const world = await startChaosWorld(store);
  try {
    const record: Seen = { kills: [], up: [], acknowledged: [], rollouts: 0 };
    world.app.start();
    await world.app.ready(60_000);
    const reaper = new Reaper(world, record, { kills, random: seededRandom(seed) });
    const killing = reaper.run();
    const random = seededRandom(seed + 1);
    try {
      while (record.kills.length < kills) {
        await rollBack(world, record, random);
        tell(
          `${store}: ${record.kills.length} of ${kills} kills, ${record.rollouts} rollbacks, ${record.acknowledged.length} alerts`,
        );
      }
    } finally {
      reaper.stop();
      await killing;
    }
    await world.app.ready(60_000);
    await drained(world);
    await world.app.stop();
    return await judge(world, record);
  } finally {
    await world.stop();
  }
}

/** A rollout that goes bad, alerts about it, and the way back, all by itself. Everybody outside tries again until it is taken. */
async function rollBack(world: ChaosWorld, record: Seen, random: () => number): Promise<void> {
  const share = async () => (await world.haproxy.weights())[CANDIDATE];
  const until = (what: string, isTrue: () => Promise<boolean>, everyMs = 50) =>
    eventually(what, isTrue, { withinMs: PATIENCE_MS, everyMs, told: () => world.app.said });
  world.ill(false);
  const ann = world.workspace.user('U0ANN');
  const started = async () => {
    if ((await share()) === PATH[0]) return true;
    await ann.type(CHANNEL, `/rollout start ${SERVICE} ${CANDIDATE}`).catch(() => null);
    return (await share()) === PATH[0];
  };
  await until(`${CANDIDATE} gets ${PATH[0]} %`, started, 400);
  record.rollouts += 1;
  world.ill(true);
  const names = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) => `r${record.rollouts}-${i}`);
  const alerts = new Alerts();
  const send = async (name: string, status: 'firing' | 'resolved') => {
    const body = alerts.body(name, status);
    const fingerprint = body.alerts[0]?.fingerprint ?? '';
    await until(`${name} is acknowledged`, async () => (await deliver(world.app.url, body)) === 200, 100);
    record.acknowledged.push({ name, status, startsAtMs: alerts.startedAtMs(name), fingerprint });
  };
  for (const name of names) {
    await send(name, 'firing');
    await pause(random() * 1_500);
  }
  await until('all traffic is back', async () => (await share()) === 0);
  for (const name of names) await send(name, 'resolved');
}

/** Kills, starts again at once, and writes down when the app was there. */
class Reaper {
  readonly #world: ChaosWorld;
  readonly #record: Seen;
  readonly #kills: number;
  readonly #random: () => number;
  #stopped = false;
  /** As it was lately. */
  #startTakesMs = 1_000;

  constructor(world: ChaosWorld, record: Seen, { kills, random }: { kills: number; random: () => number }) {
    this.#world = world;
    this.#record = record;
    this.#kills = kills;
    this.#random = random;
  }

  async run(): Promise<void> {
    const { app, haproxy } = this.#world;
    while (!this.#stopped && this.#record.kills.length < this.#kills) {
      const untilMs = Date.now() + this.#random() * (2 * this.#startTakesMs + LONGEST_WORK_MS);
      await this.#live(untilMs);
      const share = (await haproxy.weights())[CANDIDATE] ?? 0;
      const atMs = Date.now();
      await app.kill();
      const life = this.#record.up.at(-1);
      if (life) life.toMs = Math.min(life.toMs, atMs);
      this.#record.kills.push({ atMs, rollingBack: share > 0 });
      app.start();
    }
    await this.#live(Date.now() + 60_000, true);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Waits until then, noting the moment at which the app became ready. */
  async #live(untilMs: number, onlyUntilReady = false): Promise<void> {
    const beganMs = Date.now();
    let isReady = false;
    while (Date.now() < untilMs) {
      if (!isReady && (await this.#answers())) {
        isReady = true;
        this.#startTakesMs = (3 * this.#startTakesMs + (Date.now() - beganMs)) / 4;
        this.#record.up.push({ fromMs: Date.now(), toMs: Number.POSITIVE_INFINITY });
        if (onlyUntilReady) return;
      }
      await pause(Math.min(25, Math.max(0, untilMs - Date.now())));
    }
    // A start that was never seen to end takes longer than this: on a machine that is busy enough all would die before they do anything.
    if (!isReady) this.#startTakesMs = Math.max(this.#startTakesMs, (Date.now() - beganMs) * PATIENCE_GROWTH);
  }

  async #answers(): Promise<boolean> {
    const asked = fetch(`${this.#world.app.url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    return (await asked.catch(() => null))?.status === 200;
  }
}

/** Everything that is still to be said is said: the app says itself how much is not done. */
async function drained(world: ChaosWorld): Promise<void> {
  const quiet = async () => {
    const before = world.workspace.calls.length;
    await pause(2_500);
    const text = await fetch(`${world.app.url}/metrics`).then((answer) => answer.text());
    const open = /^lastgood_degradation_open\{[^}]*\} (\d+)/m.exec(text)?.[1] ?? '0';
    return open === '0' && !world.workspace.calls.slice(before).some(({ method }) => method.startsWith('chat.'));
  };
  await eventually('nothing is left to say', quiet, { withinMs: PATIENCE_MS, told: () => world.app.said });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
