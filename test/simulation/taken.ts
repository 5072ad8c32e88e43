import type { Alert } from '../../src/domain/state.ts';
import type { Scene } from './scene.ts';

/** What a state is told of an alert, whatever it makes of it. */
export function alertKey(service: string, { fingerprint, startsAtMs, status }: Alert): string {
  return `${service}/${fingerprint}/${startsAtMs}/${status}`;
}

/** What Alertmanager was told is taken: it waits in the table until it is decided on, whoever dies meanwhile. */
export class Taken {
  readonly #waiting = new Set<string>();
  readonly #scene: Scene;
  readonly #heard: ReadonlySet<string>;
  readonly #stored: () => ReadonlySet<string>;

  /**
   * By `alertKey`:
   * @param heard what was decided on.
   * @param stored what waits in the table.
   */
  constructor(scene: Scene, heard: ReadonlySet<string>, stored: () => ReadonlySet<string>) {
    this.#scene = scene;
    this.#heard = heard;
    this.#stored = stored;
  }

  /** True: it is decided on already. Just now a unit under way may hold it, out of the table and not in the history: `check` waits. */
  take(service: string, alert: Alert): boolean {
    const key = alertKey(service, alert);
    if (this.#heard.has(key)) return true;
    this.#waiting.add(key);
    this.#scene.reach('intake stored');
    return false;
  }

  /** Nobody's any more: its policy is gone. */
  release(service: string): void {
    for (const key of this.#waiting) if (key.startsWith(`${service}/`)) this.#waiting.delete(key);
  }

  /** When nothing is going on. */
  check(): void {
    if (this.#waiting.size === 0) return;
    const stored = this.#stored();
    for (const key of this.#waiting) {
      if (stored.has(key)) continue;
      this.#waiting.delete(key);
      if (!this.#heard.has(key)) this.#scene.breaks(`nothing lost: ${key} was taken, and neither waits nor is known`);
    }
  }
}
