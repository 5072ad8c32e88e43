import { existsSync, readFileSync } from 'node:fs';
import { type ArmRead, everythingOf } from '../../src/analysis/arms/arm.ts';
import type { CountPairs } from '../../src/analysis/arms/pairs.ts';
import { createRoom } from '../../src/analysis/evidence/room.ts';
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

/** One window of both sides of a comparison. */
export interface CountPair {
  readonly endMs: number;
  readonly suspectEvents: number;
  readonly suspectExposure: number;
  readonly referenceEvents: number;
  readonly referenceExposure: number;
}

/** Window by window, as the tests have them, to column by column, as the comparison does. */
export function pairsOf(list: readonly CountPair[]): CountPairs {
  return {
    length: list.length,
    ends: list.map((p) => p.endMs),
    suspectEvents: list.map((p) => p.suspectEvents),
    suspectExposure: list.map((p) => p.suspectExposure),
    referenceEvents: list.map((p) => p.referenceEvents),
    referenceExposure: list.map((p) => p.referenceExposure),
  };
}

/** The arm as it is compared. */
export function armRead(series: Series, of: Metric): ArmRead {
  const arm = everythingOf(series, of, createRoom());
  if (arm === null) throw new Error(`${of.source.kind} is not read from ${series.kind}`);
  return arm;
}

/** A series whose counts are given as columns alone: whoever asks for its windows is told off. `holes`: moments without a window between them. */
export function inColumns(series: Series, holes: readonly number[] = []): Series {
  if (series.kind !== 'counts') return series;
  const none = holes.map((endMs) => ({ endMs, events: Number.NaN, exposure: Number.NaN }));
  const list = [...series.windows, ...none].sort((a, b) => a.endMs - b.endMs);
  const at = (index: number) => {
    const window = list[index];
    if (window === undefined) throw new Error(`there is no window ${index}`);
    return window;
  };
  return {
    kind: 'counts',
    columns: {
      length: list.length,
      endMs: (index) => at(index).endMs,
      events: (index) => at(index).events,
      exposure: (index) => at(index).exposure,
    },
    get windows(): never {
      throw new Error('the columns would have done');
    },
  };
}
