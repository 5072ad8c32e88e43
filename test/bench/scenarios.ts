/** What is simulated. A scenario without a regression counts false rollbacks, one with a regression counts how soon it is found. */
export interface Scenario {
  readonly name: string;
  readonly kind: Kind;
  /** Requests (accuracy: labels) a second, both arms together. A gauge has none: it is read once a window. */
  readonly perSecond: number;
  /** The candidate's share of traffic, 0..1, at this minute. */
  readonly candidateShare: (minute: number) => number;
  /** Minutes at which the share changes: the gate restarts its test there. */
  readonly stepsAtMinutes: readonly number[];
  /** Share of bad requests of a healthy arm; of a gauge its level. */
  readonly badShare: number;
  /** What multiplies both arms' rate of bad requests at this minute. */
  readonly shared: (minute: number) => number;
  /** Each arm's own noise from window to window; `since`: whether the time before the rollout already had it. */
  readonly noise: { readonly cv: number; readonly ar: number; readonly since?: 'always' | 'rollout' };
  /** How many metrics, each with traffic of its own. */
  readonly metrics: number;
  /** `last-week`: there is one series for the whole service, held against itself a week ago. */
  readonly against: 'stable' | 'last-week';
  /** Minutes after which an answer's label is there; wrong answers are known that late, right ones at once. */
  readonly labelsLateMinutes: number;
  /** From this minute on the candidate's share of bad requests (gauge: its level), or its slowdown as a factor, is `to`. */
  readonly regression: { readonly fromMinute: number; readonly to: number } | null;
  /** Its regression is exactly what the policy tolerates: neither a mistake to find it nor one to miss it. */
  readonly isTolerated: boolean;
  /** The scenario with the same traffic and no regression; null: this is none with a regression. */
  readonly twin: string | null;
  /** True where at most 1 % false rollbacks are promised. */
  readonly promised: boolean;
  /** Shown in the README, too. */
  readonly inReadme: boolean;
  /** Runs in proportion to the command's: what costs more is run less often. */
  readonly runsShare: number;
}

export type Kind = 'errors' | 'accuracy' | 'latency' | 'gauge';

const plain: Omit<Scenario, 'name'> = {
  kind: 'errors',
  perSecond: 100,
  candidateShare: () => 0.5,
  stepsAtMinutes: [],
  badShare: 0.02,
  shared: () => 1,
  noise: { cv: 0, ar: 0 },
  metrics: 1,
  against: 'stable',
  labelsLateMinutes: 0,
  regression: null,
  isTolerated: false,
  twin: null,
  promised: true,
  inReadme: false,
  runsShare: 1,
};

/** Both arms five times as bad from minute 40 to minute 60. */
const incident = (minute: number) => (minute >= 40 && minute < 60 ? 5 : 1);
/** A tenth of the traffic for ten minutes, then half of it. */
const inTwoSteps = { candidateShare: (minute: number) => (minute < 10 ? 0.1 : 0.5), stepsAtMinutes: [10] };
/** Errors rise and fall by 60 % with the time of day; the run is a morning in which they go from 1.3 to 1.5 times the day's mean. */
const daily = (minute: number) => 1 + 0.6 * Math.sin((2 * Math.PI * (minute + 120)) / 1440);
/** Errors scatter by 30 % and remember; of a latency every request is slower by 9 %, which moves the share beyond its p95 by as much. */
const lasting = { noise: { cv: 0.3, ar: 0.6 } };
const lastingSlowness = { noise: { cv: 0.09, ar: 0.6 } };
const labels = (perSecond: number): Partial<Scenario> => ({ kind: 'accuracy', perSecond });
const latency = (perSecond: number): Partial<Scenario> => ({ kind: 'latency', perSecond, runsShare: 0.5 });
/** Memory in use, say: half of it, give or take a tenth. */
const gauge = (ar: number): Partial<Scenario> => ({ kind: 'gauge', badShare: 50, noise: { cv: 0.1, ar } });
const lastWeek: Partial<Scenario> = {
  against: 'last-week',
  candidateShare: () => 1,
  shared: daily,
  noise: { cv: 0.2, ar: 0 },
};
const readme = { inReadme: true };

function without(name: string, over: Partial<Scenario> = {}): Scenario {
  return { ...plain, ...over, name };
}

