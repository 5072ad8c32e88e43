import { faults } from './faults.ts';
import { atTheSecondStep, type Scenario, SHORT_PAST_SECONDS, usualAnswers } from './types.ts';

/** What no error rate and no latency shows: it answers as fast as ever, and wrongly. */
export const accuracy: Scenario = {
  name: 'accuracy',
  title: 'The candidate gets it wrong',
  what: faults.accuracy.worsen,
  told: faults.accuracy.told,
  after: atTheSecondStep,
  pastSeconds: SHORT_PAST_SECONDS,
  expected: 'rolled_back',
  heldBecause: null,
  expectation: 'Nobody answers: it goes back in phases, and all traffic is on the stable version again.',
  answered: usualAnswers,
};
