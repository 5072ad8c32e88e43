/**
 * How a call to the outside failed; said once, at the port, by who knows the vendor.
 * `retryable`: it did not happen, try again. `permanent`: it will not happen, tell a person.
 * `ambiguous`: it may have happened (timed out, connection lost after sending): look before acting again.
 */
export type FailureClass = 'retryable' | 'permanent' | 'ambiguous';

/** The only error ports throw. The message is for an operator: what, on what, what to do; never a secret. */
export class PortError extends Error {
  readonly failure: FailureClass;
  /** The other side asked to be left alone this long (Retry-After). */
  readonly retryAfterMs: number | null;

  constructor(failure: FailureClass, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = 'PortError';
    this.failure = failure;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}
