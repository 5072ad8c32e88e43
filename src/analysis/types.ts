/** What the comparison takes in and gives out. Plain data: it is stored with every decision and drawn on every card. */

/** What a measurement says. `no-data` is neither good nor bad (rule 4). */
export type Verdict = 'degraded' | 'healthy' | 'inconclusive' | 'no-data';

/** Which way a metric gets worse. */
export type Direction = 'lower-is-better' | 'higher-is-better';

export type Arm = 'stable' | 'candidate';

/**
 * How much worse the candidate may be before it counts as degraded, and how well it must be known to be well.
 * `relative` 0.25 means a quarter worse; `absolute` is in the metric's own unit (latency: a share of
 * requests, since tails are what is tested). Both given: the wider one holds.
 */
export interface Tolerance {
  readonly relative: number | null;
  readonly absolute: number | null;
  /** Ratio of candidate to stable that `healthy` must stay under (analysis.md: 1.5). */
  readonly healthyRatio: number;
  /**
   * The relative tolerance is learned from how much the service differs from itself a day earlier (`MetricSamples.history`);
   * `relative` holds until there is enough of a history. Absent: false. Counted kinds only.
   */
  readonly fromHistory?: boolean;
}

/** What of a classifier's labelled answers is measured. */
export type Measure = 'accuracy' | 'precision' | 'recall' | 'f1';

/** Where the numbers of one metric come from; selectors are PromQL, see `MetricSource`. */
export type MetricKind =
  /** Share of bad events, as two counters: `bad` of `total` (or `good` of `total`: give exactly one of them). */
  | { readonly kind: 'proportion'; readonly bad: string | null; readonly good: string | null; readonly total: string }
  /**
   * Answers that were labelled right or wrong later: counters of a confusion matrix. Each measure needs its own of them: accuracy
   * all four, precision the positives, recall and F1 the true positives and what they miss; the others are null.
   * Read as a proportion of bad ones: F1 as (FP + FN) of (2 TP + FP + FN).
   */
  | {
      readonly kind: 'labelled';
      readonly measure: Measure;
      readonly truePositives: string;
      readonly falsePositives: string | null;
      readonly falseNegatives: string | null;
      readonly trueNegatives: string | null;
    }
  /** Events against an exposure; `per` null: against seconds of running instances. */
  | { readonly kind: 'rate'; readonly events: string; readonly per: string | null }
  /**
   * Histogram, classic (`…_bucket`) or native (the histogram itself): which one, the answer shows. `bounds` are upper bucket
   * bounds in `unit`, empty: every bound the histogram has.
   */
  | { readonly kind: 'latency'; readonly buckets: string; readonly bounds: readonly number[] }
  /** A value that is read, not counted. */
  | { readonly kind: 'gauge'; readonly value: string }
  /** How a feature or the predictions are distributed: a counter for every bin, told apart by the label `by`. Warns only. */
  | { readonly kind: 'drift'; readonly counts: string; readonly by: string }
  /** A drift score somebody else computes (PSI, KS, …), against its own threshold. Warns only. */
  | { readonly kind: 'drift-score'; readonly value: string; readonly limit: number }
  /** A value against an absolute limit, whatever the other arm does. */
  | { readonly kind: 'limit'; readonly value: string; readonly limit: number }
  /**
   * An absolute objective: at most the share `allowed` (0.001 for an objective of 99.9 %) may be bad. The arm is held against it,
   * and the service's error budget is watched for how fast it burns (`MetricSamples.budget`).
   */
  | {
      readonly kind: 'objective';
      readonly bad: string | null;
      readonly good: string | null;
      readonly total: string;
      readonly allowed: number;
    }
  /** Whether traffic is split as configured: requests (or users) of each arm. `slack` 0.1: a tenth of the share off is tolerated. */
  | { readonly kind: 'split'; readonly requests: string; readonly slack: number };

/** What an arm is held against. */
export type Baseline =
  /** The other arm beside it; without a second arm the service's own past. The ordinary case. */
  | { readonly kind: 'stable' }
  /** The service at the same time so long ago: yesterday, last week. */
  | { readonly kind: 'offset'; readonly offsetMs: number }
  /**
   * Totals known beforehand, from an evaluation or a good month: proportion, labelled and rate only. `events` are the bad ones of a
   * proportion or a labelled measure, whichever its selectors count, and what a rate counts.
   */
  | { readonly kind: 'fixed'; readonly events: number; readonly exposure: number };

