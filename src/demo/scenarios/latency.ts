import { faults } from './faults.ts';
import { atTheSecondStep, type Scenario, SHORT_PAST_SECONDS, usualAnswers } from './types.ts';

/** It answers, and rightly, and too late. */
export const latency: Scenario = {
  name: 'latency',
  title: 'The candidate gets slow',
  what: faults.latency.worsen,
  told: faults.latency.told,
  after: atTheSecondStep,
  pastSeconds: SHORT_PAST_SECONDS,
  expected: 'rolled_back',
  heldBecause: null,
  expectation: 'Nobody answers: it goes back in phases, and all traffic is on the stable version again.',
  answered: usualAnswers,
};
