/** Work that was begun and has not ended, so that stopping can wait for it. */
export class InFlight {
  private readonly work = new Set<Promise<unknown>>();

  track<T>(promise: Promise<T>): Promise<T> {
    // Only its end counts here; how it ended is for whoever awaits it.
    const ended = promise.then(
      () => undefined,
      () => undefined,
    );
    this.work.add(ended);
    void ended.then(() => this.work.delete(ended));
    return promise;
  }

  get size(): number {
    return this.work.size;
  }

  /** Resolves when nothing is in flight, or after `ms`. */
  async settled(ms: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, ms);
    const drained = async () => {
      while (this.work.size > 0) await Promise.all(this.work);
    };
    try {
      await Promise.race([drained(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
