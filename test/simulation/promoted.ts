import type { Decided } from '../support/decision-rules.ts';
import type { Scene } from './scene.ts';

/** Between the look at the other service and the start that goes by it nothing takes longer. */
const ASIDE_MS = 10_000;

interface Fared {
  readonly phase: string;
  readonly sinceMs: number;
  /** What it was before that. */
  readonly before: string | null;
}

/** How versions fared by what was committed, and whether those that are required to have succeeded elsewhere have. */
export class Promoted {
  readonly #scene: Scene;
  /** The latest rollout of each version, by service. */
  readonly #fared = new Map<string, Fared>();
  readonly #served = new Set<string>();

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
    for (const { version } of state.served) this.#served.add(`${service}/${version.id}`);
    if (!rollout) return;
    const key = `${service}/${rollout.candidate.id}`;
    const known = this.#fared.get(key);
    const phase = `${rollout.id} ${rollout.phase.name}`;
    if (known?.phase === phase) return;
    this.#fared.set(key, { phase, sinceMs: this.#scene.time.nowMs, before: known?.phase ?? null });
  }

  /** What was found serving, or was gone back to, never had a rollout of its own. */
  #mayHaveSucceeded(service: string, version: string): boolean {
    const fared = this.#fared.get(`${service}/${version}`);
    if (!fared) return this.#served.has(`${service}/${version}`);
    const isFresh = this.#scene.time.nowMs - fared.sinceMs < ASIDE_MS;
    return [fared.phase, ...(isFresh ? [fared.before ?? ''] : [])].some((phase) => phase.endsWith(' succeeded'));
  }
}
