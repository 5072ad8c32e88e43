import { describe, expect, it } from 'vitest';
import { compare } from '../../src/analysis/compare.ts';
import { RATIO_CAP } from '../../src/analysis/evidence/ratio.ts';
import type { Comparison, CountWindow, LookPeriod, Metric, MetricSamples, Series } from '../../src/analysis/types.ts';
import { chance, counts, metric, period, START_MS, samples, settings, values, WINDOW_MS } from './support.ts';

const WEEK = 7 * 86_400_000;

function look(
  metrics: readonly Metric[],
  read: readonly MetricSamples[],
  over: { period?: LookPeriod; hasCandidate?: boolean; windows?: number } = {},
): Comparison {
  return compare({
    metrics,
    settings,
    period: over.period ?? period(over.windows ?? 40),
    samples: read,
    hasCandidate: over.hasCandidate ?? true,
  });
}

/** A rate of events with counting noise. */
function noisy(
  seed: number,
  n: number,
  rate: number | ((i: number) => number),
  exposure: number,
  offsetMs = 0,
): Series {
  const c = chance(seed);
  return counts(
    n,
    (i) => ({
      events: Math.min(exposure, c.poisson((typeof rate === 'number' ? rate : rate(i)) * exposure)),
      exposure,
    }),
    offsetMs,
  );
}

describe('proportions', () => {
  it('finds twice the errors and says so in one sentence', () => {
    const result = look(
      [metric()],
      [
        samples({
          stableNow: counts(40, () => ({ events: 20, exposure: 1000 })),
          candidateNow: counts(40, () => ({ events: 12, exposure: 300 })),
        }),
      ],
    );
    const [errors] = result.metrics;
    expect(result.verdict).toBe('degraded');
    expect(result.culprits).toEqual(['errors']);
    expect(errors?.change?.estimate).toBeCloseTo(2, 6);
    expect(errors?.change?.lower).toBeGreaterThan(1.25);
    expect(errors?.sentence).toMatch(
      /^Error rate 4\.0 % vs 2\.0 % on stable: 2\.0× \(1\.\d\d×–2\.\d\d×\), above the 1\.25× limit; odds of a false alarm under 1 in (\d+|a million)\.$/,
    );
  });

  it('calls the same error rate healthy', () => {
    const result = look(
      [metric()],
      [samples({ stableNow: noisy(1, 60, 0.02, 1000), candidateNow: noisy(2, 60, 0.02, 500) })],
      { windows: 60 },
    );
    expect(result.verdict).toBe('healthy');
    expect(result.score).toBeGreaterThan(70);
    expect(result.metrics[0]?.sentence).toContain('well within the 1.25× limit');
  });

  it('counts the failures of an accuracy, and shows the accuracy', () => {
    const accuracy = metric({
      name: 'accuracy',
      title: 'Accuracy',
      source: { kind: 'proportion', bad: null, good: 'correct', total: 'all' },
    });
    const result = look(
      [accuracy],
      [
        samples({
          metric: 'accuracy',
          stableNow: counts(40, () => ({ events: 950, exposure: 1000 })),
          candidateNow: counts(40, () => ({ events: 240, exposure: 300 })),
        }),
      ],
    );
    const [seen] = result.metrics;
    expect(seen?.verdict).toBe('degraded');
    expect(seen?.candidateNow.value).toBeCloseTo(0.8, 9);
    expect(seen?.change?.estimate).toBeCloseTo(4, 6);
    expect(seen?.direction).toBe('higher-is-better');
    expect(seen?.sentence).toContain('Accuracy 80.0 % vs 95.0 % on stable: 4.0× the failures');
  });

  it('an absolute tolerance forgives what a ratio would not', () => {
    const read = [samples({ stableNow: noisy(3, 60, 0.001, 3000), candidateNow: noisy(4, 60, 0.003, 3000) })];
    const strict = look([metric()], read, { windows: 60 });
    const tolerant = look([metric({ tolerance: { relative: 0.25, absolute: 0.005, healthyRatio: 1.5 } })], read, {
      windows: 60,
    });
    expect(strict.verdict).toBe('degraded');
    expect(tolerant.verdict).toBe('healthy');
    expect(tolerant.metrics[0]?.sentence).toContain('+0.5 points');
    expect(tolerant.metrics[0]?.limit).toBeGreaterThan(3);
  });

  it('an absolute tolerance does not blind it where stable has no errors at all', () => {
    const result = look(
      [metric({ tolerance: { relative: 0.25, absolute: 0.005, healthyRatio: 1.5 } })],
      [
        samples({
          stableNow: counts(40, () => ({ events: 0, exposure: 2700 })),
          candidateNow: noisy(5, 40, 0.02, 300),
        }),
      ],
    );
    expect(result.verdict).toBe('degraded');
    expect(result.metrics[0]?.change?.upper).toBeLessThanOrEqual(RATIO_CAP);
  });

  it('no errors on either side is well, once enough requests were seen', () => {
    const quiet = (n: number) =>
      look(
        [metric()],
        [
          samples({
            stableNow: counts(n, () => ({ events: 0, exposure: 100 })),
            candidateNow: counts(n, () => ({ events: 0, exposure: 100 })),
          }),
        ],
        { windows: n },
      ).verdict;
    expect(quiet(3)).toBe('inconclusive');
    expect(quiet(40)).toBe('healthy');
  });

  it('a single window is never enough for degraded', () => {
    const read = [
      samples({
        stableNow: counts(1, () => ({ events: 0, exposure: 5000 })),
        candidateNow: counts(1, () => ({ events: 5000, exposure: 5000 })),
      }),
    ];
    const result = look([metric()], read, { windows: 1 });
    expect(result.verdict).toBe('inconclusive');
    expect(result.metrics[0]?.evidence).toBe(1);
  });
});

