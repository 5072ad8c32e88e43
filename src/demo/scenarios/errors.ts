import { faults } from './faults.ts';
import { atTheSecondStep, type Scenario, SHORT_PAST_SECONDS, usualAnswers } from './types.ts';

/** The story of the demo: the candidate fails, nobody answers, traffic goes back. */
export const errors: Scenario = {
  name: 'errors',
  title: 'The candidate fails',
  what: faults.errors.worsen,
  told: faults.errors.told,
  after: atTheSecondStep,
  pastSeconds: SHORT_PAST_SECONDS,
  expected: 'rolled_back',
  heldBecause: null,
  expectation: 'Nobody answers: it goes back in phases, and all traffic is on the stable version again.',
  answered: usualAnswers,
};
