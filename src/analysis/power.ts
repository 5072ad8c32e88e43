import type { ArmRead } from './arms/arm.ts';
import { columnsOf } from './arms/counts.ts';
import { expectedWindows } from './arms/windows.ts';
import { forgetful } from './evidence/memory.ts';
import { testOf } from './kinds/index.ts';
import type { ComparisonSettings, CountWindow, LookPeriod, Metric } from './types.ts';
import { LN_HEALTHY, type Outcome } from './verdict/outcome.ts';

/**
 * How long the comparison needs, at the median, at a given traffic. The comparison itself is asked, over windows that hold what is
 * expected of them, scattered evenly as counts scatter: the logarithm of its evidence grows in them by its expectation (what the conditional binomial's
 * divergence from the limit is worth at each bet, tempered by the noise that is allowed), and the price of the mixtures and of the
 * restarts is paid as it is in earnest. So the answer follows whatever the comparison does. Checked against simulated rollouts in
 * test/analysis/power.test.ts.
 */

/** The comparison looks back no further: what takes longer is never noticed (domain/looking.ts). */
export const LONGEST_MS = 24 * 3_600_000;

/** One metric at one step, as it is expected to be. */
export interface Circumstances {
  readonly metric: Metric;
  readonly settings: ComparisonSettings;
  /** Events of the metric's denominator a second, of both arms together. Labelled metrics: labels. */
  readonly eventsPerSecond: number;
  /** The candidate's share of them, more than 0 and less than 1. */
  readonly candidateShare: number;
  /** Bad events of all, with stable. A rate: events per exposure. A latency: the share of requests that are slow. */
  readonly badShare: number;
}

/** How long it takes from the step's shift on. */
export interface TimeNeeded {
  /** Windows that must have been compared. */
  readonly windows: number;
  /** With the warm-up before and the wait for labels after them. */
  readonly ms: number;
}

/** Kinds of which a change can be foretold: what counts. A gauge's scatter is not known beforehand. */
export function isForetold(metric: Metric): boolean {
  const kinds: readonly string[] = ['proportion', 'labelled', 'rate', 'latency', 'objective'];
  return kinds.includes(metric.source.kind) && metric.baseline?.kind !== 'fixed';
}

/**
 * Until the candidate is called degraded where it has `ratio` times as many bad events as stable (a drop to 1/ratio where a drop is
 * bad). Null: not within a day.
 */
export function timeToNotice(at: Circumstances, ratio: number): TimeNeeded | null {
  return timeUntil(at, ratio, (outcome) => outcome.verdict === 'degraded');
}

/** Until a candidate that is exactly as good as stable is called healthy. Null: not within a day. */
export function timeToPass(at: Circumstances): TimeNeeded | null {
  return timeUntil(at, 1, (outcome) => outcome.verdict === 'healthy');
}

/** Until a candidate with `ratio` (less than 1) times the bad events of stable is called better. Null: not within a day. */
export function timeToBeBetter(at: Circumstances, ratio: number): TimeNeeded | null {
  return timeUntil(at, ratio, (outcome) => outcome.verdict === 'healthy' && (outcome.lnBetter?.() ?? 0) >= LN_HEALTHY);
}

/** Windows without which nothing is decided, with the warm-up and the wait for labels: what no traffic shortens. */
export function leastTimeMs(metric: Metric, settings: ComparisonSettings): number {
  // A gauge's test needs six differences (kinds/gauge.ts).
  const fewest = metric.source.kind === 'gauge' ? Math.max(6, settings.minimumWindows) : settings.minimumWindows;
  return fewest * settings.windowMs + settings.warmUpMs + (metric.labelDelayMs ?? 0);
}

/** Until the smaller of the two arms has had as many events as the metric must have. */
export function timeToMinimumMs(at: Circumstances): number {
  const { suspect, reference } = exposuresOf(at);
  const windows = Math.ceil(at.metric.minimumSamples / Math.max(1e-9, Math.min(suspect, reference)));
  return windows * at.settings.windowMs + at.settings.warmUpMs + (at.metric.labelDelayMs ?? 0);
}

/** Expected exposure of each side of the test in a window. */
function exposuresOf(at: Circumstances): { suspect: number; reference: number } {
  const whole = (at.eventsPerSecond * at.settings.windowMs) / 1000;
  const { metric, candidateShare } = at;
  // One series for the whole service, held against its own past.
  if (metric.arms === 'one') return { suspect: whole, reference: whole };
  const past = metric.baseline?.kind === 'offset';
  return { suspect: whole * candidateShare, reference: past ? whole : whole * (1 - candidateShare) };
}

