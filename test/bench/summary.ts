import type { Kind, Scenario } from './scenarios.ts';
import { methods, type RunResult } from './simulate.ts';
import { quantileOf, wilson } from './statistics.ts';

/** What one method did in all runs of one scenario. Shares are 0..1, delays minutes since the regression began. */
export interface MethodSummary {
  readonly method: string;
  /** Share of runs rolled back without a regression, or before it began, with its 95 % interval. */
  readonly wrong: number;
  readonly wrongLow: number;
  readonly wrongHigh: number;
  /** Share of runs in which the regression was found; null where there was none. */
  readonly found: number | null;
  /** Over all runs; null where fewer than half, or nine tenths, of them found it. */
  readonly medianDelay: number | null;
  readonly p90Delay: number | null;
}

/** Whether an alarm is a mistake, a find, or (worse by exactly what is tolerated) neither. */
export type Sort = 'healthy' | 'regression' | 'tolerated';

export interface ScenarioSummary {
  readonly scenario: string;
  readonly kind: Kind;
  readonly perSecond: number;
  readonly sort: Sort;
  /** The scenario with the same traffic without the regression. */
  readonly twin: string | null;
  readonly promised: boolean;
  readonly inReadme: boolean;
  readonly runs: number;
  readonly methods: readonly MethodSummary[];
}

export function summarise(scenario: Scenario, results: readonly RunResult[]): ScenarioSummary {
  const { regression, isTolerated } = scenario;
  const sort: Sort = regression === null ? 'healthy' : isTolerated ? 'tolerated' : 'regression';
  return {
    scenario: scenario.name,
    kind: scenario.kind,
    perSecond: scenario.perSecond,
    sort,
    twin: scenario.twin,
    promised: scenario.promised,
    inReadme: scenario.inReadme,
    runs: results.length,
    methods: methods.map(({ name }, m) =>
      summariseMethod(
        name,
        results.map((result) => result[m] ?? null),
        sort === 'regression' ? (regression?.fromMinute ?? 0) : Number.POSITIVE_INFINITY,
      ),
    ),
  };
}

/** `alarms`: the minute of the first alarm of every run; from `fromMinute` on an alarm is right. */
export function summariseMethod(method: string, alarms: readonly (number | null)[], fromMinute: number): MethodSummary {
  const wrong = alarms.filter((minute) => minute !== null && minute <= fromMinute).length;
  const interval = wilson(wrong, alarms.length);
  const delays = alarms.map((minute) => (minute !== null && minute > fromMinute ? minute - fromMinute : Infinity));
  const finite = (minutes: number) => (Number.isFinite(minutes) ? minutes : null);
  return {
    method,
    wrong: alarms.length === 0 ? 0 : wrong / alarms.length,
    wrongLow: interval.low,
    wrongHigh: interval.high,
    found: Number.isFinite(fromMinute) ? delays.filter(Number.isFinite).length / alarms.length : null,
    medianDelay: finite(quantileOf(delays, 0.5)),
    p90Delay: finite(quantileOf(delays, 0.9)),
  };
}
