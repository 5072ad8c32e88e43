import { type Random, random } from '../bench/random.ts';

/** Seeded choices. Each part of a run has dice of its own, so that one more draw here does not change what happens there. */
export class Dice {
  readonly #random: Random;

  constructor(seed: number, key: string) {
    this.#random = random(seed, key);
  }

  /** In [0, 1). */
  uniform(): number {
    return this.#random.uniform();
  }
  chance(probability: number): boolean {
    return probability > 0 && this.#random.uniform() < probability;
  }
  /** Evenly in [from, to). */
  between(from: number, to: number): number {
    return from + this.#random.uniform() * (to - from);
  }
  /** As likely between 1 and 2 as between 10 and 20. */
  magnitude(from: number, to: number): number {
    return from * (to / from) ** this.#random.uniform();
  }
  whole(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }
  pick<T>(of: readonly T[]): T {
    const one = of[Math.floor(this.#random.uniform() * of.length)];
    if (one === undefined) throw new Error('There is nothing to pick from.');
    return one;
  }
  /** A wait until the next of events that come `perHour` on average. */
  waitMs(perHour: number): number {
    return perHour > 0 ? (-Math.log(1 - this.#random.uniform()) / perHour) * 3_600_000 : Number.POSITIVE_INFINITY;
  }
}
