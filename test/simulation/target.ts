import type { Observed, Readiness } from '../../src/domain/event.ts';
import type { Split } from '../../src/domain/state.ts';
import { PortError } from '../../src/ports/failure.ts';
import type { Target } from '../../src/ports/target.ts';
import type { Dice } from './dice.ts';
import type { Scene } from './scene.ts';

/** No call lands later than this after its caller gave up on it: half of what Lastgood reckons with (`REASSERT_AFTER_MS`). */
const LANDING_MS = 15_000;
const MINUTE = 60_000;

export interface Truth {
  readonly stable: string;
  readonly candidate: string | null;
  /** The candidate's share. */
  readonly percent: number;
}

/** What a target is asked to check before it does as it is told: whether Lastgood may say so. */
export type OnOrder = (service: string, split: Split, lastSeen: Observed | null) => void;

/** Where the traffic of one service really goes. It outlives every process, and does not always do what it is told. */
export class SimulatedTarget {
  truth: Truth = { stable: 'v1', candidate: null, percent: 0 };
  /** When it changed, oldest first; from then on it held. */
  readonly past: { readonly atMs: number; readonly truth: Truth }[] = [
    { atMs: 0, truth: { stable: 'v1', candidate: null, percent: 0 } },
  ];
  readonly service: string;
  readonly #scene: Scene;
  readonly #dice: Dice;
  readonly #unready = new Map<string, number>();
  /** Refuses what was decided on another one. Not every target has them: then what comes late moves it. */
  readonly #hasRevisions: boolean;
  #revision = 1;

  constructor(scene: Scene, service: string) {
    this.#scene = scene;
    this.service = service;
    this.#dice = scene.dice(`target/${service}`);
    this.#hasRevisions = scene.dice(`revisions/${service}`).chance(0.6);
  }

  /** Share of the traffic (0..1) that went to a version at that moment. */
  shareOf(version: string, atMs: number): number {
    const then = this.past.findLast((p) => p.atMs <= atMs)?.truth ?? this.truth;
    if (version === then.candidate) return then.percent / 100;
    return version === then.stable ? 1 - then.percent / 100 : 0;
  }

