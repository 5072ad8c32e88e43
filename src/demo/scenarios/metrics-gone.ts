import { faults } from './faults.ts';
import { atTheSecondStep, type Scenario, SHORT_PAST_SECONDS, usualAnswers } from './types.ts';

/** Nobody can say how the models are doing. Rolled back by hand it ends stuck: that nothing is measured is still on. */
export const metricsGone: Scenario = {
  name: 'metrics-gone',
  title: 'The metrics are gone',
  what: faults['metrics-gone'].worsen,
  told: faults['metrics-gone'].told,
  after: atTheSecondStep,
  pastSeconds: SHORT_PAST_SECONDS,
  expected: 'held',
  heldBecause: 'no-data',
  expectation:
    'Without numbers nothing is known: missing data is no reason to move. It is held, and a person is paged.',
  answered: { ...usualAnswers, rollback: 'stuck' },
};