export interface Metric {
  readonly name: string;
  readonly title: string;
  /** Shown behind the numbers: `%`, `s`, `req/s`, … A proportion is shown in per cent whatever this says. */
  readonly unit: string;
  readonly source: MetricKind;
  readonly direction: Direction;
  readonly tolerance: Tolerance;
  /** Fewer events (proportion, rate, latency: of the denominator) or samples (gauge) in an arm: `no-data`. */
  readonly minimumSamples: number;
  /** The candidate past this value is beyond discussion: a rollback goes to 0 at once (rule 9). Null: none. */
  readonly criticalLimit: number | null;
  /** Share of the alpha this metric gets; the weights of a policy sum to 1. 0: it warns, and decides nothing (drift). */
  readonly weight: number;
  /** Absent: `stable`. */
  readonly baseline?: Baseline;
  /** Windows younger than this are not judged: their labels are still to come. Absent: 0. */
  readonly labelDelayMs?: number;
  /**
   * `one`: the selectors name neither the version nor the arm, so there is one series for the whole service: before and after can be
   * compared, candidate and stable cannot. Absent: `two`.
   */
  readonly arms?: 'two' | 'one';
}

/** How often and over what the comparison looks. */
export interface ComparisonSettings {
  readonly windowMs: number;
  readonly warmUpMs: number;
  /** Time between two looks. */
  readonly everyMs: number;
  readonly minimumWindows: number;
  /** Where the past of a service without a rollout is looked for: the same time this long ago. */
  readonly lastWeekOffsetMs: number;
}

/**
 * One aligned window of one arm. `events`/`exposure` for counted kinds, `value` for gauges. Absent windows are left out.
 * `events` are what the policy's selector counts (`good` ones too: the comparison makes bad ones of them).
 */
export interface CountWindow {
  readonly endMs: number;
  readonly events: number;
  readonly exposure: number;
}
export interface ValueWindow {
  readonly endMs: number;
  readonly value: number;
}

/** Windows of counts without an object for each; `exposure` is NaN where there is no window. Ends rise. */
export interface CountColumns {
  readonly length: number;
  endMs(index: number): number;
  events(index: number): number;
  exposure(index: number): number;
}

/** What was read for one metric, one arm and one stretch of time. */
export type Series =
  /** `columns`: the same as the windows, given by whoever has them so; `windows` are then made only where somebody asks for them. */
  | { readonly kind: 'counts'; readonly windows: readonly CountWindow[]; readonly columns?: CountColumns }
  /** Per bucket bound: `events` = slower than the bound, `exposure` = all. */
  | {
      readonly kind: 'tails';
      readonly bounds: readonly { readonly bound: number; readonly windows: readonly CountWindow[] }[];
    }
  | { readonly kind: 'values'; readonly windows: readonly ValueWindow[] }
  /** Per bin: `events` = in the bin, `exposure` = in all of them. */
  | {
      readonly kind: 'bins';
      readonly bins: readonly { readonly bin: string; readonly windows: readonly CountWindow[] }[];
    };

/** Everything one look has to go on. A missing arm is null; why it is missing stands beside it. */
export interface MetricSamples {
  readonly metric: string;
  readonly stableNow: Series | null;
  /**
   * Windows carry their own past times; they are laid over the present by `LookPeriod.beforeOffsetMs` (or the metric's own offset).
   * May reach further back than the period does: how much an arm scatters by itself is learned from all of it.
   */
  readonly stableBefore: Series | null;
  readonly candidateNow: Series | null;
  /** The whole service, whichever version, in windows of an hour over the last two weeks. Read for `Tolerance.fromHistory`. */
  readonly history?: Series | null;
  /** The whole service in windows of 5 minutes over the last three days. Read for objectives: how fast their budget burns. */
  readonly budget?: Series | null;
  /** Why something is missing, for the card: "Prometheus did not answer within 5 s". */
  readonly missing: string | null;
}

