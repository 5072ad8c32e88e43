import { describe, expect, it } from 'vitest';
import { compare } from '../../src/analysis/compare.ts';
import {
  type Circumstances,
  isForetold,
  leastTimeMs,
  timeToBeBetter,
  timeToMinimumMs,
  timeToNotice,
  timeToPass,
} from '../../src/analysis/power.ts';
import type { CountWindow, Metric } from '../../src/analysis/types.ts';
import { type Chance, chance, metric, period, START_MS, samples, settings, WINDOW_MS } from './support.ts';

/** What is foretold is held against simulated rollouts that the comparison itself looks at. */

const BAD_SHARE = 0.05;
/** Short runs vary most, and cost least. */
const runsOf = (windows: number) => (windows < 60 ? 101 : 25);

function circumstances(over: Partial<Circumstances> = {}): Circumstances {
  return {
    metric: metric(),
    settings,
    eventsPerSecond: 10,
    candidateShare: 0.1,
    badShare: BAD_SHARE,
    ...over,
  };
}

function arm(c: Chance, at: Circumstances, share: number, badShare: number, windows: number): CountWindow[] {
  return Array.from({ length: windows }, (_, i) => {
    const exposure = c.poisson((at.eventsPerSecond * share * WINDOW_MS) / 1000);
    const events = Math.min(exposure, c.poisson(exposure * badShare));
    return { endMs: START_MS + (i + 1) * WINDOW_MS, events, exposure };
  });
}

/** Windows until the comparison says so, in one simulated rollout; looked for between a third and three times of `about`. */
function simulated(at: Circumstances, ratio: number, verdict: string, about: number, seed: number): number {
  const most = Math.ceil(about * 3);
  const c = chance(seed);
  const stable = arm(c, at, 1 - at.candidateShare, at.badShare, most);
  const candidate = arm(c, at, at.candidateShare, at.badShare * ratio, most);
  // An hour, as it is read: how much stable scatters is learned from it.
  const before = arm(c, at, 1, at.badShare, Math.max(most, 120));
  const { beforeOffsetMs } = period(1);
  const stableBefore = before.map((w) => ({ ...w, endMs: w.endMs - beforeOffsetMs }));
  let n = Math.max(settings.minimumWindows, Math.floor(about / 3));
  for (; n < most; n += Math.max(1, Math.floor(n / 25))) {
    const result = compare({
      metrics: [at.metric],
      settings,
      period: period(n),
      samples: [
        samples({
          stableNow: { kind: 'counts', windows: stable.slice(0, n) },
          stableBefore: { kind: 'counts', windows: stableBefore },
          candidateNow: { kind: 'counts', windows: candidate.slice(0, n) },
        }),
      ],
      hasCandidate: true,
    });
    if (result.metrics[0]?.verdict === verdict) break;
  }
  return n;
}

function medianOf(at: Circumstances, ratio: number, verdict: string, about: number): number {
  const seeds = Array.from({ length: runsOf(about) }, (_, k) => 1 + k);
  const found = seeds.map((seed) => simulated(at, ratio, verdict, about, seed)).sort((a, b) => a - b);
  return found[Math.floor(found.length / 2)] ?? Number.POSITIVE_INFINITY;
}

/** Within a factor, or where few windows decide, within two of them. */
function expectNear(foretold: number, median: number): void {
  const slack = Math.max(1.5, 2 / Math.min(foretold, median) + 1);
  expect(foretold / median, `foretold ${foretold} windows, simulated ${median}`).toBeLessThanOrEqual(slack);
  expect(median / foretold, `foretold ${foretold} windows, simulated ${median}`).toBeLessThanOrEqual(slack);
}

const grid = [1, 10, 100].flatMap((eventsPerSecond) =>
  [2, 3, 5].flatMap((ratio) =>
    [0.1, 0.5].flatMap((candidateShare) =>
      [1, 5].map((metrics) => ({ eventsPerSecond, ratio, candidateShare, metrics })),
    ),
  ),
);

