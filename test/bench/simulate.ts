import { consecutive } from './methods/consecutive.ts';
import { cumulative } from './methods/cumulative.ts';
import { mannWhitney } from './methods/mann-whitney.ts';
import type { Method } from './methods/method.ts';
import { ours } from './methods/ours.ts';
import { singleThreshold } from './methods/single-threshold.ts';
import type { Scenario } from './scenarios.ts';
import { trafficOf } from './traffic.ts';

/** In the order of the table's columns; ours first. */
export const methods: readonly Method[] = [ours, singleThreshold, consecutive, cumulative, mannWhitney];

/** The minute of every method's first alarm, in the order of `methods`. All of them saw the same traffic. */
export type RunResult = readonly (number | null)[];

export function simulate(scenario: Scenario, seed: number, run: number): RunResult {
  const traffic = trafficOf(scenario, seed, run);
  return methods.map((method) => method.firstAlarm(traffic));
}
