import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/analysis/compare.ts';
import type { Comparison, LookPeriod, Metric, MetricSamples } from '../../src/analysis/types.ts';
import { counts, metric, period, samples, settings, values } from './support.ts';

const WEEK_MS = 7 * 86_400_000;
const one = (over: Partial<Metric> = {}) => metric({ arms: 'one', ...over });

function look(
  metrics: readonly Metric[],
  read: readonly MetricSamples[],
  over: Partial<LookPeriod> = {},
  hasCandidate = true,
): Comparison {
  return compare({ metrics, settings, period: period(40, over), samples: read, hasCandidate });
}

const steady = (bad: number) => counts(40, () => ({ events: bad, exposure: 1000 }));
const past = (bad: number) => counts(40, () => ({ events: bad, exposure: 1000 }), WEEK_MS);

describe('a metric with one series for the whole service', () => {
  it('is held against its own past, and no number stands there twice', () => {
    const result = look([one()], [samples({ stableNow: steady(60), stableBefore: past(20) })]);
    const [seen] = result.metrics;
    expect(result.verdict).toBe('degraded');
    expect(seen).toMatchObject({ verdict: 'degraded', stableVerdict: 'degraded', candidateVersusPast: 'degraded' });
    expect(seen?.basis).toBe('past');
    expect(seen?.stableNow).toEqual({ value: 0.06, samples: 40_000 });
    expect(seen?.candidateNow).toEqual({ value: null, samples: 0 });
    expect(seen?.line.every((p) => p.candidate === null && p.stable !== null)).toBe(true);
    expect(seen?.sentence).toMatch(/^Error rate 6\.0 % vs 2\.0 % a week ago: 3\.0×/);
  });

  it('has no candidate series even where one was read by mistake', () => {
    const read = samples({ stableNow: steady(20), stableBefore: past(20), candidateNow: steady(900) });
    const result = look([one()], [read]);
    expect(result.verdict).toBe('healthy');
    expect(result.metrics[0]?.candidateNow.value).toBeNull();
    expect(look([metric()], [read]).verdict).toBe('degraded');
  });

  it('is held against its past whatever the look is against, and without a candidate too', () => {
    const read = [samples({ stableNow: steady(60), stableBefore: past(20) })];
    expect(look([one()], read, { against: 'past' }).verdict).toBe('degraded');
    const alone = look([one()], read, {}, false);
    expect(alone.verdict).toBe('degraded');
    expect(alone.metrics[0]?.candidateVersusPast).toBe('no-data');
  });

  it('says that it is the service of which there are no numbers', () => {
    expect(look([one()], [samples({ stableBefore: past(20) })]).missing).toBe('Error rate: the service has no numbers');
    expect(look([one()], [samples({ stableNow: steady(20) })]).missing).toBe(
      'Error rate: the service a week ago has no numbers',
    );
  });

  it('works for gauges', () => {
    const gauge = one({ source: { kind: 'gauge', value: 'v' }, minimumSamples: 3 });
    const read = samples({
      stableNow: values(40, (i) => 10 + (i % 3)),
      stableBefore: values(40, (i) => 5 + (i % 2), WEEK_MS),
    });
    expect(look([gauge], [read]).verdict).toBe('degraded');
  });

  it('a limit that it is past is its own fault: there is no other arm to share it', () => {
    const limit = one({ source: { kind: 'limit', value: 'v', limit: 5 }, minimumSamples: 3 });
    const result = look([limit], [samples({ stableNow: values(40, (i) => 10 + (i % 3)) })]);
    expect(result.verdict).toBe('degraded');
    expect(result.metrics[0]).toMatchObject({ stableVerdict: 'degraded', candidateVersusPast: 'degraded' });
  });

  it('is never past its critical limit: whose errors they are is not known', () => {
    const read = [samples({ stableNow: steady(60), stableBefore: past(20), candidateNow: steady(60) })];
    expect(look([metric({ criticalLimit: 0.05 })], read).critical).toBe(true);
    expect(look([one({ criticalLimit: 0.05 })], read).critical).toBe(false);
  });
});

describe('common cause', () => {
  const both = metric({ name: 'both', weight: 0.5 });
  const kpi = one({ name: 'kpi', weight: 0.5 });
  const commonBoth = samples({
    metric: 'both',
    stableNow: steady(60),
    candidateNow: steady(60),
    stableBefore: past(20),
  });

  it('is concluded from the metrics with two arms, whatever the others say', () => {
    const kpiWorse = samples({ metric: 'kpi', stableNow: steady(60), stableBefore: past(20) });
    const result = look([both, kpi], [commonBoth, kpiWorse]);
    expect(result.commonCause).toBe(true);
    expect(result.canTellCommonCause).toBe(false);
    const kpiWell = samples({ metric: 'kpi', stableNow: steady(20), stableBefore: past(20) });
    expect(look([both, kpi], [commonBoth, kpiWell]).commonCause).toBe(true);
  });

  it('is not hidden by a limit the one series is past, nor by a metric held against yesterday', () => {
    const limit = one({
      name: 'kpi',
      weight: 0.5,
      minimumSamples: 3,
      source: { kind: 'limit', value: 'v', limit: 5 },
    });
    const high = samples({ metric: 'kpi', stableNow: values(40, (i) => 10 + (i % 3)) });
    expect(look([both, limit], [commonBoth, high])).toMatchObject({ commonCause: true, verdict: 'degraded' });
    const daily = metric({ name: 'kpi', weight: 0.5, baseline: { kind: 'offset', offsetMs: WEEK_MS } });
    const worse = samples({ ...commonBoth, metric: 'kpi' });
    expect(look([both, daily], [commonBoth, worse])).toMatchObject({ commonCause: true, verdict: 'degraded' });
  });

  it('is not claimed where the two-armed metrics are well', () => {
    const well = samples({ ...commonBoth, stableNow: steady(20), candidateNow: steady(20) });
    const kpiWorse = samples({ metric: 'kpi', stableNow: steady(60), stableBefore: past(20) });
    expect(look([both, kpi], [well, kpiWorse])).toMatchObject({ commonCause: false, verdict: 'degraded' });
  });

  it('is not claimed where a two-armed metric is worse than stable', () => {
    const worse = samples({ ...commonBoth, candidateNow: steady(200) });
    expect(look([both], [worse])).toMatchObject({ commonCause: false, verdict: 'degraded', stableVerdict: 'degraded' });
  });

  it('is never claimed by metrics with one arm alone', () => {
    const window = fc.record({ events: fc.integer({ min: 0, max: 1000 }), exposure: fc.constant(1000) });
    const arm = fc.array(window, { minLength: 40, maxLength: 40 });
    let degraded = 0;
    fc.assert(
      fc.property(arm, arm, arm, fc.boolean(), (now, then, other, hasCandidate) => {
        const at = (list: typeof now) => (i: number) => list[i] ?? { events: 0, exposure: 0 };
        const read = samples({
          stableNow: counts(40, at(now)),
          stableBefore: counts(40, (i) => ({ ...at(then)(i), events: Math.round(at(then)(i).events / 500) }), WEEK_MS),
          candidateNow: counts(40, at(other)),
        });
        const result = look([one()], [read], {}, hasCandidate);
        if (result.stableVerdict === 'degraded') degraded += 1;
        expect(result.commonCause).toBe(false);
        expect(result.canTellCommonCause).toBe(false);
        expect(result.improved).toEqual([]);
        expect(result.stableVerdict).toBe(result.verdict);
      }),
      { seed: 44, numRuns: 100 },
    );
    // It was worth asking.
    expect(degraded).toBeGreaterThan(50);
  });
});
