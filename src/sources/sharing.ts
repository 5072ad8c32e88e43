/** The same question at the same moment is asked once, whoever asks. */

export interface Sharing<T> {
  /** Whether the answer is there or on its way: asking costs nothing. */
  has(key: string): boolean;
  /**
   * The answer under this key, from `work` where nobody has asked yet. One who stops waiting gets `stopped`; the work itself is
   * stopped with the last of them.
   */
  get(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

export interface SharingOptions<T> {
  readonly now: () => number;
  /** How long an answer is kept after it came; 0: not at all. */
  readonly keepMs: (value: T) => number;
  /** Kept answers together weigh no more; the oldest go first. */
  readonly mostWeight: number;
  readonly weightOf: (value: T) => number;
  /** What one gets who stops waiting. */
  readonly stopped: T;
}

interface Entry<T> {
  readonly promise: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
  /** Infinity: still under way. */
  keptUntilMs: number;
  weight: number;
}

export function createSharing<T>(options: SharingOptions<T>): Sharing<T> {
  const entries = new Map<string, Entry<T>>();

  /** Those that came earliest stand first. */
  function tidy(): void {
    const nowMs = options.now();
    let weight = 0;
    for (const [key, entry] of entries) {
      if (entry.keptUntilMs <= nowMs) entries.delete(key);
      else weight += entry.weight;
    }
    for (const [key, entry] of entries) {
      if (weight <= options.mostWeight) return;
      if (entry.keptUntilMs === Number.POSITIVE_INFINITY) continue;
      entries.delete(key);
      weight -= entry.weight;
    }
  }

  function begin(key: string, work: (signal: AbortSignal) => Promise<T>): Entry<T> {
    const stop = new AbortController();
    const promise = work(stop.signal);
    const entry: Entry<T> = { promise, stop, waiting: 0, keptUntilMs: Number.POSITIVE_INFINITY, weight: 0 };
    entries.set(key, entry);
    const forget = () => {
      if (entries.get(key) === entry) entries.delete(key);
    };
    promise.then((value) => {
      const keepMs = options.keepMs(value);
      if (keepMs <= 0) return forget();
      entry.keptUntilMs = options.now() + keepMs;
      entry.weight = options.weightOf(value);
      tidy();
    }, forget);
    return entry;
  }

  /** The last one to leave stops the work, and nobody joins it any more. */
  function leave(key: string, entry: Entry<T>): void {
    entry.waiting -= 1;
    if (entry.waiting > 0 || entry.keptUntilMs !== Number.POSITIVE_INFINITY) return;
    if (entries.get(key) === entry) entries.delete(key);
    entry.stop.abort();
  }

  return {
    has: (key) => {
      tidy();
      return entries.has(key);
    },
    get: async (key, signal, work) => {
      tidy();
      if (signal.aborted) return options.stopped;
      const entry = entries.get(key) ?? begin(key, work);
      entry.waiting += 1;
      const { promise: left, resolve } = Promise.withResolvers<T>();
      const leaving = () => {
        leave(key, entry);
        resolve(options.stopped);
      };
      signal.addEventListener('abort', leaving, { once: true });
      try {
        return await Promise.race([entry.promise, left]);
      } finally {
        signal.removeEventListener('abort', leaving);
      }
    },
  };
}

/** Runs what it is given, `atOnce` at a time, the rest in the order they came. */
export function limited(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= atOnce) await new Promise<void>((go) => waiting.push(go));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
