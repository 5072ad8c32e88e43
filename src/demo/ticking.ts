/** Does something every so often, never twice at once, until stopped; a slow round leaves out those it overslept. */
export interface Ticking {
  /** Resolves when the round under way is over. */
  stop(): Promise<void>;
}

/** The first round begins at once. What a round throws goes to `onError`, and the next one comes all the same. */
export function every(ms: number, round: () => Promise<void> | void, onError: (error: unknown) => void): Ticking {
  const first = Date.now();
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  const run = async () => {
    try {
      await round();
    } catch (error) {
      onError(error);
    }
    if (stopped) return;
    // On the grid of the first: the rounds keep their distance however long each takes.
    const late = (Date.now() - first) % ms;
    timer = setTimeout(begin, ms - late);
  };
  const begin = () => {
    running = run();
  };
  begin();
  return {
    stop: () => {
      stopped = true;
      if (timer) clearTimeout(timer);
      return running;
    },
  };
}
