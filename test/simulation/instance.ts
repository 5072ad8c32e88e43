import { sharedDuty } from '../../src/app/duty.ts';
import { createReconciler, type Reconciler } from '../../src/app/reconciling.ts';
import type { Application } from '../../src/application/api.ts';
import { createApplication, type Lookout } from '../../src/application/application.ts';
import { createLeftBehind, type LeftBehind } from '../../src/application/left-behind.ts';
import type { Alert } from '../../src/domain/state.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Store, Unit } from '../../src/ports/store.ts';
import type { Target } from '../../src/ports/target.ts';
import type { Telemetry } from '../../src/ports/telemetry.ts';
import { createPerformers } from '../../src/runtime/performers/index.ts';
import type { World } from '../../src/runtime/performers/performer.ts';
import { createWorker, type Worker } from '../../src/runtime/worker.ts';
import type { SimulatedAlertmanager } from './alertmanager.ts';
import type { SimulatedChat } from './chat.ts';
import type { Dice } from './dice.ts';
import type { History } from './history.ts';
import type { Mutant } from './mutants.ts';
import type { Numbers } from './numbers.ts';
import type { SimulatedPager } from './pager.ts';
import type { PolicyShelf } from './policies.ts';
import type { Scene } from './scene.ts';
import type { SimulatedTarget } from './target.ts';
import type { Machine } from './time.ts';

export const INSTANCE = 'sim';
/** At full strength it dies at one await in so many, or stands still. */
const AWAITS_A_DEATH = 1_500;
const AWAITS_A_FREEZE = 1_000;
/** Longer than the clocks of two replicas differ, by far. */
const LEASE_MS = 30_000;
/** A notice may be lost. */
const POLL_MS = 60_000;

/** The store's own trouble, as a full disk makes it. */
class StoreTrouble extends Error {
  override readonly name = 'StoreTrouble';
}
/** Unwinds what a dead process was in the midst of; it is never seen outside. */
class Died extends Error {}

/** What is there whichever process lives. */
export interface WorldParts {
  readonly scene: Scene;
  readonly history: History;
  readonly policies: PolicyShelf;
  readonly targets: ReadonlyMap<string, SimulatedTarget>;
  readonly numbers: ReadonlyMap<string, Numbers>;
  readonly alertmanager: SimulatedAlertmanager;
  readonly chat: SimulatedChat;
  readonly pager: SimulatedPager;
  readonly mutant: Mutant;
}

export interface InstanceParts extends WorldParts {
  /** Its own, over what all of them share. */
  readonly store: Store;
  readonly machine: Machine;
  /** Its name among all that ever lived. */
  readonly owner: string;
  /** Nobody else works on the store. */
  readonly alone: boolean;
  readonly dice: Dice;
  readonly onDeath: () => void;
  /** It may have left something to do for another. */
  readonly onNotice: () => void;
}

type Call = (...args: unknown[]) => Promise<unknown>;

const never = () => new Promise<never>(() => undefined);

/**
 * One process of Lastgood: the real application, worker and reconciler over ports that are gone when it dies. It may die at any
 * await of its own: what was committed stays, what was sent is on its way, everything else is lost.
 */
export class Instance {
  readonly application: Application;
  readonly #lookout: Lookout;
  readonly #worker: Worker;
  readonly #leftBehind: LeftBehind;
  readonly #reconciler: Reconciler;
  readonly #parts: InstanceParts;
  readonly #clock: Clock;
  #alive = true;

  constructor(parts: InstanceParts) {
    this.#parts = parts;
    const { scene, history, policies, mutant, owner, alone } = parts;
    const clock = scene.time.machineClock(parts.machine, () => this.#alive);
    this.#clock = clock;
    const store = this.#mortalStore(history.over(mutant.store?.(parts.store) ?? parts.store));
    const telemetry = this.#telemetry();
    const targets = new Map<string, Target>();
    for (const [service, target] of parts.targets) {
      const port = target.port((name, split, lastSeen) => {
        if (this.#alive) history.checkOrder(name, split, lastSeen);
      });
      targets.set(service, this.#mortal(port));
    }
    const targetOf = ({ service }: { service: string }) => wanted(targets, service);
    const common = { store, clock, telemetry, policies: this.#mortalPolicies(policies), targets: targetOf };
    const wake = () => {
      this.#worker.wake();
      parts.onNotice();
    };
    const application = createApplication({ ...common, decide: history.decide, wake });
    this.application = application;
    this.#lookout = application;
    const alertSource = this.#mortal(parts.alertmanager.source());
    const world: World = {
      ...common,
      sources: ({ service }) => this.#mortal(wanted(parts.numbers, service).source()),
      alertSources: () => alertSource,
      chat: this.#mortal(parts.chat.port()),
      pager: this.#mortal(parts.pager.port()),
      instance: INSTANCE,
    };
    const performers = createPerformers(mutant.world?.(world) ?? world);
    this.#worker = createWorker({
      store,
      recorder: application,
      performers: mutant.performers?.(performers, world) ?? performers,
      clock,
      telemetry,
      owner,
      alone,
      ...(!alone && { leaseMs: LEASE_MS, pollMs: POLL_MS }),
      random: () => parts.dice.uniform(),
    });
    this.#leftBehind = createLeftBehind({ application, clock, telemetry, alone });
    this.#reconciler = createReconciler({
      application,
      store,
      clock,
      endpointOf: (policy) => policy.alertmanager,
      sourceOf: () => alertSource,
      onReach: () => undefined,
      ...(!alone && { duty: sharedDuty('alertmanager', { store, clock, owner }) }),
      onProblem: (error) => telemetry.problem('alertmanager', error),
    });
  }

