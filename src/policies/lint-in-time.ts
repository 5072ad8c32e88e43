import {
  type Circumstances,
  isForetold,
  leastTimeMs,
  type TimeNeeded,
  timeToBeBetter,
  timeToMinimumMs,
  timeToNotice,
  timeToPass,
} from '../analysis/power.ts';
import type { Metric } from '../analysis/types.ts';
import type { Policy, Step } from '../domain/policy.ts';
import { duration, list, percent } from '../domain/words.ts';
import type { Finding } from './explain.ts';
import { changeOf, improvementOf, roughly, trafficOf } from './lint-words.ts';
import type { PolicyFile } from './schema.ts';

/** What the expected traffic does not reach within a step: the minimum, a regression noticed, a gate passed. */

/** The share of bad events with stable where the policy does not say what is expected. */
const usualBadShare = 0.01;
/** A latency's bounds and their tails are not known beforehand: a tenth of the requests stands in for them. */
const usualTail = 0.1;

/** One step that soaks, and where it stands in the policy. */
export interface Soak {
  readonly index: number;
  readonly step: Step;
}

export interface Watched {
  readonly policy: Policy;
  readonly metric: Metric;
  readonly index: number;
  readonly written: PolicyFile['metrics'][number] | undefined;
  /** Events of its denominator a second; null: not known. */
  readonly eventsPerSecond: number | null;
  readonly badShare: number | null;
}

/** What is known of a metric from Prometheus; null: not known, and what the policy says holds. */
export interface Measured {
  /** Events of the denominator a second. */
  readonly traffic: number | null;
  /** The share of them that is bad. */
  readonly expected: number | null;
}

/** A metric with what is known of its traffic. */
export function watched(policy: Policy, written: PolicyFile, index: number, measured: Measured | undefined): Watched[] {
  const metric = policy.metrics[index];
  if (metric === undefined) return [];
  const own = written.metrics[index];
  // Requests are no seconds of instances: such a rate has to say its own traffic.
  const general = metric.source.kind === 'rate' && metric.source.per === null ? undefined : written.traffic;
  return [
    {
      policy,
      metric,
      index,
      written: own,
      eventsPerSecond: measured?.traffic ?? own?.traffic ?? general ?? null,
      badShare: measured?.expected || (own?.expected ?? defaultShare(metric)),
    },
  ];
}

function defaultShare(metric: Metric): number | null {
  if (metric.source.kind === 'rate') return null;
  // Half of what is allowed: an objective that is met.
  if (metric.source.kind === 'objective') return metric.source.allowed / 2;
  return metric.source.kind === 'latency' ? usualTail : usualBadShare;
}

export function about({ index, metric }: Watched, message: string, key?: string): Finding {
  return {
    path: key === undefined ? ['metrics', index] : ['metrics', index, key],
    at: 'value',
    message: `${metric.name}: ${message}`,
  };
}

/** What the expected traffic does not reach in time: the minimum, a regression noticed, a gate passed. */
export function unreachable(one: Watched, all: readonly Soak[]): Finding[] {
  const { metric } = one;
  const delayMs = metric.labelDelayMs ?? 0;
  const soaks = all.filter(({ step }) => delayMs < step.maxSoakMs);
  if (metric.source.kind === 'gauge') return slowGauge(one, soaks);
  if (metric.weight <= 0 || !isForetold(metric) || one.eventsPerSecond === null || one.badShare === null) return [];
  const starved = soaks.find((soak) => timeToMinimumMs(at(one, soak)) > soak.step.maxSoakMs);
  if (starved !== undefined) return [belowMinimum(one, starved)];
  const unseen = unnoticed(one, soaks);
  return unseen.length > 0 ? unseen : impassable(one, soaks);
}

function at(one: Watched, { step }: Soak): Circumstances {
  return {
    metric: one.metric,
    settings: one.policy.comparison,
    eventsPerSecond: one.eventsPerSecond ?? 0,
    candidateShare: step.exposurePercent / 100,
    badShare: one.badShare ?? usualBadShare,
  };
}

function slowGauge(one: Watched, soaks: readonly Soak[]): Finding[] {
  const { metric, policy } = one;
  const leastMs = leastTimeMs(metric, policy.comparison);
  const tooShort = soaks.find(({ step }) => step.maxSoakMs < leastMs);
  if (tooShort === undefined || metric.weight <= 0) return [];
  const { step } = tooShort;
  return [
    about(
      one,
      `a gauge is judged from six windows on, which with the warm-up take ${duration(leastMs)}; the step at ${percent(step.exposurePercent)} waits ${duration(step.maxSoakMs)} at most. How much longer it takes depends on how it scatters`,
    ),
  ];
}

function place(one: Watched, { step }: Soak): string {
  return `at ${trafficOf(one.metric, one.eventsPerSecond ?? 0)} and ${percent(step.exposurePercent)} exposure`;
}

function belowMinimum(one: Watched, soak: Soak): Finding {
  const { metric } = one;
  const neededMs = timeToMinimumMs(at(one, soak));
  return about(
    one,
    `${place(one, soak)}, an arm has the ${metric.minimumSamples} events of its minimum after ${roughly(neededMs)}; the step waits ${duration(soak.step.maxSoakMs)} at most, so it has no data there. Lower the minimum, soak longer, or raise the exposure of the step`,
    'minimum' in (one.written ?? {}) ? 'minimum' : undefined,
  );
}

