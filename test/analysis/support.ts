import { existsSync, readFileSync } from 'node:fs';
import type {
  ComparisonSettings,
  CountWindow,
  LookPeriod,
  Metric,
  MetricSamples,
  Series,
  ValueWindow,
} from '../../src/analysis/types.ts';

/** Builders of metrics, periods and windows, and seeded random numbers, for the tests of the comparison. */

const oraclesUrl = new URL('../../../shared/oracles/analysis.json', import.meta.url);
export const hasOracles = existsSync(oraclesUrl);

/** One row of the published numbers; only to be called where `hasOracles`. */
export function oracle(id: string): Record<string, number> {
  const rows = JSON.parse(readFileSync(oraclesUrl, 'utf8')) as { id: string; expect: Record<string, number> }[];
  const row = rows.find((r) => r.id === id);
  if (row === undefined) throw new Error(`There is no oracle ${id}`);
  return row.expect;
}

/** Every row there is; only to be called where `hasOracles`. */
export function oracleIds(): readonly string[] {
  return (JSON.parse(readFileSync(oraclesUrl, 'utf8')) as { id: string }[]).map((row) => row.id);
}

export const WINDOW_MS = 30_000;
export const START_MS = 1_795_200_000_000;

export const settings: ComparisonSettings = {
  windowMs: WINDOW_MS,
  warmUpMs: 0,
  everyMs: 15_000,
  minimumWindows: 3,
  lastWeekOffsetMs: 7 * 86_400_000,
};

export function period(windows: number, over: Partial<LookPeriod> = {}): LookPeriod {
  return {
    fromMs: START_MS,
    toMs: START_MS + windows * WINDOW_MS,
    healthyFromMs: START_MS,
    restartsAtMs: [START_MS],
    beforeOffsetMs: 7 * 86_400_000,
    against: 'stable',
    ...over,
  };
}

export function metric(over: Partial<Metric> = {}): Metric {
  return {
    name: 'errors',
    title: 'Error rate',
    unit: '%',
    source: { kind: 'proportion', bad: 'bad', good: null, total: 'total' },
    direction: 'lower-is-better',
    tolerance: { relative: 0.25, absolute: null, healthyRatio: 1.5 },
    minimumSamples: 100,
    criticalLimit: null,
    weight: 1,
    ...over,
  };
}

export function counts(n: number, at: (i: number) => { events: number; exposure: number }, offsetMs = 0): Series {
  const windows: CountWindow[] = Array.from({ length: n }, (_, i) => ({
    endMs: START_MS + (i + 1) * WINDOW_MS - offsetMs,
    ...at(i),
  }));
  return { kind: 'counts', windows };
}

export function values(n: number, at: (i: number) => number, offsetMs = 0): Series {
  const windows: ValueWindow[] = Array.from({ length: n }, (_, i) => ({
    endMs: START_MS + (i + 1) * WINDOW_MS - offsetMs,
    value: at(i),
  }));
  return { kind: 'values', windows };
}

export function samples(over: Partial<MetricSamples> = {}): MetricSamples {
  return { metric: 'errors', stableNow: null, stableBefore: null, candidateNow: null, missing: null, ...over };
}

export interface Chance {
  uniform(): number;
  normal(): number;
  poisson(mean: number): number;
}

/** Seeded (mulberry32): a failing run is the same run again. */
export function chance(seed: number): Chance {
  let a = seed >>> 0;
  const uniform = () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const poisson = (mean: number) => {
    if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
    const limit = Math.exp(-mean);
    let k = 0;
    for (let p = uniform(); p > limit; p *= uniform()) k += 1;
    return k;
  };
  return { uniform, normal, poisson };
}