describe('what happened when', () => {
  const errors = (i: number) => (i < 120 ? 0.02 : 0.06);

  it('restarts find what begins after an hour', () => {
    const read = [samples({ stableNow: noisy(6, 160, 0.02, 1000), candidateNow: noisy(7, 160, errors, 100) })];
    const at = (windows: number) => look([metric()], read, { windows }).verdict;
    expect(at(120)).not.toBe('degraded');
    expect(at(160)).toBe('degraded');
  });

  it('what began late is told as lately: the two numbers beside it are those of the whole time', () => {
    const read = [samples({ stableNow: noisy(6, 160, 0.02, 1000), candidateNow: noisy(7, 160, errors, 100) })];
    const { sentence, change, candidateNow, stableNow } =
      look([metric()], read, { windows: 160 }).metrics[0] ?? raise();
    expect((candidateNow.value ?? 0) / (stableNow.value ?? 0)).toBeLessThan(change?.lower ?? 0);
    expect(change?.over).toBe('lately');
    expect(sentence).toMatch(/× lately \(/);
  });

  it('what was so all along is told without such a word', () => {
    const read = [samples({ stableNow: noisy(6, 40, 0.02, 1000), candidateNow: noisy(7, 40, 0.06, 100) })];
    const { sentence, change, verdict } = look([metric()], read, { windows: 40 }).metrics[0] ?? raise();
    expect(verdict).toBe('degraded');
    expect(change).not.toHaveProperty('over');
    expect(sentence).not.toMatch(/lately|overall/);
  });

  it('healthy is judged by the windows after healthyFromMs alone', () => {
    const before = noisy(8, 120, 0.02, 1000);
    const read = [samples({ stableNow: before, candidateNow: noisy(9, 120, 0.02, 1000) })];
    const whole = look([metric()], read, { windows: 120 });
    const justShifted = look([metric()], read, {
      period: period(120, { healthyFromMs: START_MS + 119 * WINDOW_MS }),
    });
    expect(whole.verdict).toBe('healthy');
    expect(justShifted.verdict).toBe('inconclusive');
  });

  it('readings are those since healthyFromMs', () => {
    const rising = counts(40, (i) => ({ events: i < 20 ? 10 : 40, exposure: 1000 }));
    const result = look([metric()], [samples({ stableNow: rising, candidateNow: rising })], {
      period: period(40, { healthyFromMs: START_MS + 20 * WINDOW_MS }),
    });
    expect(result.metrics[0]?.stableNow).toEqual({ value: 0.04, samples: 20_000 });
  });

  it('a shared rise in errors is nobody’s fault', () => {
    const outage = (i: number) => (i > 20 && i < 30 ? 0.3 : 0.02);
    const result = look(
      [metric()],
      [samples({ stableNow: noisy(10, 40, outage, 1000), candidateNow: noisy(11, 40, outage, 100) })],
    );
    expect(result.verdict).not.toBe('degraded');
  });
});

describe('missing data', () => {
  const fine = counts(40, () => ({ events: 20, exposure: 1000 }));
  const windowsOf = (s: Series) => (s.kind === 'counts' ? s.windows : []);
  const cases: [string, Partial<MetricSamples>, string][] = [
    ['an absent candidate', { stableNow: fine, missing: 'candidate: no series were found' }, 'no series were found'],
    ['an absent stable', { candidateNow: fine }, 'stable has no numbers'],
    [
      'fewer than 80 % of the windows',
      { stableNow: fine, candidateNow: { kind: 'counts', windows: windowsOf(fine).filter((_, i) => i % 2 === 0) } },
      'the candidate has 20 of 40 windows',
    ],
    [
      'an arm that stopped reporting',
      { stableNow: fine, candidateNow: { kind: 'counts', windows: windowsOf(fine).slice(0, 35) } },
      'has had no numbers for 150 s',
    ],
    [
      'too few requests',
      { stableNow: fine, candidateNow: counts(40, () => ({ events: 0, exposure: 1 })) },
      'the candidate has 40 of at least 100 requests',
    ],
    [
      'windows that are not numbers',
      { stableNow: fine, candidateNow: counts(40, () => ({ events: Number.NaN, exposure: 10 })) },
      'the candidate has 0 of 40 windows',
    ],
    ['a series of another kind', { stableNow: fine, candidateNow: values(40, () => 1) }, 'no numbers'],
  ];
  it.each(cases)('%s is no-data, with the reason', (_name, read, reason) => {
    const result = look([metric()], [samples(read)]);
    expect(result.verdict).toBe('no-data');
    expect(result.score).toBeNull();
    expect(result.missing).toContain(reason);
    expect(result.metrics[0]?.sentence).toContain('Error rate: no data');
  });

  it('no metrics, and metrics that were not read, are no-data', () => {
    expect(look([], []).verdict).toBe('no-data');
    expect(look([metric()], []).missing).toBe('Error rate: it was not read');
  });

  it('one metric without data keeps the whole from being healthy, not from being degraded', () => {
    const metrics = [metric({ weight: 0.5 }), metric({ name: 'other', title: 'Other', weight: 0.5 })];
    const good = samples({ stableNow: noisy(1, 40, 0.02, 1000), candidateNow: noisy(2, 40, 0.02, 1000) });
    const bad = samples({ stableNow: fine, candidateNow: noisy(2, 40, 0.1, 1000) });
    const absent = samples({ metric: 'other', missing: 'Prometheus did not answer within 5 s' });
    const half = look(metrics, [good, absent]);
    expect(half.verdict).toBe('no-data');
    expect(half.score).toBeLessThanOrEqual(49);
    expect(half.missing).toBe('Other: Prometheus did not answer within 5 s');
    expect(look(metrics, [bad, absent]).verdict).toBe('degraded');
  });
});

describe('against the past', () => {
  const before = noisy(21, 40, 0.02, 1000, WEEK);

  it('without a candidate the service is held against its own past', () => {
    const result = look([metric()], [samples({ stableNow: noisy(22, 40, 0.05, 1000), stableBefore: before })], {
      hasCandidate: false,
    });
    expect(result.verdict).toBe('degraded');
    expect(result.stableVerdict).toBe('degraded');
    expect(result.commonCause).toBe(false);
    expect(result.metrics[0]?.sentence).toMatch(/^Error rate 5\.\d % vs 2\.\d % a week ago: 2\.\d× /);
  });

  it('both arms worse than the past and not than each other: a common cause', () => {
    const result = look(
      [metric()],
      [
        samples({
          stableNow: noisy(23, 40, 0.06, 1000),
          candidateNow: noisy(24, 40, 0.06, 500),
          stableBefore: before,
        }),
      ],
    );
    expect(result.verdict).not.toBe('degraded');
    expect(result.commonCause).toBe(true);
  });

  it('a candidate worse than stable is no common cause, whatever stable does', () => {
    const result = look(
      [metric()],
      [
        samples({
          stableNow: noisy(25, 40, 0.06, 1000),
          candidateNow: noisy(26, 40, 0.2, 500),
          stableBefore: before,
        }),
      ],
    );
    expect(result.verdict).toBe('degraded');
    expect(result.commonCause).toBe(false);
  });

  it('after 100 % the candidate is held against the past', () => {
    const result = look([metric()], [samples({ candidateNow: noisy(27, 40, 0.06, 1000), stableBefore: before })], {
      period: period(40, { against: 'past' }),
    });
    expect(result.verdict).toBe('degraded');
    expect(result.commonCause).toBe(false);
    expect(result.metrics[0]?.sentence).toContain('a week ago');
  });
});

describe('rates, latency and gauges', () => {
  it('of a conversion the few who convert are counted, not the many who do not', () => {
    const conversion = metric({ source: { kind: 'proportion', bad: null, good: 'g', total: 't' } });
    const look = (share: number) =>
      compare({
        metrics: [conversion],
        settings,
        period: period(40),
        hasCandidate: true,
        samples: [
          samples({
            stableNow: counts(40, (i) => ({ events: 40 + (i % 5), exposure: 1000 })),
            candidateNow: counts(40, (i) => ({ events: Math.round(share * 1000) + (i % 3), exposure: 1000 })),
          }),
        ],
      });
    const worse = look(0.02);
    expect(worse.verdict).toBe('degraded');
    expect(worse.metrics[0]?.changeOf).toBe('good');
    expect(worse.metrics[0]?.sentence).toMatch(/^Error rate 2\.1 % vs 4\.2 % on stable: 2\.0× fewer \(/);
    const better = look(0.08);
    expect(better.verdict).toBe('healthy');
    expect(better.improved).toEqual(['errors']);
    expect(better.metrics[0]?.sentence).toMatch(/: 1\.9× more \(/);
  });

  it('a drop of a rate that should be high is degraded', () => {
    const rate = metric({
      name: 'sales',
      title: 'Sales',
      unit: '/req',
      source: { kind: 'rate', events: 'sales_total', per: 'requests_total' },
      direction: 'higher-is-better',
    });
    const result = look(
      [rate],
      [samples({ metric: 'sales', stableNow: noisy(31, 60, 0.2, 1000), candidateNow: noisy(32, 60, 0.1, 1000) })],
      { windows: 60 },
    );
    expect(result.verdict).toBe('degraded');
    expect(result.metrics[0]?.change?.estimate).toBeGreaterThan(1.7);
    expect(result.metrics[0]?.sentence).toContain(' fewer (');
  });

  const latency = metric({
    name: 'latency',
    title: 'Latency',
    unit: 's',
    source: { kind: 'latency', buckets: 'b', bounds: [] },
  });
  /** Exponential latencies of this mean, by bucket. */
  function tails(seed: number, n: number, mean: number, exposure: number): Series {
    const c = chance(seed);
    const bounds = [0.01, 0.1, 0.25, 0.5, 1];
    const perWindow = Array.from({ length: n }, () => {
      const times = Array.from({ length: exposure }, () => -mean * Math.log(1 - c.uniform()));
      return bounds.map((bound) => times.filter((t) => t > bound).length);
    });
    return {
      kind: 'tails',
      bounds: bounds.map((bound, b) => ({
        bound,
        windows: perWindow.map(
          (row, i): CountWindow => ({ endMs: START_MS + (i + 1) * WINDOW_MS, events: row[b] ?? 0, exposure }),
        ),
      })),
    };
  }

  it('slower answers are found, and shown as a quantile and a tail', () => {
    const result = look(
      [latency],
      [samples({ metric: 'latency', stableNow: tails(33, 40, 0.1, 300), candidateNow: tails(34, 40, 0.2, 100) })],
    );
    expect(result.verdict).toBe('degraded');
    expect(result.metrics[0]?.isShare).toBe(false);
    expect(result.metrics[0]?.stableNow.value).toBeGreaterThan(0.2);
    expect(result.metrics[0]?.sentence).toMatch(/Latency p95 about .* s vs .* s on stable; .* slower than .* s: /);
  });

  it('where most are slower than every bound, the fast ones are counted', () => {
    const slow = tails(35, 60, 4, 300);
    const slower = tails(36, 60, 9, 300);
    const result = look([latency], [samples({ metric: 'latency', stableNow: slow, candidateNow: slower })], {
      windows: 60,
    });
    expect(result.verdict).toBe('degraded');
    expect(
      look([latency], [samples({ metric: 'latency', stableNow: slower, candidateNow: slow })], { windows: 60 }).verdict,
    ).toBe('healthy');
  });

  it('the same latency is healthy', () => {
    const result = look(
      [latency],
      [samples({ metric: 'latency', stableNow: tails(37, 60, 0.1, 300), candidateNow: tails(38, 60, 0.1, 300) })],
      { windows: 60 },
    );
    expect(result.verdict).toBe('healthy');
  });

  const score = metric({
    name: 'score',
    title: 'Mean score',
    unit: '',
    source: { kind: 'gauge', value: 'g' },
    direction: 'higher-is-better',
    tolerance: { relative: null, absolute: 0.05, healthyRatio: 1.5 },
    minimumSamples: 6,
  });
  const around = (seed: number, mean: number, deviation: number) => {
    const c = chance(seed);
    return values(40, () => mean + deviation * c.normal());
  };

  it('a gauge that fell beyond the margin is degraded, one that did not is healthy', () => {
    const fell = look(
      [score],
      [samples({ metric: 'score', stableNow: around(41, 0.9, 0.02), candidateNow: around(42, 0.7, 0.02) })],
    );
    expect(fell.verdict).toBe('degraded');
    expect(fell.metrics[0]?.changeIs).toBe('difference');
    expect(fell.metrics[0]?.limit).toBe(0.05);
    expect(fell.metrics[0]?.change?.lower).toBeGreaterThan(0.05);
    const held = look(
      [score],
      [samples({ metric: 'score', stableNow: around(41, 0.9, 0.02), candidateNow: around(42, 0.9, 0.02) })],
    );
    expect(held.verdict).toBe('healthy');
    const better = look(
      [score],
      [samples({ metric: 'score', stableNow: around(41, 0.7, 0.02), candidateNow: around(42, 0.9, 0.02) })],
    );
    expect(better.verdict).toBe('healthy');
  });

  it('a value that is held is one observation: never proof of degraded, and well where it is tolerated', () => {
    const same = look(
      [score],
      [samples({ metric: 'score', stableNow: values(40, () => 0.9), candidateNow: values(40, () => 0.9) })],
    );
    expect(same.verdict).toBe('healthy');
    const worse = look(
      [score],
      [samples({ metric: 'score', stableNow: values(40, () => 0.9), candidateNow: values(40, () => 0.2) })],
    );
    expect(worse.verdict).toBe('inconclusive');
  });

  it('past the critical limit is critical, with enough samples alone', () => {
    const critical = metric({ criticalLimit: 0.2 });
    const at = (exposure: number) =>
      look(
        [critical],
        [
          samples({
            stableNow: counts(40, () => ({ events: 0, exposure: 1000 })),
            candidateNow: counts(40, () => ({ events: exposure / 2, exposure })),
          }),
        ],
      );
    expect(at(100).critical).toBe(true);
    expect(at(100).score).toBe(0);
    expect(at(100).metrics[0]?.sentence).toContain('past the critical limit of 20.0 %');
    expect(at(2).critical).toBe(false);
  });
});

describe('many metrics', () => {
  it('names the one that got worse, and only it', () => {
    const metrics = ['a', 'b', 'c'].map((name) => metric({ name, title: name, weight: 1 / 3 }));
    const read = metrics.map((m, i) =>
      samples({
        metric: m.name,
        stableNow: noisy(50 + i, 40, 0.02, 1000),
        candidateNow: noisy(60 + i, 40, m.name === 'b' ? 0.06 : 0.02, 1000),
      }),
    );
    const result = look(metrics, read);
    expect(result.verdict).toBe('degraded');
    expect(result.culprits).toEqual(['b']);
  });

  it('a metric without weight is shown and decides nothing', () => {
    const metrics = [metric({ name: 'a', weight: 1 }), metric({ name: 'b', weight: 0 })];
    const read = [
      samples({ metric: 'a', stableNow: noisy(71, 60, 0.02, 1000), candidateNow: noisy(72, 60, 0.02, 1000) }),
      samples({ metric: 'b', stableNow: noisy(73, 60, 0.02, 1000), candidateNow: noisy(74, 60, 0.2, 1000) }),
    ];
    const result = look(metrics, read, { windows: 60 });
    expect(result.verdict).toBe('healthy');
    expect(result.culprits).toEqual([]);
    expect(result.metrics[1]?.verdict).toBe('degraded');
  });

  it('the chart has at most twenty points, oldest first, with both arms', () => {
    const result = look(
      [metric()],
      [samples({ stableNow: noisy(81, 100, 0.02, 1000), candidateNow: noisy(82, 100, 0.02, 1000) })],
      { windows: 100 },
    );
    const line = result.metrics[0]?.line ?? [];
    expect(line).toHaveLength(20);
    expect(line.map((p) => p.endMs)).toEqual(line.map((p) => p.endMs).toSorted((a, b) => a - b));
    expect(line.every((p) => p.stable !== null && p.candidate !== null)).toBe(true);
  });
});

function raise(): never {
  throw new Error('nothing was compared');
}
