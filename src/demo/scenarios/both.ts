import { faults } from './faults.ts';
import { atTheSecondStep, type Scenario, usualAnswers } from './types.ts';

/** The past that both are held against is as long as the question looks back: twenty windows of a second. */
const LONG_PAST_SECONDS = 24;

/** Common cause: what both versions depend on breaks. Rolled back by hand all the same, it ends stuck: it is still bad. */
export const both: Scenario = {
  name: 'both',
  title: 'Both versions fail',
  what: faults.both.worsen,
  told: faults.both.told,
  after: atTheSecondStep,
  pastSeconds: LONG_PAST_SECONDS,
  expected: 'held',
  heldBecause: 'common-cause',
  expectation: 'The stable version is as bad: a rollback would not help. Nothing moves, and a person is paged.',
  answered: { ...usualAnswers, rollback: 'stuck' },
};
