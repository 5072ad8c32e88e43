import type { Alert } from '../../src/domain/state.ts';
import { openStore } from '../../src/runtime/store.ts';
import { SimulatedAlertmanager } from './alertmanager.ts';
import { Busy } from './busy.ts';
import { SimulatedChat } from './chat.ts';
import type { Dice } from './dice.ts';
import { brokenEnd } from './end.ts';
import { History } from './history.ts';
import { INSTANCE, Instance, type InstanceParts } from './instance.ts';
import { Numbers } from './numbers.ts';
import { SimulatedPager } from './pager.ts';
import { People } from './people.ts';
import { PolicyShelf } from './policies.ts';
import { Scene } from './scene.ts';
import { type Swarm, swarmOf } from './swarm.ts';
import { SimulatedTarget } from './target.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The machine's clock is never further off than this. */
const MOST_OFFSET_MS = HOUR;
/** More moments than this within a millisecond: something goes in circles. */
const MOST_MOMENTS = 20_000;

export interface RunResult {
  readonly seed: number;
  readonly hours: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly reached: Readonly<Record<string, number>>;
  /** What was broken; empty: nothing. */
  readonly broken: readonly string[];
  /** What happened last, of a run that broke something. */
  readonly lines: readonly string[];
}

/** One run: a storm by the seed, then calm; after every step the rules hold, and in the end everything agrees. */
export async function simulate(
  seed: number,
  options: { readonly tell?: (line: string) => void; readonly swarm?: Partial<Swarm> } = {},
): Promise<RunResult> {
  const scene = new Scene(seed, { ...swarmOf(seed), ...options.swarm }, options.tell ?? null);
  const play = await Play.open(scene);
  try {
    await play.run();
  } finally {
    await play.close();
  }
  return {
    seed,
    hours: play.hours,
    faults: Object.fromEntries(scene.faults),
    reached: Object.fromEntries(scene.reached),
    broken: scene.broken,
    lines: scene.broken.length > 0 ? scene.lastLines : [],
  };
}

class Play {
  readonly #scene: Scene;
  readonly #parts: InstanceParts;
  readonly #dice: Dice;
  readonly #busy = new Busy();
  readonly #startMs: number;
  #instance: Instance | null = null;
  #generation = 0;

  static async open(scene: Scene): Promise<Play> {
    return new Play(scene, await openStore(':memory:'));
  }