describe('the time it takes to notice', () => {
  it.each(grid)(
    '$ratio times as many bad events at $eventsPerSecond a second, share $candidateShare, $metrics metric(s): as simulated',
    ({ eventsPerSecond, ratio, candidateShare, metrics }) => {
      const at = circumstances({ metric: metric({ weight: 1 / metrics }), eventsPerSecond, candidateShare });
      const foretold = timeToNotice(at, ratio)?.windows ?? Number.POSITIVE_INFINITY;
      expectNear(foretold, medianOf(at, ratio, 'degraded', foretold));
    },
  );

  it('is none where the change is no more than is tolerated', () => {
    expect(timeToNotice(circumstances({ eventsPerSecond: 1000 }), 1.2)).toBeNull();
  });

  it('is none where the comparison would need more than a day', () => {
    expect(timeToNotice(circumstances({ eventsPerSecond: 0.01 }), 2)).toBeNull();
  });

  it('holds warm-up and label delay, which no traffic shortens', () => {
    const slow = circumstances({
      eventsPerSecond: 1e6,
      metric: metric({ labelDelayMs: 600_000 }),
      settings: { ...settings, warmUpMs: 120_000 },
    });
    const windows = timeToNotice(slow, 5)?.windows ?? 0;
    expect(windows).toBeLessThanOrEqual(5);
    expect(timeToNotice(slow, 5)?.ms).toBe(windows * WINDOW_MS + 720_000);
    expect(leastTimeMs(slow.metric, slow.settings)).toBe(3 * WINDOW_MS + 720_000);
  });

  it('is longer where a metric has but one series, in which a small arm is diluted', () => {
    const two = timeToNotice(circumstances({ candidateShare: 0.5 }), 4);
    const one = timeToNotice(circumstances({ candidateShare: 0.5, metric: metric({ arms: 'one' }) }), 4);
    expect(two).not.toBeNull();
    expect(one?.windows ?? Number.POSITIVE_INFINITY).toBeGreaterThan(two?.windows ?? 0);
  });

  it('is never shorter than the minimum of events takes', () => {
    const at = circumstances({ metric: metric({ minimumSamples: 3000 }), eventsPerSecond: 100, candidateShare: 0.1 });
    // 300 requests a window in the candidate's arm.
    expect(timeToNotice(at, 20)?.windows).toBe(10);
    expect(timeToMinimumMs(at)).toBe(10 * WINDOW_MS);
  });
});

describe('the other times', () => {
  it.each([
    [10, 0.5],
    [100, 0.1],
  ])(
    'an equally good candidate at %d a second and share %d is called healthy as simulated',
    (eventsPerSecond, candidateShare) => {
      const at = circumstances({ eventsPerSecond, candidateShare });
      const foretold = timeToPass(at)?.windows ?? Number.POSITIVE_INFINITY;
      expectNear(foretold, medianOf(at, 1, 'healthy', foretold));
    },
  );

  it('half as many bad events are called better later than well', () => {
    const at = circumstances({ eventsPerSecond: 50, candidateShare: 0.5 });
    const better = timeToBeBetter(at, 0.5)?.windows ?? Number.POSITIVE_INFINITY;
    expect(better).toBeLessThan(200);
    expect(better).toBeGreaterThanOrEqual(timeToNotice({ ...at, badShare: 2 * BAD_SHARE }, 0.5) === null ? 3 : 0);
  });

  it('a drop counts where a drop is bad', () => {
    const source: Metric['source'] = { kind: 'rate', events: 'clicks', per: 'requests' };
    const at = circumstances({ metric: metric({ source, direction: 'higher-is-better' }), candidateShare: 0.5 });
    expect(timeToNotice(at, 3)).not.toBeNull();
  });

  it('are not foretold of a gauge, whose scatter nobody knows; but six windows it needs', () => {
    const gauge = metric({ source: { kind: 'gauge', value: 'x' } });
    expect(isForetold(gauge)).toBe(false);
    expect(timeToNotice(circumstances({ metric: gauge }), 5)).toBeNull();
    expect(leastTimeMs(gauge, settings)).toBe(6 * WINDOW_MS);
  });
});
