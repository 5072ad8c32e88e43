import type { Policy } from '../domain/policy.ts';

/** The policies in force, and those that rollouts under way began with. */
export interface Policies {
  all(): readonly Policy[];
  get(service: string): Policy | null;
  /** The policy as it was at this revision; null where it cannot be had any more. */
  at(service: string, revision: string): Promise<Policy | null>;
}