/** What is seen of a change in the candidate where the two versions' events cannot be told apart. */
function seenRatio(at: Circumstances, ratio: number): number {
  return at.metric.arms === 'one' ? 1 + (ratio - 1) * at.candidateShare : ratio;
}

function timeUntil(at: Circumstances, ratio: number, reached: (outcome: Outcome) => boolean): TimeNeeded | null {
  if (!isForetold(at.metric)) return null;
  const { windowMs, warmUpMs, minimumWindows } = at.settings;
  const most = Math.max(1, expectedWindows(0, LONGEST_MS, windowMs));
  const fewest = Math.min(most, Math.max(1, minimumWindows, windowsForMinimum(at)));
  const path = expectedPath(at, seenRatio(at, ratio), most);
  const isReached = (windows: number) => reached(outcomeAfter(at, path, windows));
  let above = fewest;
  let below = fewest - 1;
  while (!isReached(above)) {
    if (above >= most) return null;
    below = above;
    above = Math.min(most, Math.ceil(above * 1.6));
  }
  while (above - below > 1) {
    const middle = Math.floor((above + below) / 2);
    if (isReached(middle)) above = middle;
    else below = middle;
  }
  return { windows: above, ms: above * windowMs + warmUpMs + (at.metric.labelDelayMs ?? 0) };
}

function windowsForMinimum(at: Circumstances): number {
  const { suspect, reference } = exposuresOf(at);
  return Math.ceil(at.metric.minimumSamples / Math.max(1e-9, Math.min(suspect, reference)));
}

interface Path {
  readonly suspect: readonly CountWindow[];
  readonly reference: readonly CountWindow[];
  /** Stable before the rollout, with all the traffic. */
  readonly past: readonly CountWindow[];
}

/** What stable's past is read of at least, to learn how much it scatters (sources/windows.ts). */
const PAST_MS = 3_600_000;

function expectedPath(at: Circumstances, ratio: number, windows: number): Path {
  const { metric, settings, badShare } = at;
  const { suspect, reference } = exposuresOf(at);
  const dropIsBad = metric.source.kind === 'rate' && metric.direction === 'higher-is-better';
  const changed = dropIsBad ? badShare / ratio : badShare * ratio;
  const arm = (exposure: number, badOfAll: number, base: number, length = windows) => {
    const share = metric.source.kind === 'rate' ? badOfAll : Math.min(1, badOfAll);
    const mean = exposure * share;
    const deviation = Math.sqrt(mean * (metric.source.kind === 'rate' ? 1 : 1 - share));
    return Array.from({ length }, (_, i) => ({
      endMs: (i + 1) * settings.windowMs,
      events: mean + scattered(i + 1, base) * Math.min(deviation, mean / SQRT3),
      exposure,
    }));
  };
  const whole = (at.eventsPerSecond * settings.windowMs) / 1000;
  return {
    suspect: arm(suspect, changed, 2),
    reference: arm(reference, badShare, 3),
    past: arm(whole, badShare, 5, Math.ceil(PAST_MS / settings.windowMs)),
  };
}

const SQRT3 = Math.sqrt(3);

/**
 * Counting noise without chance: numbers of mean 0 and variance 1 that are spread evenly over any stretch (van der Corput's sequence,
 * which never runs to one side for long). Counts that do not scatter at all would be taken for calmer than counts can be.
 */
function scattered(index: number, base: number): number {
  let u = 0;
  let weight = 1 / base;
  for (let rest = index; rest > 0; rest = Math.floor(rest / base)) {
    u += (rest % base) * weight;
    weight /= base;
  }
  return 2 * SQRT3 * (u - 0.5);
}

function outcomeAfter(at: Circumstances, path: Path, windows: number): Outcome {
  const toMs = windows * at.settings.windowMs;
  const period: LookPeriod = {
    fromMs: 0,
    toMs,
    healthyFromMs: 0,
    restartsAtMs: [],
    beforeOffsetMs: at.settings.lastWeekOffsetMs,
    against: 'stable',
  };
  const arm = (upTo: readonly CountWindow[]): ArmRead => {
    const counts = columnsOf(upTo);
    return at.metric.source.kind === 'latency'
      ? { kind: 'tails', bounds: [{ bound: at.metric.source.bounds[0] ?? 1, counts }] }
      : { kind: 'counts', counts };
  };
  return testOf({
    metric: at.metric,
    suspect: arm(path.suspect.slice(0, windows)),
    reference: arm(path.reference.slice(0, windows)),
    period,
    settings: at.settings,
    concurrent: at.metric.arms !== 'one' && at.metric.baseline?.kind !== 'offset',
    mayBeHealthy: true,
    // It scatters as counts do: what scatters more takes longer.
    past: arm(path.past),
    budget: null,
    memory: forgetful,
  });
}
