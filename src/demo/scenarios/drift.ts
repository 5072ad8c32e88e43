import { faults } from './faults.ts';
import { atTheSecondStep, type Scenario, SHORT_PAST_SECONDS, usualAnswers } from './types.ts';

/** The alert fires and the numbers are well: automation must not act on the one alone. */
export const drift: Scenario = {
  name: 'drift',
  title: 'The input drifts',
  what: faults.drift.worsen,
  told: faults.drift.told,
  after: atTheSecondStep,
  pastSeconds: SHORT_PAST_SECONDS,
  expected: 'held',
  heldBecause: 'healthy',
  expectation:
    'Drift is a warning: the scores are as right as before, so nothing moves by itself. It is held, and a person is paged.',
  answered: usualAnswers,
};
