import type { Direction, Metric, MetricKind } from '../analysis/types.ts';
import { buildBaseline } from './baseline.ts';
import type { MetricFile } from './metric-schema.ts';
import { namesArm } from './selectors.ts';

type Kind = MetricFile['kind'];

/** A test of values needs six (Student's t); a share of a hundred events is the least worth looking at. */
const defaultMinimum = { values: 6, counted: 100 };
const units: Readonly<Record<Kind, string>> = {
  proportion: '%',
  labelled: '%',
  rate: '/s',
  latency: 's',
  gauge: '',
  drift: '',
  limit: '',
  objective: '%',
  split: '%',
};
/** A split is only a condition, which needs next to none of the evidence that may be spent on finding what got worse. */
const defaultWeight: Readonly<Record<Kind, number>> = {
  proportion: 1,
  labelled: 1,
  rate: 1,
  latency: 1,
  gauge: 1,
  drift: 0,
  limit: 1,
  objective: 1,
  split: 0.05,
};
/** A quarter more events is degraded, half as many again is not healthy (analysis.md). */
const defaultTolerance = { relative: 0.25, healthyRatio: 1.5 };
/** What a split may be off without a word: a tenth of an arm's share. */
const defaultSlack = 0.1;

/** The metrics as they are compared, their weights made to sum to 1. The file was checked. */
export function buildMetrics(metrics: readonly MetricFile[]): Metric[] {
  const total = metrics.reduce((sum, metric) => sum + weightOf(metric), 0);
  return metrics.map((metric) => {
    const source = sourceOf(metric);
    const baseline = buildBaseline(metric);
    return {
      name: metric.name,
      title: metric.title ?? titled(metric.name),
      unit: metric.unit ?? units[metric.kind],
      source,
      direction: directionOf(metric),
      tolerance: toleranceOf(metric),
      minimumSamples: metric.minimum ?? (readsValues(source) ? defaultMinimum.values : defaultMinimum.counted),
      criticalLimit: metric.critical ?? null,
      weight: weightOf(metric) / total,
      ...(baseline && { baseline }),
      ...(metric.labelDelay && { labelDelayMs: metric.labelDelay }),
      ...(hasOneSeries(source) && { arms: 'one' }),
    };
  });
}

/** Whatever is held against a limit of its own is fine with one series: nothing is lost that it could have told. */
function hasOneSeries(source: MetricKind): boolean {
  if (['limit', 'objective', 'drift-score', 'split'].includes(source.kind)) return false;
  return !Object.values(source).some((text) => typeof text === 'string' && namesArm(text));
}

function weightOf(metric: MetricFile): number {
  return metric.weight ?? defaultWeight[metric.kind];
}

function readsValues({ kind }: MetricKind): boolean {
  return kind === 'gauge' || kind === 'limit' || kind === 'drift-score';
}

function directionOf(metric: MetricFile): Direction {
  if (metric.direction) return metric.direction;
  const countsGood = (metric.kind === 'proportion' || metric.kind === 'objective') && metric.good !== undefined;
  return countsGood || metric.kind === 'labelled' ? 'higher-is-better' : 'lower-is-better';
}

function sourceOf(metric: MetricFile): MetricKind {
  switch (metric.kind) {
    case 'proportion':
      return { kind: 'proportion', bad: metric.bad ?? null, good: metric.good ?? null, total: metric.total };
    case 'labelled':
      return {
        kind: 'labelled',
        measure: metric.measure,
        truePositives: metric.truePositives,
        falsePositives: metric.falsePositives ?? null,
        falseNegatives: metric.falseNegatives ?? null,
        trueNegatives: metric.trueNegatives ?? null,
      };
    case 'rate':
      return { kind: 'rate', events: metric.events, per: metric.per ?? null };
    case 'latency':
      return { kind: 'latency', buckets: metric.buckets, bounds: metric.bounds ?? [] };
    case 'gauge':
      return { kind: 'gauge', value: metric.value };
    case 'drift':
      if (metric.score !== undefined) return { kind: 'drift-score', value: metric.score, limit: metric.limit ?? 0 };
      return { kind: 'drift', counts: metric.counts ?? '', by: metric.by ?? '' };
    case 'limit':
      return { kind: 'limit', value: metric.value, limit: metric.limit };
    case 'objective': {
      // 1 - 0.999 is not 0.001 in binary: rounded to what was meant.
      const allowed = metric.allowed ?? Number((1 - (metric.objective ?? 0)).toPrecision(12));
      return { kind: 'objective', bad: metric.bad ?? null, good: metric.good ?? null, total: metric.total, allowed };
    }
    case 'split':
      return { kind: 'split', requests: metric.requests, slack: metric.slack ?? defaultSlack };
  }
}

/**
 * A quarter worse unless something else is said; saying only `absolute` leaves that one alone, and what is to be learned from history
 * needs a relative one until it is. None where no other arm is what it is held against.
 */
function toleranceOf(metric: MetricFile): Metric['tolerance'] {
  const { relative, absolute, healthy, fromHistory } = metric.tolerance ?? {};
  const compares = !['drift', 'limit', 'objective', 'split'].includes(metric.kind);
  const needsRelative = compares && (absolute === undefined || fromHistory === true);
  return {
    relative: relative ?? (needsRelative ? defaultTolerance.relative : null),
    absolute: absolute ?? null,
    healthyRatio: healthy ?? defaultTolerance.healthyRatio,
    ...(fromHistory && { fromHistory }),
  };
}

function titled(name: string): string {
  const words = name.replaceAll(/[_-]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
