import { type Random, random } from './random.ts';
import type { Scenario } from './scenarios.ts';

/** Two hours of both arms' traffic, in windows of 30 s, as Prometheus would have counted it. */

export const WINDOW_MS = 30_000;
export const RUN_MINUTES = 120;
export const WARM_UP_MINUTES = 2;
export const WINDOWS = (RUN_MINUTES * 60_000) / WINDOW_MS;
export const WINDOWS_A_MINUTE = 60_000 / WINDOW_MS;
/** An hour before the rollout, in which stable had all of the traffic. */
export const PAST_WINDOWS = 120;

/** Upper bounds of the histogram's buckets in seconds: the client libraries' defaults. */
export const BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Latencies are lognormal: half of them faster than this many seconds, with this spread of their logarithm. */
const MEDIAN_SECONDS = 0.12;
const LOG_SPREAD = 0.6;

/**
 * One arm of one metric. `bad[i]` of `total[i]` in window i; a latency has one array of slower ones for every bucket, a gauge its
 * value in `bad` and 1 in `total`.
 */
export interface ArmCounts {
  readonly total: Float64Array;
  readonly bad: Float64Array;
  readonly slower: readonly Float64Array[];
}

export interface MetricCounts {
  /** Stable alone, before the rollout. */
  readonly past: ArmCounts;
  /** Beside the candidate; where it is held against last week, the service then. */
  readonly stable: ArmCounts;
  readonly candidate: ArmCounts;
}

/** What every method is shown: nothing but counts. */
export interface Traffic {
  readonly scenario: Scenario;
  readonly metrics: readonly MetricCounts[];
}

export function trafficOf(scenario: Scenario, seed: number, run: number): Traffic {
  const metrics = Array.from({ length: scenario.metrics }, (_, m) => {
    const chance = random(seed, `${scenario.name}/${run}/${m}`);
    const calm = scenario.noise.since === 'rollout' ? () => 1 : null;
    const stableNoise = noiseOf(scenario, chance);
    const past = countsOf(scenario, PAST_WINDOWS, chance, (i) => ({
      minute: (i - PAST_WINDOWS) / WINDOWS_A_MINUTE,
      trafficShare: 1,
      worse: false,
      noise: (calm ?? stableNoise)(),
    }));
    const present = (arm: 'stable' | 'candidate', noise: () => number) =>
      countsOf(scenario, WINDOWS, chance, (i) => {
        const minute = i / WINDOWS_A_MINUTE;
        const share = scenario.candidateShare(minute);
        return {
          minute,
          // A week ago the service had all of its traffic, too.
          trafficShare: arm === 'candidate' || scenario.against === 'last-week' ? share : 1 - share,
          worse: arm === 'candidate' && scenario.regression !== null && minute >= scenario.regression.fromMinute,
          noise: noise(),
        };
      });
    return { past, stable: present('stable', stableNoise), candidate: present('candidate', noiseOf(scenario, chance)) };
  });
  return { scenario, metrics };
}

/** What one window of one arm is drawn from. */
interface Circumstances {
  readonly minute: number;
  /** The arm's share of the traffic. */
  readonly trafficShare: number;
  readonly worse: boolean;
  readonly noise: number;
}

function countsOf(scenario: Scenario, windows: number, chance: Random, at: (i: number) => Circumstances): ArmCounts {
  const counts = {
    total: new Float64Array(windows),
    bad: new Float64Array(windows),
    slower: scenario.kind === 'latency' ? BUCKETS.map(() => new Float64Array(windows)) : [],
  };
  for (let i = 0; i < windows; i += 1) {
    const { minute, trafficShare, worse, noise } = at(i);
    const rate = worse ? (scenario.regression?.to ?? 0) : scenario.badShare;
    if (scenario.kind === 'gauge') {
      counts.total[i] = 1;
      counts.bad[i] = rate * scenario.shared(minute) * noise;
      continue;
    }
    const total = chance.poisson((scenario.perSecond * trafficShare * WINDOW_MS) / 1000);
    counts.total[i] = total;
    if (scenario.kind === 'latency') {
      fillBuckets(counts.slower, i, total, (worse ? (scenario.regression?.to ?? 1) : 1) * noise, chance);
    } else {
      counts.bad[i] = chance.binomial(total, Math.min(1, rate * scenario.shared(minute) * noise));
    }
  }
  return counts;
}

/**
 * Each arm's own noise from window to window: lognormal with mean 1 and the scenario's coefficient of variation, whose logarithm
 * is an AR(1) process in its stationary state.
 */
function noiseOf({ noise }: Scenario, chance: Random): () => number {
  if (noise.cv === 0) return () => 1;
  const sigma = Math.sqrt(Math.log1p(noise.cv * noise.cv));
  let z = chance.normal();
  return () => {
    z = noise.ar * z + Math.sqrt(1 - noise.ar * noise.ar) * chance.normal();
    return Math.exp(sigma * z - (sigma * sigma) / 2);
  };
}

/** A multinomial draw, bucket by bucket: of those slower than the last bound, how many are slower than this one. */
function fillBuckets(
  slower: readonly Float64Array[],
  i: number,
  total: number,
  slowdown: number,
  chance: Random,
): void {
  let left = total;
  let leftShare = 1;
  slower.forEach((column, b) => {
    const share = slowerShare(BUCKETS[b] ?? 0, slowdown);
    left = leftShare > 0 ? chance.binomial(left, Math.min(1, share / leftShare)) : 0;
    leftShare = share;
    column[i] = left;
  });
}

/** Share of requests slower than `seconds`, all of them `slowdown` times as slow as usual. */
export function slowerShare(seconds: number, slowdown: number): number {
  return 1 - normalCdf(Math.log(seconds / (MEDIAN_SECONDS * slowdown)) / LOG_SPREAD);
}

/** Hart's algorithm as given by G. West, "Better approximations to cumulative normal functions" (2005): to about 1e-14. */
export function normalCdf(x: number): number {
  const a = Math.abs(x);
  if (a > 37) return x > 0 ? 1 : 0;
  const e = Math.exp((-a * a) / 2);
  const above = 0.0352624965998911;
  const top =
    (((((above * a + 0.700383064443688) * a + 6.37396220353165) * a + 33.912866078383) * a + 112.079291497871) * a +
      221.213596169931) *
      a +
    220.206867912376;
  const bottom =
    ((((((0.0883883476483184 * a + 1.75566716318264) * a + 16.064177579207) * a + 86.7807322029461) * a +
      296.564248779674) *
      a +
      637.333633378831) *
      a +
      793.826512519948) *
      a +
    440.413735824752;
  const tail =
    a < 7.07106781186547 ? (e * top) / bottom : e / (a + 1 / (a + 2 / (a + 3 / (a + 4 / (a + 0.65))))) / 2.506628274631;
  return x > 0 ? 1 - tail : tail;
}