/**
 * A change of exactly what is tolerated lies at the limit and can never be told from it: asked is about twice that, or where
 * nothing is tolerated about a quarter. Of an objective, about twice the share that is allowed.
 */
export function changeAskedAbout(metric: Metric, badShare: number): number {
  if (metric.source.kind === 'objective') return (2 * metric.source.allowed) / badShare;
  const { relative, absolute } = metric.tolerance;
  const tolerated = Math.max(relative ?? 0, (absolute ?? 0) / badShare);
  return 1 + (tolerated > 0 ? 2 * tolerated : 0.25);
}

function unnoticed(one: Watched, soaks: readonly Soak[]): Finding[] {
  const badShare = one.badShare ?? usualBadShare;
  const ratio = changeAskedAbout(one.metric, badShare);
  const found = soaks.map((soak) => ({ soak, needed: timeToNotice(at(one, soak), ratio) }));
  const first = found.find(({ soak, needed }) => !isWithin(needed, soak.step.soakMs));
  if (first === undefined) return [];
  const { soak, needed } = first;
  const what = changeOf(one.metric, ratio, badShare);
  const later = found.find((other) => other.soak.index > soak.index && isWithin(other.needed, other.soak.step.soakMs));
  const elsewhere =
    later === undefined
      ? ''
      : ` The step at ${percent(later.soak.step.exposurePercent)} would notice it in ${roughly(later.needed?.ms ?? null)}.`;
  const pass = passTooLate(one, soak);
  const even =
    pass === null
      ? ''
      : ` Even a candidate as good as stable would be called healthy only after ${roughly(pass.needed?.ms ?? null)}, so people would be asked each time.`;
  return [
    about(
      one,
      `${place(one, soak)}, ${what} would take ${roughly(needed?.ms ?? null)} to notice; ${lasting(soak)}.${elsewhere}${even} ${advice(needed, 'tolerate more')}${takenForGranted(one)}`,
    ),
  ];
}

function lasting({ step }: Soak): string {
  return `the step soaks ${duration(step.soakMs)} (at most ${duration(step.maxSoakMs)})`;
}

function isWithin(needed: TimeNeeded | null, ms: number): boolean {
  return needed !== null && needed.ms <= ms;
}

function advice(needed: TimeNeeded | null, lastly: string): string {
  return needed !== null
    ? `Soak longer, raise the exposure of the step, or ${lastly}.`
    : `Raise the exposure of the step, or ${lastly}.`;
}

function takenForGranted({ metric, written }: Watched): string {
  return metric.source.kind === 'latency' && written?.expected === undefined
    ? ' (Taken for granted: a tenth of the requests is slow.)'
    : '';
}

/** How long a candidate that is exactly as good as stable would take to be called healthy, where the step does not last as long. */
function passTooLate(one: Watched, soak: Soak): { readonly needed: TimeNeeded | null } | null {
  const { gate, maxSoakMs } = soak.step;
  if (gate !== undefined && gate.metrics.length > 0 && !gate.metrics.includes(one.metric.name)) return null;
  const needed = timeToPass(at(one, soak));
  return isWithin(needed, maxSoakMs) ? null : { needed };
}

function impassable(one: Watched, soaks: readonly Soak[]): Finding[] {
  for (const soak of soaks) {
    const pass = passTooLate(one, soak);
    if (pass === null) continue;
    return [
      about(
        one,
        `${place(one, soak)}, even a candidate as good as stable would be called healthy only after ${roughly(pass.needed?.ms ?? null)}; ${lasting(soak)}, so people would be asked each time. ${advice(pass.needed, 'raise tolerance.healthy')}${takenForGranted(one)}`,
      ),
    ];
  }
  return [];
}

/** A gate that asks for better, and no metric that could show it in time. */
export function neverBetter(policy: Policy, soaks: readonly Soak[], metrics: readonly Watched[]): Finding[] {
  for (const soak of soaks) {
    const { step, index } = soak;
    if ((step.gate?.objective ?? policy.objective) !== 'better') continue;
    const named = step.gate?.metrics ?? [];
    const asked = metrics.filter(
      ({ metric }) => metric.weight > 0 && (named.length === 0 || named.includes(metric.name)),
    );
    // What is not known may be quick enough.
    if (
      asked.some(
        (one) =>
          !isForetold(one.metric) ||
          one.metric.source.kind === 'objective' ||
          one.eventsPerSecond === null ||
          one.badShare === null,
      )
    )
      continue;
    const times = asked.map((one) => ({ one, needed: timeToBeBetter(at(one, soak), 0.5) }));
    if (times.length === 0 || times.some(({ needed }) => isWithin(needed, step.maxSoakMs))) continue;
    const each = times.map(
      ({ one, needed }) => `${one.metric.name} (${improvementOf(one.metric)}) ${roughly(needed?.ms ?? null)}`,
    );
    return [
      {
        path: step.gate === undefined ? ['objective'] : ['steps', index, 'gate'],
        at: 'value',
        message: `at ${percent(step.exposurePercent)} exposure no metric could show in time that the candidate is better: ${list(each)}; the step waits ${duration(step.maxSoakMs)} at most, so people would be asked each time. Soak longer, or raise the exposure of the step`,
      },
    ];
  }
  return [];
}
