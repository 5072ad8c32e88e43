/** What a look waits for, however much that is: one promise for all of it. */
export class Waiting {
  #underWay = 0;
  #over: (() => void) | null = null;

  begin(): void {
    this.#underWay += 1;
  }

  end(): void {
    this.#underWay -= 1;
    if (this.#underWay > 0) return;
    this.#over?.();
    this.#over = null;
  }

  /** Resolves once nothing is under way. For one who waits at a time. */
  over(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#over = resolve;
    });
  }
}
