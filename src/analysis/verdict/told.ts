import type { Metric, Reading } from '../types.ts';
import type { Change, Outcome } from './outcome.ts';

/** What a sentence is made of. */
export interface Told {
  readonly metric: Metric;
  readonly outcome: Outcome;
  readonly change: Change | null;
  /** The suspect's and the reference's readings. */
  readonly now: Reading;
  readonly against: Reading;
  /** "on stable", "a week ago". */
  readonly reference: string;
  readonly isShare: boolean;
  readonly critical: boolean;
}
