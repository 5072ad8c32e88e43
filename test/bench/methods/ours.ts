import { compare } from '../../../src/analysis/compare.ts';
import { createMemory } from '../../../src/analysis/evidence/memory.ts';
import type { CountWindow, LookPeriod, Metric, MetricSamples, Series } from '../../../src/analysis/types.ts';
import type { Scenario } from '../scenarios.ts';
import {
  type ArmCounts,
  BUCKETS,
  type MetricCounts,
  PAST_WINDOWS,
  type Traffic,
  WARM_UP_MINUTES,
  WINDOW_MS,
} from '../traffic.ts';
import type { Method } from './method.ts';
import { looks } from './readings.ts';

/** A whole number of windows since 1970, so that windows are aligned as Prometheus' are. */
const START_MS = 1_795_200_000_000;
const MINUTE_MS = 60_000;

/** As policies/fraud-scorer.yaml compares: windows of 30 s, a warm-up of 2 min, three windows at least. */
const settings = {
  windowMs: WINDOW_MS,
  warmUpMs: WARM_UP_MINUTES * MINUTE_MS,
  everyMs: MINUTE_MS,
  minimumWindows: 3,
  lastWeekOffsetMs: 7 * 86_400_000,
};

/**
 * Lastgood's own comparison as its gate uses it: `compare()` with the tolerances of policies/fraud-scorer.yaml, the period
 * src/domain/looking.ts asks for during a rollout, restarts at every step and every 15 minutes. It alarms at the first look whose
 * verdict over all metrics is `degraded`.
 */
export const ours: Method = {
  name: 'Lastgood',
  firstAlarm(traffic) {
    const metrics = traffic.metrics.map((_, m) => metricOf(traffic.scenario, m));
    const all = traffic.metrics.map((counts) => windowsOf(counts, traffic.scenario.kind));
    const memory = createMemory();
    for (const minute of looks()) {
      const until = (minute * MINUTE_MS) / WINDOW_MS;
      const samples: MetricSamples[] = all.map(({ past, stable, candidate }, m) => ({
        metric: metrics[m]?.name ?? '',
        stableNow: upTo(stable, until),
        stableBefore: upTo(past, PAST_WINDOWS),
        candidateNow: upTo(candidate, until),
        missing: null,
      }));
      const { verdict } = compare({
        metrics,
        settings,
        period: periodAt(traffic, minute),
        samples,
        hasCandidate: true,
        draw: false,
        memory,
      });
      if (verdict === 'degraded') return minute;
    }
    return null;
  },
};

function periodAt({ scenario }: Traffic, minute: number): LookPeriod {
  const shifts = [0, ...scenario.stepsAtMinutes.filter((at) => at < minute)].map((at) => START_MS + at * MINUTE_MS);
  const fromMs = START_MS + settings.warmUpMs;
  return {
    fromMs,
    toMs: START_MS + minute * MINUTE_MS,
    healthyFromMs: Math.max(fromMs, (shifts.at(-1) ?? START_MS) + settings.warmUpMs),
    restartsAtMs: shifts.filter((at) => at > fromMs),
    beforeOffsetMs: minute * MINUTE_MS,
    against: 'stable',
  };
}

function metricOf(scenario: Scenario, index: number): Metric {
  const common = {
    name: `m${index}`,
    unit: '%',
    criticalLimit: null,
    minimumSamples: 100,
    weight: 1 / scenario.metrics,
  };
  const relative = { relative: 0.25, absolute: null, healthyRatio: 1.5 };
  switch (scenario.kind) {
    case 'errors':
      return {
        ...common,
        title: 'Error rate',
        source: { kind: 'proportion', bad: 'bad', good: null, total: 'total' },
        direction: 'lower-is-better',
        tolerance: { ...relative, absolute: 0.005 },
      };
    case 'accuracy':
      return {
        ...common,
        title: 'Accuracy',
        source: { kind: 'proportion', bad: null, good: 'good', total: 'total' },
        direction: 'higher-is-better',
        tolerance: relative,
      };
    default:
      return {
        ...common,
        title: 'Slow answers',
        unit: 's',
        source: { kind: 'latency', buckets: 'buckets', bounds: [0.1, 0.25, 0.5] },
        direction: 'lower-is-better',
        // The others are told that a tenth more is too much of a latency.
        tolerance: { ...relative, relative: 0.1 },
      };
  }
}

/** One series of windows, or for a latency one for every bucket bound. */
type Windows = readonly (readonly CountWindow[])[];

function windowsOf({ past, stable, candidate }: MetricCounts, kind: Scenario['kind']) {
  const pastMs = START_MS - PAST_WINDOWS * WINDOW_MS;
  return {
    past: armWindows(past, kind, pastMs),
    stable: armWindows(stable, kind, START_MS),
    candidate: armWindows(candidate, kind, START_MS),
  };
}

function armWindows(arm: ArmCounts, kind: Scenario['kind'], fromMs: number): Windows {
  // An accuracy's counter is of the right answers.
  const right = () => arm.total.map((total, i) => total - (arm.bad[i] ?? 0));
  const columns = kind === 'latency' ? arm.slower : [kind === 'accuracy' ? right() : arm.bad];
  return columns.map((column) =>
    Array.from(column, (events, i) => ({
      endMs: fromMs + (i + 1) * WINDOW_MS,
      events,
      exposure: arm.total[i] ?? 0,
    })),
  );
}

function upTo(windows: Windows, count: number): Series {
  const [first] = windows;
  if (windows.length === 1 && first) return { kind: 'counts', windows: first.slice(0, count) };
  return {
    kind: 'tails',
    bounds: windows.map((column, b) => ({ bound: BUCKETS[b] ?? 0, windows: column.slice(0, count) })),
  };
}
