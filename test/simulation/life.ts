import type { Store, Unit } from '../../src/ports/store.ts';
import type { Dice } from './dice.ts';
import type { PolicyShelf } from './policies.ts';
import type { Scene } from './scene.ts';
import type { Machine } from './time.ts';

/** At full strength it dies at one await in so many, or stands still, or dies with one in so many calls on its way. */
const AWAITS_A_DEATH = 1_500;
const AWAITS_A_FREEZE = 1_000;
const SENT_A_DEATH = 100;
/** What a process sent that is gone arrives within this, where nothing is said of it. */
const ARRIVES_MS = 2_500;

/** The store's own trouble, as a full disk makes it. */
export class StoreTrouble extends Error {
  override readonly name = 'StoreTrouble';
}
/** Unwinds what a dead process was in the midst of; it is never seen outside. */
export class Died extends Error {}

export interface LifeParts {
  readonly scene: Scene;
  readonly machine: Machine;
  /** Its name among all that ever lived. */
  readonly owner: string;
  readonly dice: Dice;
  readonly onDeath: () => void;
}

type Call = (...args: unknown[]) => Promise<unknown>;

const never = () => new Promise<never>(() => undefined);

/** Of one process: whether it still lives, and everything it waits for, at which it may die or stand still. */
export class Life {
  readonly #parts: LifeParts;
  /** Of its own: whether it dies with a call on its way changes nothing else. */
  readonly #sending: Dice;
  readonly #ended = Promise.withResolvers<void>();
  #alive = true;

  constructor(parts: LifeParts) {
    this.#parts = parts;
    this.#sending = parts.scene.dice(`sending/${parts.owner}`);
  }

  get isAlive(): boolean {
    return this.#alive;
  }
  get isFrozen(): boolean {
    const { scene, machine } = this.#parts;
    return machine.frozenUntilMs > scene.time.nowMs;
  }
  /** Resolves when it is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  end(how: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    const { scene, onDeath } = this.#parts;
    scene.struck('death');
    scene.log(`${this.#parts.owner} dies (${how})`);
    scene.time.forgetDead();
    onDeath();
    this.#ended.resolve();
  }

  /** The same object as long as the process lives. */
  mortal<T extends object>(object: T): T {
    return wrapped(
      object,
      (call) =>
        (...args) =>
          this.#pass(() => call(...args)),
    );
  }

  /** What tells the world something: it may arrive, up to so much later, when the process that sent it is gone. */
  mortalSender<T extends object>(object: T, sends: readonly (keyof T & string)[], arrivesMs = ARRIVES_MS): T {
    return wrapped(object, (call, name) => (...args) => {
      const send = () => call(...args);
      return this.#pass(sends.includes(name as keyof T & string) ? () => this.#send(send, arrivesMs) : send);
    });
  }

  mortalPolicies(policies: PolicyShelf) {
    return {
      all: () => policies.all(),
      get: (service: string) => policies.get(service),
      at: (service: string, revision: string) => this.#pass(() => policies.at(service, revision)),
    };
  }

  mortalStore(store: Store): Store {
    const trouble = () => {
      const { scene, dice } = this.#parts;
      if (scene.hits('store-error', 0.01, dice)) throw new StoreTrouble('The disk is full.');
    };
    const inUnit = (unit: Unit): Unit =>
      wrapped(unit, (call) => async (...args) => {
        if (this.#isDead()) throw new Died();
        const result = await call(...args);
        if (this.#isDead()) throw new Died();
        return result;
      });
    const jobs = this.mortal(store.jobs);
    return {
      ...this.mortal(store),
      transaction: (work) =>
        this.#pass(() => {
          trouble();
          return store.transaction((unit) => work(inUnit(unit)));
        }),
      jobs: {
        ...jobs,
        claim: async (request) => {
          trouble();
          return jobs.claim(request);
        },
        retry: async (lease, next) => {
          trouble();
          return jobs.retry(lease, next);
        },
      },
      messages: this.mortal(store.messages),
      policies: this.mortal(store.policies),
      unmatched: this.mortal(store.unmatched),
      accepted: this.mortal(store.accepted),
      duties: this.mortal(store.duties),
    };
  }

  /** Dead, or dying just now. */
  #isDead(): boolean {
    const { scene, dice } = this.#parts;
    if (this.#alive && dice.chance(scene.strength('death') / AWAITS_A_DEATH)) this.end('at an await');
    return !this.#alive;
  }

  async #pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isDead()) return never();
    try {
      const result = await call();
      await this.#thawed();
      return this.#isDead() ? await never() : result;
    } catch (error) {
      await this.#thawed();
      if (this.#isDead()) return never();
      throw error;
    }
  }

  /** It may die before the answer is there: then what it sent is on its way all the same, and nobody hears what came of it. */
  async #send<T>(call: () => Promise<T>, arrivesMs: number): Promise<T> {
    const { scene } = this.#parts;
    if (!scene.hits('death-sending', 1 / SENT_A_DEATH, this.#sending)) return call();
    const waitMs = this.#sending.between(0, arrivesMs);
    if (this.#sending.chance(0.5)) {
      scene.time.after(waitMs, () => this.end('with a call on its way'));
      return call();
    }
    scene.time.after(waitMs, () => void call().catch(() => undefined));
    this.end('with a call on its way');
    return never();
  }

  /**
   * An answer is there, and it may stand still before it reads it. Never between a decision to call and the call: nobody can do
   * anything about that, but the target with its revision.
   */
  async #thawed(): Promise<void> {
    const { scene, machine, dice } = this.#parts;
    if (this.#alive && !this.isFrozen && dice.chance(scene.strength('freeze') / AWAITS_A_FREEZE)) {
      const forMs = Math.round(dice.magnitude(1_000, 5 * 60_000));
      scene.struck('freeze');
      scene.log(`${this.#parts.owner} stands still for ${Math.round(forMs / 1000)} s`);
      machine.frozenUntilMs = scene.time.nowMs + forMs;
    }
    while (this.isFrozen) await scene.time.pass(machine.frozenUntilMs - scene.time.nowMs);
  }
}

/** The same object with every function of it wrapped. */
function wrapped<T extends object>(object: T, wrap: (call: Call, name: string) => Call): T {
  const parts = Object.entries(object).map(([key, value]) => [
    key,
    typeof value === 'function' ? wrap(value, key) : value,
  ]);
  return Object.fromEntries(parts) as T;
}
