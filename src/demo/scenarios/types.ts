import type { HeldReason } from '../../domain/state.ts';
import type { Lab } from '../lab/index.ts';
import type { Arms, FaultName } from './faults.ts';

/** A story that is played: something gets worse, people are asked, and it ends in one way. */
export interface Scenario {
  readonly name: FaultName;
  readonly title: string;
  /** What gets worse, and the sentence that tells it. */
  readonly what: (lab: Lab, arms: Arms) => void;
  readonly told: (arms: Arms) => string;
  /** When: at this exposure of the candidate, after it went well there for so long (milliseconds of the demo). */
  readonly after: { readonly exposurePercent: number; readonly wellForMs: number };
  /** Seconds of the demo that must have been measured before the rollout starts: what the past is judged by. */
  readonly pastSeconds: number;
  /** How it ends where nobody answers. */
  readonly expected: 'rolled_back' | 'held';
  /** Why it is held; null where it is not. */
  readonly heldBecause: HeldReason | null;
  /** The same in words. */
  readonly expectation: string;
  /** How it ends where Maya presses the button. */
  readonly answered: Readonly<Record<Exclude<Answer, 'none'>, Ending>>;
}

/** What Maya presses on the card. */
export type Answer = 'none' | 'rollback' | 'hold' | 'promote';
export const ANSWERS: readonly Answer[] = ['none', 'rollback', 'hold', 'promote'];

/** `promoted`: the candidate has all traffic because a person said so. `stuck`: a person is required. */
export type Ending = 'rolled_back' | 'held' | 'promoted' | 'succeeded' | 'cancelled' | 'stuck' | 'unfinished';

/** The candidate is well at the second step, so that what follows is seen to come of the version and not of the step. */
export const atTheSecondStep = { exposurePercent: 70, wellForMs: 3_000 };
/** What the first comparison's past takes. */
export const SHORT_PAST_SECONDS = 5;
export const usualAnswers = { rollback: 'rolled_back', hold: 'held', promote: 'promoted' } as const;