  async start(): Promise<void> {
    // Where the store is in trouble it does not come up; whoever runs it starts it again.
    try {
      await this.#worker.start();
    } catch {
      this.#die('it could not start');
      return;
    }
    this.#reconciler.start();
    void this.#lookOut();
    await this.#leftBehind.start();
  }

  /** A webhook: true where it was taken, and then nothing of it may be lost. */
  async receive(alerts: readonly Alert[]): Promise<boolean> {
    try {
      await this.application.receiveAlerts(alerts);
      return true;
    } catch (error) {
      this.#telemetry().problem('webhook', error);
      return false;
    }
  }

  /** Another one may have left something to do. */
  notice(): void {
    this.#worker.wake();
  }

  get isReachable(): boolean {
    return this.#alive && !this.#isFrozen;
  }

  /** A policy file was edited, and read: the first to come tells, as app.ts has it. */
  async policyChanged(service: string): Promise<void> {
    const { history, policies, store } = this.#parts;
    try {
      if (!history.states.has(service)) return;
      const revision = policies.get(service)?.revision ?? 'gone';
      const [last] = await store.journal({ service, limit: 1 });
      if (last?.entry.policyRevision === revision) return;
      const key = `policy/${service}/${revision}/${last?.sequence ?? 0}`;
      await this.application.deliver(service, { type: 'policy_changed' }, key);
    } catch (error) {
      this.#telemetry().problem('policies', error);
    }
    this.#reconciler.wake();
  }

  #die(how: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    const { scene, onDeath } = this.#parts;
    scene.struck('death');
    scene.log(`${this.#parts.owner} dies (${how})`);
    scene.time.forgetDead();
    onDeath();
  }

  /** Dead, or dying just now. */
  #isDead(): boolean {
    const { scene, dice } = this.#parts;
    if (this.#alive && dice.chance(scene.strength('death') / AWAITS_A_DEATH)) this.#die('at an await');
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

  get #isFrozen(): boolean {
    const { scene, machine } = this.#parts;
    return machine.frozenUntilMs > scene.time.nowMs;
  }

  /**
   * An answer is there, and it may stand still before it reads it. Never between a decision to call and the call: nobody can do
   * anything about that, but the target with its revision.
   */
  async #thawed(): Promise<void> {
    const { scene, machine, dice } = this.#parts;
    if (this.#alive && !this.#isFrozen && dice.chance(scene.strength('freeze') / AWAITS_A_FREEZE)) {
      const forMs = Math.round(dice.magnitude(1_000, 5 * 60_000));
      scene.struck('freeze');
      scene.log(`${this.#parts.owner} stands still for ${Math.round(forMs / 1000)} s`);
      machine.frozenUntilMs = scene.time.nowMs + forMs;
    }
    while (this.#isFrozen) await scene.time.pass(machine.frozenUntilMs - scene.time.nowMs);
  }

  /** The same object as long as the process lives. */
  #mortal<T extends object>(object: T): T {
    return wrapped(
      object,
      (call) =>
        (...args) =>
          this.#pass(() => call(...args)),
    );
  }

  #mortalPolicies(policies: PolicyShelf) {
    return {
      all: () => policies.all(),
      get: (service: string) => policies.get(service),
      at: (service: string, revision: string) => this.#pass(() => policies.at(service, revision)),
    };
  }

  #mortalStore(store: Store): Store {
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
    const jobs = this.#mortal(store.jobs);
    return {
      ...this.#mortal(store),
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
      messages: this.#mortal(store.messages),
      policies: this.#mortal(store.policies),
      unmatched: this.#mortal(store.unmatched),
      accepted: this.#mortal(store.accepted),
      duties: this.#mortal(store.duties),
    };
  }

  /** As the health checks look at every target in turn. */
  async #lookOut(): Promise<void> {
    const { scene, targets } = this.#parts;
    const ending = new AbortController();
    for (;;) {
      await this.#clock.sleepUntil(this.#clock.now() + scene.swarm.lookoutMs, ending.signal);
      for (const service of targets.keys()) {
        try {
          await this.#lookout.lookAtTarget(service, ending.signal);
        } catch (error) {
          this.#telemetry().problem(`look at ${service}`, error);
        }
      }
    }
  }

  #telemetry(): Telemetry {
    const { scene } = this.#parts;
    const nothing = () => undefined;
    return {
      alertsReceived: nothing,
      alertUnmatched: nothing,
      decided: nothing,
      journalled: nothing,
      rolloutEnded: nothing,
      performed: ({ kind, outcome }) => scene.reach(`performed ${kind} ${outcome}`),
      problem: (where, error) => {
        const isExpected = error instanceof PortError || error instanceof StoreTrouble || error instanceof Died;
        const isLost = error instanceof Error && /cannot be had any more/.test(error.message);
        if (!this.#alive || isExpected || isLost) return;
        scene.breaks(`unexpected: ${where}: ${error instanceof Error ? error.stack : String(error)}`);
      },
    };
  }
}

/** The same object with every function of it wrapped. */
function wrapped<T extends object>(object: T, wrap: (call: Call) => Call): T {
  const parts = Object.entries(object).map(([key, value]) => [key, typeof value === 'function' ? wrap(value) : value]);
  return Object.fromEntries(parts) as T;
}

function wanted<T>(of: ReadonlyMap<string, T>, service: string): T {
  const one = of.get(service);
  if (one === undefined) throw new Error(`There is no ${service} in this world.`);
  return one;
}
