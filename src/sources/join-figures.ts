/** What was learned of queries that were joined: how much comes back, and how many may go together. */

/** Before anything is known: some pods, each with some codes. */
const SERIES_EACH = 10;
/** After a failure fewer are joined for so long. */
const CAREFUL_MS = 300_000;
/** Series nobody asked for: so many, and this many times those that were, are too many. */
const STRANGERS = 100;
const STRANGERS_EACH = 2;

/** Looks of others within this time after one: it pays to wait for them, for as long as they were seen within the longer time. */
const NEAR_MS = 1_000;
const CROWD_MS = 300_000;

export class Figures {
  #look: unknown = null;
  /** What that look asked for. */
  #values: (readonly string[])[] = [];
  #askedAtMs = 0;
  #crowdUntilMs = 0;
  #seriesEach = SERIES_EACH;
  #most = Number.POSITIVE_INFINITY;
  #carefulUntilMs = 0;

  /** Notes that a look asks for these values; whether other services ask for the same at about the same time. */
  isCrowd(look: unknown, values: readonly string[], nowMs: number): boolean {
    // Seen to be one just now: nothing more can be learned of it.
    if (nowMs >= this.#crowdUntilMs - CROWD_MS + NEAR_MS) this.#note(look, values, nowMs);
    this.#askedAtMs = nowMs;
    return nowMs < this.#crowdUntilMs;
  }

  #note(look: unknown, values: readonly string[], nowMs: number): void {
    if (this.#look !== look) {
      const isNear = this.#look !== null && nowMs - this.#askedAtMs < NEAR_MS;
      if (isNear && !this.#values.some((known) => areSame(known, values))) this.#crowdUntilMs = nowMs + CROWD_MS;
      this.#look = look;
      this.#values = [];
    }
    this.#values.push(values);
  }

  /** Series an ask brings, as far as is known. */
  get seriesEach(): number {
    return this.#seriesEach;
  }

  /** Asks that go into one query at most. */
  most(nowMs: number): number {
    return nowMs < this.#carefulUntilMs ? this.#most : Number.POSITIVE_INFINITY;
  }

  learn(asks: number, series: number, strangers: number, nowMs: number): void {
    // More than expected counts at once, less by and by.
    this.#seriesEach = Math.max(series / asks, 0.9 * this.#seriesEach, 1);
    if (strangers > STRANGERS + STRANGERS_EACH * (series - strangers)) this.#beCareful(asks / 4, nowMs);
  }

  /** `isOnesOwn`: refused for what was asked, rather than because the server is unwell. */
  failed(asks: number, isOnesOwn: boolean, nowMs: number): void {
    this.#beCareful(asks / (isOnesOwn ? 4 : 2), nowMs);
  }

  #beCareful(most: number, nowMs: number): void {
    this.#most = Math.max(1, Math.floor(most));
    this.#carefulUntilMs = nowMs + CAREFUL_MS;
  }
}

export function areSame(a: readonly string[], b: readonly string[]): boolean {
  for (let k = 0; k < a.length; k += 1) if (a[k] !== b[k]) return false;
  return a.length === b.length;
}
