/**
 * What is left to do of a press once it is acknowledged, in the order it came: one is begun each time the event loop comes round, so
 * that of many who press at once all are acknowledged before forms are opened. Who waits for Slack holds up nobody.
 */
export class Afterwards {
  private readonly waiting: (() => void)[] = [];

  /** Resolves when it is this one's turn. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      if (this.waiting.length === 1) this.goRound();
    });
  }

  private goRound(): void {
    setImmediate(() => {
      this.waiting.shift()?.();
      if (this.waiting.length > 0) this.goRound();
    });
  }
}