  constructor(scene: Scene, store: InstanceParts['store']) {
    this.#scene = scene;
    this.#startMs = scene.time.nowMs;
    this.#dice = scene.dice('play');
    const services = Array.from({ length: scene.swarm.services }, (_, i) => ['fraud-scorer', 'ranker'][i] ?? `s${i}`);
    const targets = new Map(services.map((service) => [service, new SimulatedTarget(scene, service)]));
    const numbers = new Map([...targets].map(([service, target]) => [service, new Numbers(scene, target)]));
    this.#parts = {
      scene,
      store: this.#busy.over(store),
      targets,
      numbers,
      history: new History(scene),
      policies: new PolicyShelf(scene, services),
      chat: new SimulatedChat(scene),
      pager: new SimulatedPager(scene),
      alertmanager: new SimulatedAlertmanager(scene, numbers, (alerts) => this.#receive(alerts)),
      dice: scene.dice('instance'),
      onDeath: () => this.#died(),
    };
    const application = () => this.#instance?.application ?? null;
    new People({ ...this.#parts, services, application, instance: INSTANCE });
    this.#plan();
  }

  get hours(): number {
    return (this.#scene.time.nowMs - this.#startMs) / HOUR;
  }

  async run(): Promise<void> {
    const { swarm, time } = this.#scene;
    this.#begin();
    await this.#until(time.nowMs + swarm.stormMs);
    this.#scene.stormy = false;
    this.#scene.log('--- calm from here on');
    if (this.#dice.chance(0.75)) for (const numbers of this.#parts.numbers.values()) numbers.heal();
    await this.#until(time.nowMs + swarm.calmMs);
    // What changed in the last second may not be drawn yet.
    let broken: string[] = [];
    for (let tries = 0; tries < 5 && this.#scene.broken.length === 0; tries += 1) {
      broken = await brokenEnd(this.#parts);
      if (broken.length === 0) return;
      await this.#until(time.nowMs + 3_000);
    }
    for (const one of broken) this.#scene.breaks(`in the end: ${one}`);
  }

  async close(): Promise<void> {
    await this.#parts.store.close();
  }

  async #until(endMs: number): Promise<void> {
    const { time, broken } = this.#scene;
    let moments = 0;
    let atMs = time.nowMs;
    await this.#busy.quiet();
    while (broken.length === 0 && time.step(endMs)) {
      await this.#busy.quiet();
      this.#parts.history.check();
      moments = time.nowMs === atMs ? moments + 1 : 0;
      atMs = time.nowMs;
      if (moments > MOST_MOMENTS) this.#scene.breaks('it goes in circles without time passing');
    }
  }

  #begin(): void {
    this.#generation += 1;
    this.#instance = new Instance(this.#parts, this.#generation);
    if (this.#generation > 1) this.#scene.log('Lastgood is up again');
    void this.#instance.start();
  }

  #died(): void {
    this.#instance = null;
    const awayMs = this.#dice.pick([500, 5_000, 20_000, 90_000, this.#dice.magnitude(MINUTE, 3 * HOUR)]);
    this.#scene.time.after(awayMs, () => this.#begin());
  }

  async #receive(alerts: readonly Alert[]): Promise<boolean> {
    const instance = this.#instance;
    if (!instance || !(await instance.receive(alerts))) return false;
    for (const { labels, fingerprint, startsAtMs } of alerts) {
      const state = this.#parts.history.states.get(labels.service ?? '');
      const known = state?.alerts.find((alert) => alert.fingerprint === fingerprint);
      const isOld = this.#scene.time.nowMs - startsAtMs > 24 * HOUR;
      // An end of what was never heard of leaves nothing behind.
      const isEnd = alerts.some((alert) => alert.fingerprint === fingerprint && alert.status === 'resolved');
      if (!isOld && !isEnd && (!known || known.startsAtMs < startsAtMs))
        this.#scene.breaks(`nothing lost: ${fingerprint} was taken, and is not known`);
    }
    return true;
  }

  /** What happens to the services by itself. */
  #plan(): void {
    const { strength, degradationsPerHour } = this.#scene.swarm;
    for (const [service, target] of this.#parts.targets) {
      const numbers = this.#parts.numbers.get(service);
      if (!numbers) continue;
      this.#every(degradationsPerHour, () => this.#degrade(numbers, target));
      this.#every(degradationsPerHour, () => this.#dice.chance(0.7) && numbers.heal());
      this.#every(strength['moved-by-hand'] * 0.5, () => target.moveByHand());
      this.#every(strength['not-ready'], () => {
        const { stable, candidate } = target.truth;
        target.loseInstances(candidate !== null && this.#dice.chance(0.5) ? candidate : stable);
      });
    }
    this.#every(strength['policy-edited'], () => {
      const service = this.#parts.policies.edit();
      void this.#instance?.policyChanged(service);
    });
    this.#every(strength['clock-jump'] * 0.5, () => this.#setClock());
  }

  #degrade(numbers: Numbers, { truth }: SimulatedTarget): void {
    const share = this.#dice.pick([0.03, 0.06, 0.12, 0.3, 0.6]);
    const isCommon = this.#dice.chance(0.2);
    const version = truth.candidate !== null && this.#dice.chance(0.8) ? truth.candidate : truth.stable;
    numbers.set(isCommon ? null : version, share);
  }

  #setClock(): void {
    const { time } = this.#scene;
    const byMs = Math.round(this.#dice.magnitude(1_000, MOST_OFFSET_MS)) * (this.#dice.chance(0.5) ? 1 : -1);
    if (Math.abs(time.offsetMs + byMs) > MOST_OFFSET_MS) return;
    this.#scene.struck('clock-jump');
    this.#scene.log(`the machine's clock is set ${byMs > 0 ? 'ahead' : 'back'} by ${Math.abs(byMs) / 1000} s`);
    time.offsetMs += byMs;
  }

  #every(perHour: number, what: () => void): void {
    const next = () => {
      if (this.#scene.stormy) what();
      this.#scene.time.after(this.#dice.waitMs(perHour), next);
    };
    this.#scene.time.after(this.#dice.waitMs(perHour), next);
  }
}
