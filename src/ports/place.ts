import type { Job, UnitClaim } from './store.ts';

/** Room for one job, kept while the unit that may put it in is under way: what people wait for begins with its commit, unclaimed. */
export interface Place {
  /** How the job is to be leased in the unit. */
  readonly claim: Omit<UnitClaim, 'nowMs'>;
  /** The unit is over: begins what it leased; null: nothing, and the room is free again. Once, and always. */
  fill(job: Job | null): void;
}
