/** Time, so that the same code runs live, in tests and on a virtual clock. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Resolves at `atMs` or as soon as `signal` is aborted; never rejects. */
  sleepUntil(atMs: number, signal: AbortSignal): Promise<void>;
}

export interface Random {
  /** A new unguessable id, URL-safe. */
  id(): string;
}