  move(truth: Truth, how: string): void {
    this.truth = truth;
    this.#revision += 1;
    this.past.push({ atMs: this.#scene.time.nowMs, truth });
    this.#scene.log(`${this.service} target: ${truth.candidate} ${truth.percent} %, ${truth.stable} the rest (${how})`);
  }

  /** A person at the router's own console. */
  moveByHand(): void {
    const { stable, candidate, percent } = this.truth;
    const moved =
      candidate === null || this.#dice.chance(0.15)
        ? { stable: this.#dice.chance(0.5) ? 'v-hand' : stable, candidate: null, percent: 0 }
        : { stable, candidate, percent: this.#dice.pick([0, 5, 25, 50, 80, 100].filter((p) => p !== percent)) };
    this.#scene.struck('moved-by-hand');
    this.move(moved, 'by hand');
  }

  /** Some instances of a version are gone for a while. */
  loseInstances(version: string): void {
    this.#scene.struck('not-ready');
    const forMs = this.#dice.magnitude(MINUTE, 60 * MINUTE);
    this.#scene.log(`${this.service} target: ${version} is not ready for ${Math.round(forMs / 1000)} s`);
    this.#unready.set(version, this.#scene.time.nowMs + forMs);
  }

  /** As one process sees it; what it was shown last is what it may act on. */
  port(onOrder: OnOrder): Target {
    let lastSeen: Observed | null = null;
    return {
      kind: 'simulated',
      steps: 'any',
      landingMs: LANDING_MS,
      observe: async (_, versions = []) => {
        await this.#latency();
        lastSeen = null;
        if (this.#scene.hits('observe-failed', 0.3, this.#dice)) {
          await this.#scene.time.pass(this.#dice.pick([0, 0, 5_000]));
          throw new PortError(this.#dice.pick(['retryable', 'ambiguous'] as const), 'The router did not answer.');
        }
        lastSeen = this.#observed(versions);
        return lastSeen;
      },
      shift: async (split, revision) => {
        onOrder(this.service, split, lastSeen);
        await this.#latency();
        await this.#shift(split, revision);
      },
    };
  }

  #latency(): Promise<void> {
    const { latencyMs } = this.#scene.swarm;
    return latencyMs === 0 ? Promise.resolve() : this.#scene.time.pass(this.#dice.between(0, latencyMs));
  }

  #observed(versions: readonly string[]): Observed {
    // Instances are lost at the worst of moments as well: just before they are to be used.
    if (this.#scene.strength('not-ready') > 0 && versions.length > 0 && this.#dice.chance(0.02))
      this.loseInstances(this.#dice.pick(versions));
    // Read from somewhere that is behind, and does not know it.
    const isLie = this.#scene.hits('observe-lie', 0.05, this.#dice);
    const { stable, candidate, percent } = (isLie ? this.past.at(-2)?.truth : undefined) ?? this.truth;
    const asked = new Set([stable, ...(candidate === null ? [] : [candidate]), ...versions]);
    const ready = Object.fromEntries([...asked].map((version) => [version, this.#readiness(version)]));
    const blind = this.#scene.hits('observe-blind', 0.1, this.#dice);
    const exposurePercent = blind ? null : candidate === null ? 0 : percent;
    const revision = this.#hasRevisions ? `rev${this.#revision}` : null;
    return { stable: blind ? null : stable, candidate, exposurePercent, ready, revision };
  }

  #readiness(version: string): Readiness {
    const ready = (this.#unready.get(version) ?? 0) <= this.#scene.time.nowMs || !this.#scene.stormy;
    return { ready, detail: ready ? '3 of 3 instances' : '0 of 3 instances' };
  }

  async #shift(split: Split, revision: string | null): Promise<void> {
    const hits = (fault: Parameters<Scene['hits']>[0], p: number) => this.#scene.hits(fault, p, this.#dice);
    if (revision !== null && revision !== `rev${this.#revision}`)
      throw new PortError('retryable', 'Somebody else moved it meanwhile.');
    if (hits('shift-refused', 0.5)) throw new PortError('retryable', 'The router answered 503.');
    if (hits('shift-forbidden', 0.1)) throw new PortError('permanent', 'The router answered 403.');
    if (hits('shift-lie', 0.4)) return;
    if (hits('shift-lost-call', 0.4)) return this.#giveUp();
    if (hits('shift-lost-reply', 0.4)) {
      this.#land(split, 'its reply is lost');
      return this.#giveUp();
    }
    if (hits('shift-landed-late', 0.4)) {
      const waitMs = this.#dice.pick([0, 5_000, 10_000]);
      this.#scene.time.after(waitMs + this.#dice.between(500, LANDING_MS), () => this.#land(split, 'late'));
      return this.#giveUp(waitMs);
    }
    if (hits('shift-slow', 0.5)) {
      const slowMs = this.#dice.pick([2_000, 20_000, 50_000, 110_000]);
      this.#scene.time.after(this.#dice.between(500, slowMs), () => this.#land(split, 'slowly'));
      return;
    }
    this.#land(split, 'as ordered');
    if (hits('shift-twice', 0.4))
      this.#scene.time.after(this.#dice.between(100, 5_000), () => this.#land(split, 'twice'));
  }

  async #giveUp(waitMs = this.#dice.pick([0, 5_000, 10_000])): Promise<never> {
    await this.#scene.time.pass(waitMs);
    throw new PortError('ambiguous', 'The router did not answer in time.');
  }

  #land({ stable, candidate, exposurePercent }: Split, how: string): void {
    this.move({ stable, candidate, percent: exposurePercent }, how);
  }
}
