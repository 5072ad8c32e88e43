import { quantile } from '../../../src/analysis/kinds/latency.ts';
import type { Scenario } from '../scenarios.ts';
import {
  type ArmCounts,
  BUCKETS,
  RUN_MINUTES,
  slowerShare,
  type Traffic,
  WARM_UP_MINUTES,
  WINDOWS_A_MINUTE,
} from '../traffic.ts';

/** Looks: the end of every minute after the warm-up. */
export function looks(): number[] {
  return Array.from({ length: RUN_MINUTES - WARM_UP_MINUTES }, (_, i) => WARM_UP_MINUTES + 1 + i);
}

/**
 * What a rate over the last minute reads at the end of `minute`: the share of bad requests, or for a latency the interpolated 95th
 * percentile in seconds, or a gauge's mean. Null without traffic.
 */
export function lastMinute(arm: ArmCounts, minute: number): number | null {
  const from = (minute - 1) * WINDOWS_A_MINUTE;
  const sum = (column: Float64Array) => {
    let all = 0;
    for (let i = from; i < minute * WINDOWS_A_MINUTE; i += 1) all += column[i] ?? 0;
    return all;
  };
  const total = sum(arm.total);
  if (total === 0) return null;
  if (arm.slower.length === 0) return sum(arm.bad) / total;
  return p95(arm.slower.map(sum), total);
}

/** What a look sees: the last minute, or where labels come late the last one that has all of them. Null: it has none to see. */
export function lookAt({ labelsLateMinutes }: Scenario, arm: ArmCounts, look: number): number | null {
  const minute = look - labelsLateMinutes;
  return minute > WARM_UP_MINUTES ? lastMinute(arm, minute) : null;
}

function p95(slower: readonly number[], total: number): number {
  const buckets = BUCKETS.map((bound, b) => ({ bound, count: total - (slower[b] ?? 0) }));
  return quantile(0.95, [...buckets, { bound: Number.POSITIVE_INFINITY, count: total }]) ?? 0;
}

/**
 * The fixed limit of the counting methods. It knows the healthy value beforehand, as no one does in practice: half as many bad
 * requests again, a p95 a tenth above what the histogram shows of a healthy arm, or a gauge a fifth above its level.
 */
export function fixedLimit({ scenario }: Traffic): number {
  if (scenario.kind === 'gauge') return 1.2 * scenario.badShare;
  if (scenario.kind !== 'latency') return 1.5 * scenario.badShare;
  const shares = BUCKETS.map((bound) => slowerShare(bound, 1));
  return 1.1 * p95(shares, 1);
}

/**
 * For every look whether the candidate failed its check then, one row a metric. A minute without traffic fails nothing, which is
 * kinder than Flagger, that counts it as a failed check.
 */
export function failedChecks(traffic: Traffic): boolean[][] {
  const limit = fixedLimit(traffic);
  return traffic.metrics.map(({ candidate }) =>
    looks().map((minute) => (lookAt(traffic.scenario, candidate, minute) ?? 0) > limit),
  );
}

/** The first look at which any metric's counter is full; `rule` gives the index of the look in one row, or -1. */
export function firstLook(traffic: Traffic, rule: (failed: readonly boolean[]) => number): number | null {
  const indices = failedChecks(traffic)
    .map(rule)
    .filter((index) => index >= 0);
  return indices.length === 0 ? null : (looks()[Math.min(...indices)] ?? null);
}
