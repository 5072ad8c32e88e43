import type { Alert } from '../../src/domain/state.ts';
import type { Store } from '../../src/ports/store.ts';
import { Busy } from './busy.ts';
import type { Dice } from './dice.ts';
import type { SimulatedDisk } from './disk.ts';
import { Instance, type WorldParts } from './instance.ts';
import type { Machine } from './time.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The clock of a machine that works alone is never further off than this. */
const MOST_OFFSET_MS = HOUR;
/** Replicas go by the database's time: off by what the way there takes, or by as much as a store without such a time would let them be. */
const MOST_APART_MS = 10_000;

interface Place {
  readonly machine: Machine;
  instance: Instance | null;
}

/** The processes of one installation: they die, are started again, and share one store where there are several. */
export class Replicas {
  readonly #world: WorldParts;
  readonly #disk: SimulatedDisk;
  readonly #dice: Dice;
  readonly #busy = new Busy();
  readonly #places: readonly Place[];
  #born = 0;

  constructor(world: WorldParts, disk: SimulatedDisk) {
    this.#world = world;
    this.#disk = disk;
    const { scene } = world;
    this.#dice = scene.dice('instance');
    const { replicas } = scene.swarm;
    const apartMs = replicas === 1 ? 0 : MOST_APART_MS / 2;
    this.#places = Array.from({ length: replicas }, () => ({
      machine: scene.time.machine(Math.round(this.#dice.between(-apartMs, apartMs))),
      instance: null,
    }));
  }

  start(): void {
    for (const place of this.#places) this.#begin(place);
  }

  /** A look at the store from outside. */
  store(): Store {
    return this.#busy.over(this.#disk.look());
  }

  /** Resolves when everything that does not wait for time has happened. */
  quiet(): Promise<void> {
    return this.#busy.quiet();
  }

  /** Whom the balancer sends somebody to; null: nobody answers. */
  any(): Instance | null {
    const reachable = this.#places.flatMap(({ instance }) => (instance?.isReachable ? [instance] : []));
    return reachable.length > 1 ? this.#dice.pick(reachable) : (reachable[0] ?? null);
  }

  async receive(alerts: readonly Alert[]): Promise<boolean> {
    const instance = this.any();
    return instance !== null && (await instance.receive(alerts));
  }

  /** Each reads the directory by itself. */
  policyChanged(service: string): void {
    for (const { instance } of this.#places) if (instance?.isReachable) void instance.policyChanged(service);
  }

  /** Somebody, or the time service, sets one machine's clock. */
  setClock(): void {
    const { scene } = this.#world;
    const { machine } = this.#dice.pick(this.#places);
    const mostMs = this.#places.length === 1 ? MOST_OFFSET_MS : MOST_APART_MS / 2;
    const byMs = Math.round(this.#dice.magnitude(1_000, 2 * mostMs)) * (this.#dice.chance(0.5) ? 1 : -1);
    if (Math.abs(machine.offsetMs + byMs) > mostMs) return;
    scene.struck('clock-jump');
    scene.log(`a machine's clock is set ${byMs > 0 ? 'ahead' : 'back'} by ${Math.abs(byMs) / 1000} s`);
    machine.offsetMs += byMs;
  }

  #begin(place: Place): void {
    const { scene } = this.#world;
    this.#born += 1;
    const owner = `w${this.#born}`;
    const instance: Instance = new Instance({
      ...this.#world,
      store: this.#busy.over(this.#disk.open()),
      machine: place.machine,
      owner,
      alone: this.#places.length === 1,
      dice: this.#dice,
      onDeath: () => this.#died(place),
      onNotice: () => this.#notice(instance),
    });
    place.instance = instance;
    scene.log(`${owner} is up`);
    void instance.start();
  }

  #notice(from: Instance): void {
    for (const { instance } of this.#places) {
      if (!instance?.isReachable || instance === from) continue;
      if (!this.#world.scene.hits('notice-lost', 0.5, this.#dice)) instance.notice();
    }
  }

  #died(place: Place): void {
    this.#disk.cut();
    place.instance = null;
    const awayMs = this.#dice.pick([500, 5_000, 20_000, 90_000, this.#dice.magnitude(MINUTE, 3 * HOUR)]);
    this.#world.scene.time.after(awayMs, () => this.#begin(place));
  }
}
