import type { Served } from '../../src/domain/served.ts';
import type { Rollout } from '../../src/domain/state.ts';
import type { Decided } from '../support/decision-rules.ts';
import type { Scene } from './scene.ts';

/** Between the look at the other service and the start that goes by it: longer than any process stands still. */
const ASIDE_MS = 10 * 60_000;

interface Fared {
  /** No rollout stands against it, and it served all traffic with its credit: watched to the end, found, or gone back to. */
  readonly good: boolean;
  readonly sinceMs: number;
}

/** How versions fared by what was committed, and whether those that are required to have succeeded elsewhere have. */
export class Promoted {
  readonly #scene: Scene;
  /** How each version stood, by service, the latest last. */
  readonly #fared = new Map<string, Fared[]>();

  constructor(scene: Scene) {
    this.#scene = scene;
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
    const { past, served } = state;
    const rollouts = [...past.rollouts, ...(rollout ? [rollout] : [])];
    const versions = [...served.map(({ version }) => version), ...rollouts.map(({ candidate }) => candidate)];
    for (const id of new Set(versions.map((version) => version.id))) {
      this.#note(
        `${service}/${id}`,
        isGood(
          rollouts.filter(({ candidate }) => candidate.id === id),
          served.filter(({ version }) => version.id === id),
        ),
      );
    }
  }

  #note(key: string, good: boolean): void {
    const fared = this.#fared.get(key) ?? [];
    if (fared.at(-1)?.good === good) return;
    fared.push({ good, sinceMs: this.#scene.time.nowMs });
    this.#fared.set(key, fared);
  }

  #mayHaveSucceeded(service: string, version: string): boolean {
    const fared = this.#fared.get(`${service}/${version}`) ?? [];
    const recentMs = this.#scene.time.nowMs - ASIDE_MS;
    // What held at some moment since then.
    return fared.some(({ good }, i) => good && (fared[i + 1]?.sinceMs ?? Number.POSITIVE_INFINITY) >= recentMs);
  }
}

/** Of one version, by its rollouts and the times it served, as far as they are remembered. */
function isGood(rollouts: readonly Rollout[], served: readonly Served[]): boolean {
  const latest = rollouts.at(-1);
  if (latest && latest.phase.name !== 'succeeded') return false;
  return served.length === 0 || served.some(({ tainted }) => !tainted);
}