const healthy: readonly Scenario[] = [
  without('1 rps', { perSecond: 1, ...readme }),
  without('10 rps', { perSecond: 10, ...readme }),
  without('100 rps', readme),
  without('10 rps, 10 % then 50 % of it', { perSecond: 10, ...inTwoSteps }),
  without('both arms 5× as bad, 20 min', { shared: incident, ...readme }),
  without('noise CV 0.2', { noise: { cv: 0.2, ar: 0 } }),
  without('noise CV 0.3', { noise: { cv: 0.3, ar: 0 }, ...readme }),
  without('noise CV 0.5', { noise: { cv: 0.5, ar: 0 }, promised: false }),
  without('noise CV 0.3, AR 0.6', { ...lasting, ...readme }),
  without('noise CV 0.3, AR 0.6, 10 rps', { perSecond: 10, ...lasting }),
  without('noise CV 0.3, AR 0.9', { noise: { cv: 0.3, ar: 0.9 }, promised: false, ...readme }),
  without('noise CV 0.3, new with the rollout', { noise: { cv: 0.3, ar: 0, since: 'rollout' } }),
  without('noise CV 0.3, AR 0.6, new with it', { noise: { cv: 0.3, ar: 0.6, since: 'rollout' }, promised: false }),
  without('ten metrics at once', { metrics: 10, runsShare: 0.25, ...readme }),
  without('accuracy, 0.1 labels/s', labels(0.1)),
  without('accuracy, 1 label/s', { ...labels(1), ...readme }),
  without('accuracy, 10 labels/s', labels(10)),
  without('accuracy, 10/s, CV 0.3, AR 0.6', { ...labels(10), ...lasting }),
  without('accuracy, 10/s, labels 30 min late', { ...labels(10), labelsLateMinutes: 30, runsShare: 0.5 }),
  without('latency, 1 rps', latency(1)),
  without('latency, 10 rps', { ...latency(10), ...readme }),
  without('latency, 100 rps', { ...latency(100), runsShare: 0.25 }),
  without('latency, 10 rps, CV 0.3, AR 0.6', { ...latency(10), ...lastingSlowness }),
  without('latency, 100 rps, CV 0.3, AR 0.6', { ...latency(100), ...lastingSlowness, runsShare: 0.25 }),
  without('gauge, AR 0.6', { ...gauge(0.6), ...readme }),
  without('gauge, AR 0.9', { ...gauge(0.9), promised: false }),
  without('one series, against last week', { ...lastWeek, ...readme }),
];

/** The traffic of `twin`, and the regression. */
function worse(name: string, twin: string, to: number, over: Partial<Scenario> = {}, fromMinute = 0): Scenario {
  const like = healthy.find((s) => s.name === twin);
  if (like === undefined) throw new Error(`There is no scenario ${twin}`);
  const runsShare = like.runsShare / 2;
  return { ...like, inReadme: false, runsShare, ...over, name, twin, regression: { fromMinute, to }, promised: false };
}

const regressions: readonly Scenario[] = [
  worse('2→4 %, 1 rps', '1 rps', 0.04, readme),
  worse('2→4 %, 10 rps', '10 rps', 0.04, readme),
  worse('2→4 %, 100 rps', '100 rps', 0.04, readme),
  worse('2→10 %, 10 rps', '10 rps', 0.1, readme),
  worse('2→10 %, 100 rps', '100 rps', 0.1),
  worse('2→4 % after 1 h, 10 rps', '10 rps', 0.04, {}, 60),
  worse('2→4 % after 1 h, 100 rps', '100 rps', 0.04, readme, 60),
  worse('2→10 % after 1 h, 10 rps', '10 rps', 0.1, {}, 60),
  worse('2→10 % after 1 h, 100 rps', '100 rps', 0.1, {}, 60),
  worse('2→4 %, noise CV 0.3', 'noise CV 0.3', 0.04),
  worse('2→4 %, noise CV 0.3, AR 0.6', 'noise CV 0.3, AR 0.6', 0.04, readme),
  worse('accuracy 98→95 %, 0.1 labels/s', 'accuracy, 0.1 labels/s', 0.05),
  worse('accuracy 98→95 %, 1 label/s', 'accuracy, 1 label/s', 0.05, readme),
  worse('accuracy 98→95 %, 10 labels/s', 'accuracy, 10 labels/s', 0.05, readme),
  worse('accuracy 98→95 %, 10/s, 30 min late', 'accuracy, 10/s, labels 30 min late', 0.05),
  worse('latency +20 %, 1 rps', 'latency, 1 rps', 1.2),
  worse('latency +20 %, 10 rps', 'latency, 10 rps', 1.2, readme),
  worse('latency +20 %, 100 rps', 'latency, 100 rps', 1.2),
  worse('gauge +30 %, AR 0.6', 'gauge, AR 0.6', 65, readme),
  worse('2→4 %, one series, last week', 'one series, against last week', 0.04, readme),
];

/** A quarter worse is what the policy tolerates. */
const atTheLimit: readonly Scenario[] = [
  worse('2→2.5 %, 10 rps', '10 rps', 0.025, { isTolerated: true, runsShare: 1 }),
  worse('2→2.5 %, 100 rps', '100 rps', 0.025, { isTolerated: true, runsShare: 1 }),
];

export const scenarios: readonly Scenario[] = [...healthy, ...regressions, ...atTheLimit];
