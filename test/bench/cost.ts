import { compare } from '../../src/analysis/compare.ts';
import { createMemory } from '../../src/analysis/evidence/memory.ts';
import type { LookPeriod, Metric, MetricSamples, Series } from '../../src/analysis/types.ts';
import { random } from './random.ts';
import { quantileOf } from './statistics.ts';
import { WINDOW_MS } from './traffic.ts';

/** What a decision costs: 240 windows of ten metrics (nine error rates and a gauge), then a new window arriving, and one more. */

const START_MS = 1_795_200_000_000;
const WINDOWS = 240;
const ARRIVING = 20;
const METRICS = 10;
const PAST_MS = 2 * 3_600_000 + ARRIVING * WINDOW_MS;
/** To reach, in milliseconds of CPU: with what earlier looks kept, verdicts alone. It is how nearly all looks are. */
export const COST_GOAL_MS = 5;

export interface Cost {
  readonly what: string;
  /** Median CPU milliseconds of one decision. */
  readonly milliseconds: number;
}

const WAYS = [
  { what: 'with what earlier looks kept, verdicts alone', keeps: true, draws: false },
  { what: 'with what earlier looks kept, drawn', keeps: true, draws: true },
  { what: 'from nothing, verdicts alone', keeps: false, draws: false },
  { what: 'from nothing, drawn', keeps: false, draws: true },
] as const;

/** `rounds`: how often each of the arriving windows is looked at. The first round warms up and is not counted. */
export function costs(rounds: number): readonly Cost[] {
  const metrics = Array.from({ length: METRICS }, (_, k) => metricOf(k));
  const read = metrics.map((metric) => everythingOf(metric));
  return WAYS.map(({ what, keeps, draws }) => {
    const times: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const memory = createMemory();
      for (let windows = WINDOWS - 1; windows < WINDOWS + ARRIVING; windows += 1) {
        const samples = read.map((all) => upTo(all, windows));
        const before = process.cpuUsage();
        compare({
          metrics,
          settings: SETTINGS,
          period: periodAt(windows),
          samples,
          hasCandidate: true,
          draw: draws,
          ...(keeps ? { memory } : {}),
        });
        const { user, system } = process.cpuUsage(before);
        // The first look of a memory has nothing to go on.
        if (round > 0 && windows >= WINDOWS) times.push((user + system) / 1000);
      }
    }
    return { what, milliseconds: quantileOf(times, 0.5) };
  });
}

export function costText(all: readonly Cost[]): string {
  const reached = (all[0]?.milliseconds ?? Infinity) < COST_GOAL_MS;
  return [
    '',
    `CPU of one decision when a new window arrives, ${WINDOWS} windows of ${METRICS} metrics; goal: under ${COST_GOAL_MS} ms, the first. ${reached ? 'Reached' : 'Missed'}.`,
    ...all.map(({ what, milliseconds }) => `  ${milliseconds.toFixed(1).padStart(5)} ms  ${what}`),
    '',
  ].join('\n');
}

const SETTINGS = {
  windowMs: WINDOW_MS,
  warmUpMs: 120_000,
  everyMs: 15_000,
  minimumWindows: 3,
  lastWeekOffsetMs: 7 * 86_400_000,
};

function periodAt(windows: number): LookPeriod {
  return {
    fromMs: START_MS,
    toMs: START_MS + windows * WINDOW_MS,
    healthyFromMs: START_MS + 60 * WINDOW_MS,
    restartsAtMs: [START_MS + 60 * WINDOW_MS],
    beforeOffsetMs: PAST_MS,
    against: 'stable',
  };
}

function metricOf(k: number): Metric {
  return {
    name: `m${k}`,
    title: `Metric ${k}`,
    unit: '%',
    source:
      k === METRICS - 1
        ? { kind: 'gauge', value: 'v' }
        : { kind: 'proportion', bad: 'bad', good: null, total: 'total' },
    direction: 'lower-is-better',
    tolerance: { relative: 0.25, absolute: 0.005, healthyRatio: 1.5 },
    minimumSamples: 100,
    criticalLimit: null,
    weight: 1 / METRICS,
  };
}

type ArmsRead = Pick<MetricSamples, 'metric'> & Record<'stableNow' | 'stableBefore' | 'candidateNow', Series>;

function everythingOf(metric: Metric): ArmsRead {
  const chance = random(1, `cost/${metric.name}`);
  const arm = (exposure: number, fromMs: number): Series => {
    const each = <T>(of: (endMs: number) => T) =>
      Array.from({ length: WINDOWS + ARRIVING }, (_, i) => of(fromMs + (i + 1) * WINDOW_MS));
    if (metric.source.kind === 'gauge') {
      return { kind: 'values', windows: each((endMs) => ({ endMs, value: 5 + chance.normal() })) };
    }
    return { kind: 'counts', windows: each((endMs) => ({ endMs, events: chance.poisson(exposure / 50), exposure })) };
  };
  return {
    metric: metric.name,
    stableNow: arm(1000, START_MS),
    stableBefore: arm(1000, START_MS - PAST_MS),
    candidateNow: arm(100, START_MS),
  };
}

function upTo(read: ArmsRead, windows: number): MetricSamples {
  const cut = (series: Series): Series =>
    series.kind === 'counts'
      ? { kind: 'counts', windows: series.windows.slice(0, windows) }
      : series.kind === 'values'
        ? { kind: 'values', windows: series.windows.slice(0, windows) }
        : series;
  return {
    metric: read.metric,
    stableNow: cut(read.stableNow),
    stableBefore: cut(read.stableBefore),
    candidateNow: cut(read.candidateNow),
    missing: null,
  };
}
