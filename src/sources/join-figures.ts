/** What was learned of queries that were joined: how much comes back, and how many may go together. */

export interface Figures {
  /** Series an ask brings, as far as is known. */
  readonly seriesEach: number;
  /** Asks that go into one query at most. */
  readonly most: number;
}

/** Before anything is known: some pods, each with some codes. */
const SERIES_EACH = 10;
/** After a failure fewer are joined for so long. */
const CAREFUL_MS = 300_000;
/** Templates, times the grids they are looked at on. */
const MOST_KEPT = 1_000;
/** Series nobody asked for: so many, and this many times those that were, are too many. */
const STRANGERS = 100;
const STRANGERS_EACH = 2;

/** Looks of others within this time after one: it pays to wait for them, for as long as they were seen within the longer time. */
const NEAR_MS = 1_000;
const CROWD_MS = 300_000;

interface Learned {
  look: unknown;
  /** What that look asked for. */
  values: Set<string>;
  askedAtMs: number;
  crowdUntilMs: number;
  seriesEach: number;
  most: number;
  carefulUntilMs: number;
}

export interface FiguresKept {
  /** Notes that a look asks for these values; whether other services ask for the same at about the same time. */
  isCrowd(key: string, look: unknown, values: string): boolean;
  of(key: string): Figures;
  learn(key: string, asks: number, series: number, strangers: number): void;
  /** `isOnesOwn`: refused for what was asked, rather than because the server is unwell. */
  failed(key: string, asks: number, isOnesOwn: boolean): void;
}

export function createFigures(now: () => number): FiguresKept {
  const kept = new Map<string, Learned>();
  const get = (key: string): Learned => {
    const known = kept.get(key) ?? unknown();
    if (now() >= known.carefulUntilMs) known.most = Number.POSITIVE_INFINITY;
    kept.delete(key);
    kept.set(key, known);
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    return known;
  };
  const careful = (key: string, most: number) => {
    const known = get(key);
    known.most = Math.max(1, Math.floor(most));
    known.carefulUntilMs = now() + CAREFUL_MS;
  };
  return {
    isCrowd: (key, look, values) => {
      const known = get(key);
      const nowMs = now();
      if (known.look !== look) {
        const isNear = known.look !== null && nowMs - known.askedAtMs < NEAR_MS;
        if (isNear && !known.values.has(values)) known.crowdUntilMs = nowMs + CROWD_MS;
        known.look = look;
        known.values = new Set();
      }
      known.values.add(values);
      known.askedAtMs = nowMs;
      return nowMs < known.crowdUntilMs;
    },
    of: get,
    learn: (key, asks, series, strangers) => {
      const known = get(key);
      // More than expected counts at once, less by and by.
      known.seriesEach = Math.max(series / asks, 0.9 * known.seriesEach, 1);
      if (strangers > STRANGERS + STRANGERS_EACH * (series - strangers)) careful(key, asks / 4);
    },
    failed: (key, asks, isOnesOwn) => careful(key, asks / (isOnesOwn ? 4 : 2)),
  };
}

function unknown(): Learned {
  return {
    look: null,
    values: new Set(),
    askedAtMs: 0,
    crowdUntilMs: 0,
    seriesEach: SERIES_EACH,
    most: Number.POSITIVE_INFINITY,
    carefulUntilMs: 0,
  };
}
