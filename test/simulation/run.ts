import { servicesUnderWay } from '../../src/app/under-way.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Alert } from '../../src/domain/state.ts';
import { SimulatedAlertmanager } from './alertmanager.ts';
import { SimulatedChat } from './chat.ts';
import type { Dice } from './dice.ts';
import { SimulatedDisk } from './disk.ts';
import { brokenEnd } from './end.ts';
import { History } from './history.ts';
import { INSTANCE, type WorldParts } from './instance.ts';
import { type Mutant, sound } from './mutants.ts';
import { Numbers } from './numbers.ts';
import { SimulatedPager } from './pager.ts';
import { People } from './people.ts';
import { PolicyShelf } from './policies.ts';
import { Replicas } from './replicas.ts';
import { Scene } from './scene.ts';
import { type Swarm, swarmOf } from './swarm.ts';
import { Taken } from './taken.ts';
import { SimulatedTarget } from './target.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** So often the directory of policies is looked at. */
const POLICIES_READ_MS = 5_000;
/** At one moment in so many the table itself is looked at. */
const LOOKS_AT_TABLE = 20;
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
  options: {
    readonly tell?: (line: string) => void;
    readonly swarm?: Partial<Swarm>;
    readonly mutant?: Mutant;
  } = {},
): Promise<RunResult> {
  const scene = new Scene(seed, { ...swarmOf(seed), ...options.swarm }, options.tell ?? null);
  const play = await Play.open(scene, options.mutant ?? sound);
  try {
    await play.run();
  } finally {
    play.close();
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
  readonly #world: WorldParts;
  readonly #disk: SimulatedDisk;
  readonly #replicas: Replicas;
  readonly #taken: Taken;
  readonly #dice: Dice;
  readonly #ills: Dice;
  readonly #startMs: number;

  static async open(scene: Scene, mutant: Mutant): Promise<Play> {
    const disk = new SimulatedDisk(scene.swarm.replicas > 1);
    await disk.create();
    return new Play(scene, disk, mutant);
  }

  constructor(scene: Scene, disk: SimulatedDisk, mutant: Mutant) {
    this.#scene = scene;
    this.#disk = disk;
    this.#startMs = scene.time.nowMs;
    this.#dice = scene.dice('play');
    this.#ills = scene.dice('ills');
    const services = Array.from({ length: scene.swarm.services }, (_, i) => ['fraud-scorer', 'ranker'][i] ?? `s${i}`);
    const targets = new Map(services.map((service) => [service, new SimulatedTarget(scene, service)]));
    const numbers = new Map([...targets].map(([service, target]) => [service, new Numbers(scene, target)]));
    this.#world = {
      scene,
      mutant,
      targets,
      numbers,
      history: new History(scene, mutant.decide?.(decide)),
      policies: new PolicyShelf(scene, services),
      chat: new SimulatedChat(scene),
      pager: new SimulatedPager(scene),
      alertmanager: new SimulatedAlertmanager(scene, numbers, (alerts) => this.#receive(alerts)),
    };
    this.#taken = new Taken(scene, this.#world.history.heard, () => disk.accepted());
    this.#replicas = new Replicas(this.#world, disk);
    const application = () => this.#replicas.any()?.application ?? null;
    new People({ ...this.#world, services, application, instance: INSTANCE });
    this.#plan();
  }

  get hours(): number {
    return (this.#scene.time.nowMs - this.#startMs) / HOUR;
  }

  async run(): Promise<void> {
    const { swarm, time } = this.#scene;
    this.#replicas.start();
    await this.#until(time.nowMs + swarm.stormMs);
    this.#scene.stormy = false;
    this.#scene.log('--- calm from here on');
    for (const service of this.#world.policies.putBack()) this.#replicas.policyChanged(service);
    if (this.#dice.chance(0.75)) for (const numbers of this.#world.numbers.values()) numbers.heal();
    await this.#until(time.nowMs + swarm.calmMs);
    // What changed in the last second may not be drawn yet.
    let broken: string[] = [];
    for (let tries = 0; tries < 5 && this.#scene.broken.length === 0; tries += 1) {
      broken = await brokenEnd(this.#world, this.#replicas.store());
      if (broken.length === 0) return;
      await this.#until(time.nowMs + 3_000);
    }
    for (const one of broken) this.#scene.breaks(`in the end: ${one}`);
  }

  close(): void {
    this.#disk.close();
  }

  async #until(endMs: number): Promise<void> {
    const { time, broken } = this.#scene;
    let moments = 0;
    let looks = 0;
    let atMs = time.nowMs;
    await this.#replicas.quiet();
    while (broken.length === 0 && time.step(endMs)) {
      await this.#replicas.quiet();
      this.#world.history.check();
      this.#taken.check();
      looks += 1;
      if (looks % LOOKS_AT_TABLE === 0) this.#world.history.checkTable(this.#disk.timers());
      moments = time.nowMs === atMs ? moments + 1 : 0;
      atMs = time.nowMs;
      if (moments > MOST_MOMENTS) this.#scene.breaks('it goes in circles without time passing');
    }
  }

  async #receive(alerts: readonly Alert[]): Promise<boolean> {
    if (!(await this.#replicas.receive(alerts))) return false;
    for (const alert of alerts) {
      const { labels, fingerprint, startsAtMs } = alert;
      const service = labels.service ?? '';
      // Decided on later, where others of its service were being decided on.
      if (this.#world.policies.get(service) === null || !this.#taken.take(service, alert)) continue;
      const state = this.#world.history.states.get(service);
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
    for (const [service, target] of this.#world.targets) {
      const numbers = this.#world.numbers.get(service);
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
      const service = this.#world.policies.edit();
      if (service !== null) this.#replicas.policyChanged(service);
    });
    this.#every(strength['policy-gone'] * 0.5, () => void this.#takeAway());
    this.#every(strength['clock-jump'] * 0.5, () => this.#replicas.setClock());
  }

  /** As the policy book has it: what is under way keeps its policy until it has ended. */
  async #takeAway(): Promise<void> {
    const { policies } = this.#world;
    const { time } = this.#scene;
    const service = policies.takeAway();
    if (service === null) return;
    time.after(this.#dice.magnitude(MINUTE, 2 * HOUR), () => {
      for (const back of policies.putBack(service)) this.#replicas.policyChanged(back);
    });
    for (; policies.isGone(service); await time.pass(POLICIES_READ_MS)) {
      const underWay = await servicesUnderWay(this.#replicas.store(), (name) => name === service);
      if (underWay.length > 0 || policies.get(service) === null || !policies.isGone(service)) continue;
      policies.forget(service);
      this.#taken.release(service);
      this.#replicas.policyChanged(service);
    }
  }

  #degrade(numbers: Numbers, { truth }: SimulatedTarget): void {
    const share = this.#dice.pick([0.03, 0.06, 0.12, 0.3, 0.6]);
    const isCommon = this.#dice.chance(0.2);
    const version = truth.candidate !== null && this.#dice.chance(0.8) ? truth.candidate : truth.stable;
    numbers.set(isCommon ? null : version, share, this.#ills.pick(['both', 'both', 'errors', 'speed']));
  }

  #every(perHour: number, what: () => void): void {
    const next = () => {
      if (this.#scene.stormy) what();
      this.#scene.time.after(this.#dice.waitMs(perHour), next);
    };
    this.#scene.time.after(this.#dice.waitMs(perHour), next);
  }
}
