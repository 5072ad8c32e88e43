import type { CountWindow, MetricSamples, Series } from '../../../src/analysis/types.ts';
import type { Scenario } from '../scenarios.ts';
import { type ArmCounts, BUCKETS, type MetricCounts, PAST_WINDOWS, WINDOW_MS, WINDOWS_A_MINUTE } from '../traffic.ts';

/** A whole number of windows since 1970, so that windows are aligned as Prometheus' are. */
export const START_MS = 1_795_200_000_000;
export const MINUTE_MS = 60_000;
export const LAST_WEEK_MS = 7 * 86_400_000;

/** What Prometheus would have been read as at the end of a minute, for one metric. */
export type SamplesReader = (minute: number) => MetricSamples;

export function samplesReader(scenario: Scenario, metric: string, counts: MetricCounts): SamplesReader {
  const { against, labelsLateMinutes } = scenario;
  const candidate = armReader(scenario, counts.candidate, START_MS, labelsLateMinutes);
  if (against === 'last-week') {
    const then = armReader(scenario, counts.stable, START_MS - LAST_WEEK_MS, 0);
    return (minute) => ({
      metric,
      stableNow: candidate(minute),
      stableBefore: then(minute),
      candidateNow: null,
      missing: null,
    });
  }
  const stable = armReader(scenario, counts.stable, START_MS, labelsLateMinutes);
  const past = armReader(scenario, counts.past, START_MS - PAST_WINDOWS * WINDOW_MS, 0);
  const stableBefore = past(PAST_WINDOWS / WINDOWS_A_MINUTE);
  return (minute) => ({
    metric,
    stableNow: stable(minute),
    stableBefore,
    candidateNow: candidate(minute),
    missing: null,
  });
}

function armReader(
  { kind }: Scenario,
  arm: ArmCounts,
  fromMs: number,
  lateMinutes: number,
): (minute: number) => Series {
  const endMs = (i: number) => fromMs + (i + 1) * WINDOW_MS;
  if (kind === 'gauge') {
    const values = Array.from(arm.bad, (value, i) => ({ endMs: endMs(i), value }));
    return (minute) => ({ kind: 'values', windows: values.slice(0, minute * WINDOWS_A_MINUTE) });
  }
  const windowsOf = (column: Float64Array): CountWindow[] =>
    Array.from(column, (events, i) => ({ endMs: endMs(i), events, exposure: arm.total[i] ?? 0 }));
  if (kind === 'latency') {
    const bounds = arm.slower.map((column, b) => ({ bound: BUCKETS[b] ?? 0, windows: windowsOf(column) }));
    return (minute) => ({
      kind: 'tails',
      bounds: bounds.map(({ bound, windows }) => ({ bound, windows: windows.slice(0, minute * WINDOWS_A_MINUTE) })),
    });
  }
  // An accuracy's counter is of the right answers.
  const windows = windowsOf(kind === 'accuracy' ? arm.total.map((total, i) => total - (arm.bad[i] ?? 0)) : arm.bad);
  return (minute) => {
    const known = (minute - lateMinutes) * WINDOWS_A_MINUTE;
    const read = windows.slice(0, minute * WINDOWS_A_MINUTE);
    return { kind: 'counts', windows: lateMinutes === 0 ? read : read.map((w, i) => (i < known ? w : rightOnes(w))) };
  };
}

/** A window that is still without the labels of its wrong answers. */
function rightOnes(w: CountWindow): CountWindow {
  return { ...w, exposure: w.events };
}
