import { accuracy } from './accuracy.ts';
import { both } from './both.ts';
import { drift } from './drift.ts';
import { errors } from './errors.ts';
import { latency } from './latency.ts';
import { metricsGone } from './metrics-gone.ts';
import type { Answer, Ending, Scenario } from './types.ts';

export { ANSWERS, type Answer, type Ending, type Scenario } from './types.ts';

export const scenarios: readonly Scenario[] = [errors, latency, accuracy, drift, both, metricsGone];

export function scenarioNamed(name: string): Scenario | null {
  return scenarios.find((scenario) => scenario.name === name) ?? null;
}

/** How the story ends where it goes as it should. */
export function expectedEnding(scenario: Scenario, answer: Answer): Ending {
  return answer === 'none' ? scenario.expected : scenario.answered[answer];
}
