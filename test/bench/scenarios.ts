/** What is simulated. A scenario without a regression counts false rollbacks, one with a regression counts how soon it is found. */
export interface Scenario {
  readonly name: string;
  readonly kind: 'errors' | 'accuracy' | 'latency';
  /** Requests (accuracy: labels) a second, both arms together. */
  readonly perSecond: number;
  /** The candidate's share of traffic, 0..1, at this minute. */
  readonly candidateShare: (minute: number) => number;
  /** Minutes at which the share changes: the gate restarts its test there. */
  readonly stepsAtMinutes: readonly number[];
  /** Share of bad requests of a healthy arm. */
  readonly badShare: number;
  /** What multiplies both arms' rate of bad requests at this minute. */
  readonly shared: (minute: number) => number;
  /** Each arm's own noise from window to window; `since`: whether the time before the rollout already had it. */
  readonly noise: { readonly cv: number; readonly ar: number; readonly since?: 'always' | 'rollout' };
  /** How many metrics, each with traffic of its own. */
  readonly metrics: number;
  /** From this minute on the candidate's share of bad requests, or its slowdown as a factor, is `to`. */
  readonly regression: { readonly fromMinute: number; readonly to: number } | null;
  /** True where at most 1 % false rollbacks are promised. */
  readonly promised: boolean;
  /** Runs in proportion to the command's: what costs more is run less often. */
  readonly runsShare: number;
}

const plain: Omit<Scenario, 'name'> = {
  kind: 'errors',
  perSecond: 100,
  candidateShare: () => 0.5,
  stepsAtMinutes: [],
  badShare: 0.02,
  shared: () => 1,
  noise: { cv: 0, ar: 0 },
  metrics: 1,
  regression: null,
  promised: true,
  runsShare: 1,
};

/** Both arms five times as bad from minute 40 to minute 60. */
const incident = (minute: number) => (minute >= 40 && minute < 60 ? 5 : 1);
/** A tenth of the traffic for ten minutes, then half of it. */
const inTwoSteps = { candidateShare: (minute: number) => (minute < 10 ? 0.1 : 0.5), stepsAtMinutes: [10] };

function without(name: string, over: Partial<Scenario>): Scenario {
  return { ...plain, ...over, name };
}

function withRegression(name: string, to: number, over: Partial<Scenario> = {}, fromMinute = 0): Scenario {
  return { ...plain, runsShare: 0.5, ...over, name, regression: { fromMinute, to }, promised: false };
}

export const scenarios: readonly Scenario[] = [
  without('1 rps', { perSecond: 1 }),
  without('10 rps', { perSecond: 10 }),
  without('100 rps', {}),
  without('10 rps, 10 % then 50 % of it', { perSecond: 10, ...inTwoSteps }),
  without('both arms 5× as bad, 20 min', { shared: incident }),
  without('noise CV 0.2', { noise: { cv: 0.2, ar: 0 } }),
  without('noise CV 0.3', { noise: { cv: 0.3, ar: 0 } }),
  without('noise CV 0.5', { noise: { cv: 0.5, ar: 0 }, promised: false }),
  without('noise CV 0.3, AR 0.6', { noise: { cv: 0.3, ar: 0.6 } }),
  without('noise CV 0.3, AR 0.9', { noise: { cv: 0.3, ar: 0.9 }, promised: false }),
  without('noise CV 0.3, new with the rollout', { noise: { cv: 0.3, ar: 0, since: 'rollout' } }),
  without('noise CV 0.3, AR 0.6, new with it', { noise: { cv: 0.3, ar: 0.6, since: 'rollout' }, promised: false }),
  without('ten metrics at once', { metrics: 10, runsShare: 0.25 }),
  without('accuracy, 1 label/s', { kind: 'accuracy', perSecond: 1 }),
  without('latency, 10 rps', { kind: 'latency', perSecond: 10, runsShare: 0.5 }),
  withRegression('2→4 %, 10 rps', 0.04, { perSecond: 10 }),
  withRegression('2→4 %, 100 rps', 0.04),
  withRegression('2→10 %, 10 rps', 0.1, { perSecond: 10 }),
  withRegression('2→10 %, 100 rps', 0.1),
  withRegression('2→4 % after 1 h, 10 rps', 0.04, { perSecond: 10 }, 60),
  withRegression('2→4 % after 1 h, 100 rps', 0.04, {}, 60),
  withRegression('2→10 % after 1 h, 10 rps', 0.1, { perSecond: 10 }, 60),
  withRegression('2→10 % after 1 h, 100 rps', 0.1, {}, 60),
  withRegression('accuracy 98→95 %, 0.1 labels/s', 0.05, { kind: 'accuracy', perSecond: 0.1 }),
  withRegression('accuracy 98→95 %, 1 label/s', 0.05, { kind: 'accuracy', perSecond: 1 }),
  withRegression('accuracy 98→95 %, 10 labels/s', 0.05, { kind: 'accuracy', perSecond: 10 }),
  withRegression('latency +20 %, 1 rps', 1.2, { kind: 'latency', perSecond: 1 }),
  withRegression('latency +20 %, 10 rps', 1.2, { kind: 'latency', perSecond: 10 }),
];
