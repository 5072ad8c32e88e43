import type { Observed } from '../domain/event.ts';
import type { Split } from '../domain/state.ts';

/** Where traffic is moved. One instance a service; made from the policy by the registry. */
export interface Target {
  readonly kind: string;
  /** `switch`: all or nothing, never asked for anything between 0 and 100. */
  readonly steps: 'any' | 'switch';
  /** How long one of our calls can take to land after we gave up on it: what was asserted last is asserted again until then. */
  readonly landingMs: number;
  /**
   * What is really in force. Throws PortError.
   * @param versions whose readiness is asked as well as that of the versions in the split: one that is to come, or to come back.
   * Where the target itself has no roles they orient the answer: the last is the candidate, the one before it stable.
   */
  observe(signal: AbortSignal, versions?: readonly string[]): Promise<Observed>;
  /**
   * Sets absolute weights; the same split twice is the same as once. `revision` is the observation's, for compare-and-set.
   * Resolving means accepted, not in force: the caller observes. Throws PortError.
   */
  shift(split: Split, revision: string | null, signal: AbortSignal): Promise<void>;
}
