import { compare } from '../../../src/analysis/compare.ts';
import { createMemory } from '../../../src/analysis/evidence/memory.ts';
import type { LookPeriod, Metric } from '../../../src/analysis/types.ts';
import type { Scenario } from '../scenarios.ts';
import { type Traffic, WARM_UP_MINUTES, WINDOW_MS } from '../traffic.ts';
import type { Method } from './method.ts';
import { LAST_WEEK_MS, MINUTE_MS, START_MS, samplesReader } from './read.ts';
import { looks } from './readings.ts';

/** As policies/fraud-scorer.yaml compares: windows of 30 s, a warm-up of 2 min, three windows at least. */
const settings = {
  windowMs: WINDOW_MS,
  warmUpMs: WARM_UP_MINUTES * MINUTE_MS,
  everyMs: MINUTE_MS,
  minimumWindows: 3,
  lastWeekOffsetMs: LAST_WEEK_MS,
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
    const readers = traffic.metrics.map((counts, m) => samplesReader(traffic.scenario, metrics[m]?.name ?? '', counts));
    const memory = createMemory();
    for (const minute of looks()) {
      const samples = readers.map((read) => read(minute));
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
    minimumSamples: scenario.kind === 'gauge' ? 6 : 100,
    ...(scenario.labelsLateMinutes > 0 ? { labelDelayMs: scenario.labelsLateMinutes * MINUTE_MS } : {}),
    ...(scenario.against === 'last-week'
      ? { arms: 'one' as const, baseline: { kind: 'offset' as const, offsetMs: LAST_WEEK_MS } }
      : {}),
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
    case 'gauge':
      return {
        ...common,
        title: 'Memory in use',
        source: { kind: 'gauge', value: 'value' },
        direction: 'lower-is-better',
        tolerance: { ...relative, relative: 0.1 },
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
