import type { Store } from '../../src/ports/store.ts';

/** How much the store is being asked just now: it gathers commits until the event loop comes round, so promises alone do not tell. */
export class Busy {
  #calls = 0;

  over(store: Store): Store {
    return {
      ...this.#counted(store),
      jobs: this.#counted(store.jobs),
      messages: this.#counted(store.messages),
      policies: this.#counted(store.policies),
      unmatched: this.#counted(store.unmatched),
      accepted: this.#counted(store.accepted),
      duties: this.#counted(store.duties),
    };
  }

  /** Resolves when everything that does not wait for time has happened. */
  async quiet(): Promise<void> {
    // Twice in a row: the worker lets the loop come round before it asks again (roundOfTheLoop).
    for (let still = 0; still < 2; still = this.#calls > 0 ? 0 : still + 1)
      await new Promise((resolve) => setImmediate(resolve));
  }

  #counted<T extends object>(object: T): T {
    const wrapped = Object.entries(object).map(([key, value]) => {
      if (typeof value !== 'function') return [key, value];
      return [key, (...args: unknown[]) => this.#count(() => value.apply(object, args))];
    });
    return Object.fromEntries(wrapped) as T;
  }

  async #count<T>(call: () => Promise<T>): Promise<T> {
    this.#calls += 1;
    try {
      return await call();
    } finally {
      this.#calls -= 1;
    }
  }
}