/** The stretch of time a look covers. All moments are Unix milliseconds. */
export interface LookPeriod {
  /** Windows end in (fromMs, toMs]. */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * Where what is looked at began (the first shift and its warm-up), if before `fromMs`. A metric whose labels come late is judged on
   * windows as much older as they are late, but on none before this. Absent: `fromMs`.
   */
  readonly earliestMs?: number;
  /** `healthy` is judged on windows after this (the step's shift and its warm-up); `degraded` on all. */
  readonly healthyFromMs: number;
  /** Begins of steps: a restart of the e-process is made at each, and every 15 min. */
  readonly restartsAtMs: readonly number[];
  /** The past the present is paired with begins this long before `fromMs`. */
  readonly beforeOffsetMs: number;
  /** What the candidate is held against: `stable` beside it, or (after 100 %, when stable has no traffic) the service's `past`. */
  readonly against: 'stable' | 'past';
  /** Length of the windows of this look: a long one is read in longer windows than the policy's. Absent: the policy's. */
  readonly windowMs?: number;
  /**
   * The candidate's configured share of traffic from each moment on, oldest first: what a `split` is held against. Absent: not
   * known.
   */
  readonly exposures?: readonly { readonly fromMs: number; readonly percent: number }[];
}

/** One number with what is behind it. `value` null: no data. */
export interface Reading {
  readonly value: number | null;
  /** Events of the denominator, or samples of a gauge. */
  readonly samples: number;
}

export interface MetricComparison {
  readonly metric: string;
  /** Absent in looks stored before it was kept. */
  readonly kind?: MetricKind['kind'];
  /** What the verdict was held against. Absent: stable, or the past without a candidate. */
  readonly basis?: 'stable' | 'past' | 'fixed' | 'limit' | 'split';
  readonly title: string;
  readonly unit: string;
  readonly direction: Direction;
  /** True: readings are shares 0..1, shown in per cent. */
  readonly isShare: boolean;
  /** Candidate against stable. Without a candidate arm: the service against its own past. */
  readonly verdict: Verdict;
  /** Stable now against its own past: what a rollback's phases and the common cause are judged by. */
  readonly stableVerdict: Verdict;
  /** Candidate now against the service's past. */
  readonly candidateVersusPast: Verdict;
  readonly stableBefore: Reading;
  readonly stableNow: Reading;
  readonly candidateNow: Reading;
  /**
   * Candidate/stable ratio in the bad direction (difference for gauges) with its always-valid interval. Finite always: an
   * `upper` of 10,000 says that no upper bound is known yet, a `lower` of 0 that no lower one is. `over` where the estimate is not
   * that of the readings beside it: what began late is proven by the windows since then (`lately`), what began before the step by
   * all of them.
   */
  readonly change: {
    readonly estimate: number;
    readonly lower: number;
    readonly upper: number;
    readonly over?: 'lately' | 'overall';
  } | null;
  /**
   * `good`: good ones are counted, because they are the fewer, and `change` says by how many times fewer of them the suspect has.
   * Absent: as the metric's kind has it.
   */
  readonly changeOf?: 'good';
  /** The limit `change` is held against (ratio, or difference for gauges). */
  readonly limit: number;
  readonly changeIs: 'ratio' | 'difference';
  /** The limit as the policy means it: `1.25×`, `+0.5 points`, `0.2 s`. */
  readonly limitText: string;
  /** Evidence that it is worse than the limit (an e-value; 1 = none). */
  readonly evidence: number;
  /** The candidate is past `criticalLimit`. */
  readonly critical: boolean;
  readonly weight: number;
  /** One plain sentence with the numbers. */
  readonly sentence: string;
  /** stable and candidate over time, for the chart: at most 20 points, oldest first. */
  readonly line: readonly {
    readonly endMs: number;
    readonly stable: number | null;
    readonly candidate: number | null;
  }[];
}

/** The outcome of one look: over all metrics, and each. */
export interface Comparison {
  readonly atMs: number;
  readonly verdict: Verdict;
  /** Over all metrics: stable against its own past. */
  readonly stableVerdict: Verdict;
  /** Both arms are worse than their own past and not than each other: a rollback will not help (rule 5). */
  readonly commonCause: boolean;
  /** Any metric's candidate is past its critical limit. */
  readonly critical: boolean;
  /** 0..100, for display only. */
  readonly score: number | null;
  /** Names of the metrics that are degraded. */
  readonly culprits: readonly string[];
  /** Names of the metrics that look worse and prove nothing: evidence of 10 and more, drift, a budget that burns. Absent: none. */
  readonly warnings?: readonly string[];
  /** False where some metric has but one arm: whether stable is equally bad cannot be told by it. Absent: true. */
  readonly canTellCommonCause?: boolean;
  /** Names of the metrics in which the candidate is better than stable beyond doubt (its interval ends on the good side). */
  readonly improved: readonly string[];
  readonly metrics: readonly MetricComparison[];
  /** Why there is no data, where there is none. */
  readonly missing: string | null;
}
