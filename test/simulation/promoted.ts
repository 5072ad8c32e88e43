import type { ServiceState } from '../../src/domain/state.ts';
import type { Decided } from '../support/decision-rules.ts';
import type { Scene } from './scene.ts';

/** Between the look at the other service and the start that goes by it: longer than any process stands still. */
const ASIDE_MS = 10 * 60_000;

interface Fared {
  readonly rolloutId: string;
  readonly phase: string;
  readonly sinceMs: number;
}

/** How versions fared by what was committed, and whether those that are required to have succeeded elsewhere have. */
export class Promoted {
  readonly #scene: Scene;
  readonly #states: ReadonlyMap<string, ServiceState>;
  /** The rollouts of each version and their phases, by service, the latest last. */
  readonly #fared = new Map<string, Fared[]>();
  readonly #served = new Set<string>();

  /** @param states as committed last. */
  constructor(scene: Scene, states: ReadonlyMap<string, ServiceState>) {
    this.#scene = scene;
    this.#states = states;
  }

  look({ state, event, policy }: Decided): void {
    const { rollout, service } = state;
    const { requires } = policy;
    if (event.type === 'command' && event.command.name === 'start' && requires) {
      const { candidate, force } = event.command;
      this.#scene.reach(`promotion ${force ? 'forced' : 'required'}`);
      if (!force && !this.#mayHaveSucceeded(requires.service, candidate.id))
        this.#scene.breaks(`${candidate.id} is started on ${service} and has not succeeded on ${requires.service}`);
    }
    for (const { version } of state.served) this.#served.add(`${service}/${version.id}`);
    if (!rollout) return;
    const key = `${service}/${rollout.candidate.id}`;
    const fared = this.#fared.get(key) ?? [];
    const last = fared.at(-1);
    if (last?.rolloutId === rollout.id && last.phase === rollout.phase.name) return;
    fared.push({ rolloutId: rollout.id, phase: rollout.phase.name, sinceMs: this.#scene.time.nowMs });
    this.#fared.set(key, fared);
  }

  #mayHaveSucceeded(service: string, version: string): boolean {
    const key = `${service}/${version}`;
    const fared = this.#fared.get(key) ?? [];
    const recentMs = this.#scene.time.nowMs - ASIDE_MS;
    // What held at some moment since then.
    const recent = fared.filter((_, i) => (fared[i + 1]?.sinceMs ?? Number.POSITIVE_INFINITY) >= recentMs);
    if (recent.some(({ phase }) => phase === 'succeeded')) return true;
    // What was found serving, or was gone back to, has no rollout of its own, or none that is remembered.
    const state = this.#states.get(service);
    const known = [...(state?.past.rollouts ?? []), state?.rollout].map((rollout) => rollout?.id);
    return this.#served.has(key) && !fared.some(({ rolloutId }) => known.includes(rolloutId));
  }
}
