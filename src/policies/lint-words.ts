import type { Metric } from '../analysis/types.ts';

/** How the linter says numbers: short, and no more exact than they are. */

/** "40 s", "12 min", "2.5 h"; null: "more than a day". */
export function roughly(ms: number | null): string {
  if (ms === null) return 'more than a day';
  const seconds = ms / 1000;
  if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90 * 60) return `about ${Math.round(seconds / 60)} min`;
  return `about ${Math.round(seconds / 1800) / 2} h`;
}

/** 0.0125 → "1.25 %". */
export function percentOf(share: number): string {
  return `${number(share * 100)} %`;
}

/** "50/s", "3 labels/min": in the unit in which it is at least one. */
export function trafficOf(metric: Metric, eventsPerSecond: number): string {
  const units = [
    [1, 's'],
    [60, 'min'],
    [3600, 'h'],
  ] as const;
  const [seconds, unit] = units.find(([length]) => eventsPerSecond * length >= 1) ?? [3600, 'h'];
  const events = number(eventsPerSecond * seconds);
  if (metric.source.kind !== 'labelled') return `${events}/${unit}`;
  return `${events} ${events === '1' ? 'label' : 'labels'}/${unit}`;
}

/** What a metric counts that is bad. */
function badEvents(metric: Metric): string {
  if (metric.source.kind === 'latency') return 'slow requests';
  if (metric.source.kind !== 'labelled') return 'bad events';
  return { accuracy: 'wrong answers', precision: 'false alarms', recall: 'misses', f1: 'wrong or missed answers' }[
    metric.source.measure
  ];
}

/** "twice as many misses (2 % instead of 1 %)". */
export function changeOf(metric: Metric, ratio: number, baseline: number): string {
  const times = (n: number) => (Math.abs(n - 2) < 0.005 ? 'twice' : `${number(n)} times`);
  if (metric.source.kind === 'rate') {
    if (metric.direction === 'higher-is-better') return `a drop to ${Math.round(100 / ratio)} % of stable's`;
    return `${times(ratio)} as many events`;
  }
  const share = Math.min(1, baseline * ratio);
  if (metric.source.kind === 'objective') return `${percentOf(share)} bad events (twice what is allowed)`;
  const shares = `(${percentOf(share)} instead of ${percentOf(baseline)})`;
  return `${times(share / baseline)} as many ${badEvents(metric)} ${shares}`;
}

/** "half as many misses". */
export function improvementOf(metric: Metric): string {
  if (metric.source.kind !== 'rate') return `half as many ${badEvents(metric)}`;
  return metric.direction === 'higher-is-better' ? 'twice as many events' : 'half as many events';
}

function number(value: number): string {
  return String(Number(value.toPrecision(3)));
}
