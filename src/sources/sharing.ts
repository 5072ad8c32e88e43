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

interface UnderWay<T> {
  readonly promise: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

interface Kept<T> {
  readonly promise: Promise<T>;
  readonly untilMs: number;
  readonly weight: number;
}

/** Those that have come to their end are let go of this often: looking through all at every question would cost their square. */
const TIDY_EVERY_MS = 1_000;

export function createSharing<T>(options: SharingOptions<T>): Sharing<T> {
  const underWay = new Map<string, UnderWay<T>>();
  /** Those that came earliest stand first. */
  const kept = new Map<string, Kept<T>>();
  let weight = 0;
  let tidiedAtMs = Number.NEGATIVE_INFINITY;

  function drop(key: string): void {
    weight -= kept.get(key)?.weight ?? 0;
    kept.delete(key);
  }

  function keep(key: string, entry: Kept<T>): void {
    drop(key);
    kept.set(key, entry);
    weight += entry.weight;
    const nowMs = options.now();
    if (Math.abs(nowMs - tidiedAtMs) >= TIDY_EVERY_MS) {
      tidiedAtMs = nowMs;
      for (const [other, { untilMs }] of kept) if (untilMs <= nowMs) drop(other);
    }
    // To find the oldest takes long where many have gone.
    if (weight <= options.mostWeight) return;
    for (const oldest of kept.keys()) {
      if (weight <= options.mostWeight) return;
      drop(oldest);
    }
  }

  function keptNow(key: string): Kept<T> | undefined {
    const entry = kept.get(key);
    return entry !== undefined && entry.untilMs > options.now() ? entry : undefined;
  }

  function begin(key: string, work: (signal: AbortSignal) => Promise<T>): UnderWay<T> {
    const stop = new AbortController();
    const promise = work(stop.signal);
    const entry: UnderWay<T> = { promise, stop, waiting: 0 };
    underWay.set(key, entry);
    const over = () => {
      const isCurrent = underWay.get(key) === entry;
      if (isCurrent) underWay.delete(key);
      return isCurrent;
    };
    promise.then((value) => {
      const isCurrent = over();
      const keepMs = options.keepMs(value);
      if (isCurrent && keepMs > 0)
        keep(key, { promise, untilMs: options.now() + keepMs, weight: options.weightOf(value) });
    }, over);
    return entry;
  }

  /** The last one to leave stops the work, and nobody joins it any more. */
  function leave(key: string, entry: UnderWay<T>): void {
    entry.waiting -= 1;
    if (entry.waiting > 0 || underWay.get(key) !== entry) return;
    underWay.delete(key);
    entry.stop.abort();
  }

  return {
    has: (key) => underWay.has(key) || keptNow(key) !== undefined,
    get: async (key, signal, work) => {
      if (signal.aborted) return options.stopped;
      const answered = keptNow(key);
      if (answered !== undefined) return answered.promise;
      const entry = underWay.get(key) ?? begin(key, work);
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

/** Runs what it is given in its own time. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs what it is given, `atOnce` at a time, the rest in the order they came. */
export function limited(atOnce: number): Limit {
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
