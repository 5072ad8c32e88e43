import { PortError } from '../../src/ports/failure.ts';
import type { Page, Pager } from '../../src/ports/pager.ts';
import type { Dice } from './dice.ts';
import type { Scene } from './scene.ts';

const HOUR = 3_600_000;

export interface Incident {
  readonly dedupKey: string;
  readonly openedAtMs: number;
  acknowledged: boolean;
  resolvedAtMs: number | null;
}

/** PagerDuty: one open incident a key; what is resolved opens anew. */
export class SimulatedPager {
  readonly incidents: Incident[] = [];
  readonly #scene: Scene;
  readonly #dice: Dice;
  #downUntilMs = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#dice = scene.dice('pager');
    const perHour = scene.swarm.strength['pager-down'];
    const outage = () => {
      if (scene.strength('pager-down') > 0) {
        scene.struck('pager-down');
        this.#downUntilMs = scene.time.nowMs + this.#dice.magnitude(60_000, HOUR);
        scene.log('PagerDuty is down');
      }
      scene.time.after(this.#dice.waitMs(perHour), outage);
    };
    scene.time.after(this.#dice.waitMs(perHour), outage);
  }

  open(dedupKey: string): Incident | null {
    return this.incidents.find((one) => one.dedupKey === dedupKey && one.resolvedAtMs === null) ?? null;
  }

  port(): Pager {
    return {
      send: async (page) => {
        const { latencyMs, strength } = this.#scene.swarm;
        if (latencyMs > 0) await this.#scene.time.pass(this.#dice.between(0, latencyMs));
        if (this.#scene.stormy && strength['pager-down'] > 0 && this.#scene.time.nowMs < this.#downUntilMs)
          throw new PortError('retryable', 'PagerDuty answers 503.');
        if (!this.#scene.hits('pager-lost-call', 0.3, this.#dice)) {
          this.#take(page);
          if (!this.#scene.hits('pager-lost-reply', 0.3, this.#dice)) return;
        }
        await this.#scene.time.pass(this.#dice.pick([0, 10_000]));
        throw new PortError('ambiguous', 'PagerDuty did not answer in time.');
      },
    };
  }

  #take({ action, dedupKey, summary }: Page): void {
    const incident = this.open(dedupKey);
    this.#scene.log(`PagerDuty: ${action} ${dedupKey}: ${summary}`);
    if (action === 'trigger') {
      if (!incident)
        this.incidents.push({
          dedupKey,
          openedAtMs: this.#scene.time.nowMs,
          acknowledged: false,
          resolvedAtMs: null,
        });
    } else if (incident) {
      if (action === 'acknowledge') incident.acknowledged = true;
      else incident.resolvedAtMs = this.#scene.time.nowMs;
    }
  }
}
