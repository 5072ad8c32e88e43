import { sharedDuty } from '../../src/app/duty.ts';
import { createReconciler, type Reconciler } from '../../src/app/reconciling.ts';
import type { Application } from '../../src/application/api.ts';
import { createApplication, type Lookout } from '../../src/application/application.ts';
import { createLeftBehind, type LeftBehind } from '../../src/application/left-behind.ts';
import type { Alert } from '../../src/domain/state.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Target } from '../../src/ports/target.ts';
import type { Telemetry } from '../../src/ports/telemetry.ts';
import { createPerformers } from '../../src/runtime/performers/index.ts';
import type { World } from '../../src/runtime/performers/performer.ts';
import { createWorker, type Worker } from '../../src/runtime/worker.ts';
import type { SimulatedAlertmanager } from './alertmanager.ts';
import type { SimulatedChat } from './chat.ts';
import type { Dice } from './dice.ts';
import type { History } from './history.ts';
import { Died, Life, StoreTrouble } from './life.ts';
import type { Mutant } from './mutants.ts';
import type { Numbers } from './numbers.ts';
import type { SimulatedPager } from './pager.ts';
import type { PolicyShelf } from './policies.ts';
import type { Scene } from './scene.ts';
import type { SimulatedTarget } from './target.ts';
import type { Machine } from './time.ts';

export const INSTANCE = 'sim';
/** Longer than the clocks of two replicas differ, by far. */
const LEASE_MS = 30_000;
/** A notice may be lost. */
const POLL_MS = 60_000;

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
  readonly #life: Life;

  constructor(parts: InstanceParts) {
    this.#parts = parts;
    const { scene, history, policies, mutant, owner, alone } = parts;
    const life = new Life(parts);
    this.#life = life;
    const clock = scene.time.machineClock(parts.machine, () => life.isAlive);
    this.#clock = clock;
    const store = life.mortalStore(history.over(mutant.store?.(parts.store) ?? parts.store));
    const telemetry = this.#telemetry();
    const targets = new Map<string, Target>();
    for (const [service, target] of parts.targets) {
      const port = target.port((name, split, lastSeen) => {
        if (life.isAlive) history.checkOrder(name, split, lastSeen);
      });
      targets.set(service, life.mortalSender(port, ['shift'], port.landingMs));
    }
    const targetOf = ({ service }: { service: string }) => wanted(targets, service);
    const common = { store, clock, telemetry, policies: life.mortalPolicies(policies), targets: targetOf };
    const wake = () => {
      this.#worker.wake();
      parts.onNotice();
    };
    const application = createApplication({
      ...common,
      decide: history.decide,
      wake,
      place: () => this.#worker.place(),
    });
    this.application = application;
    this.#lookout = application;
    const alertSource = life.mortalSender(parts.alertmanager.source(), ['silence', 'lift']);
    const world: World = {
      ...common,
      sources: ({ service }) => life.mortal(wanted(parts.numbers, service).source()),
      alertSources: () => alertSource,
      chat: life.mortalSender(parts.chat.port(), ['post', 'update']),
      pager: life.mortalSender(parts.pager.port(), ['send']),
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
      this.#life.end('it could not start');
      return;
    }
    this.#reconciler.start();
    void this.#lookOut();
    await this.#leftBehind.start();
  }

  /** A webhook: true where it was taken, and then nothing of it may be lost. Who dies meanwhile hangs up. */
  async receive(alerts: readonly Alert[]): Promise<boolean> {
    try {
      const taken = this.application.receiveAlerts(alerts).then(() => true);
      return await Promise.race([taken, this.#life.ended.then(() => false)]);
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
    return this.#life.isAlive && !this.#life.isFrozen;
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
        if (!this.#life.isAlive || isExpected || isLost) return;
        scene.breaks(`unexpected: ${where}: ${error instanceof Error ? error.stack : String(error)}`);
      },
    };
  }
}

function wanted<T>(of: ReadonlyMap<string, T>, service: string): T {
  const one = of.get(service);
  if (one === undefined) throw new Error(`There is no ${service} in this world.`);
  return one;
}
