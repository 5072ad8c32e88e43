import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgedPeriod } from '../../src/analysis/arms/period.ts';
import { compare } from '../../src/analysis/compare.ts';
import type { Comparison, CountWindow, LookPeriod, Metric, MetricSamples } from '../../src/analysis/types.ts';
import { counts, metric, period, START_MS, samples, settings, WINDOW_MS } from './support.ts';

const MINUTE_MS = 60_000;

/** Accuracy from answers that are labelled late: `events` are the wrong ones. */
function accuracy(over: Partial<Metric> = {}): Metric {
  return metric({
    name: 'accuracy',
    title: 'Accuracy',
    source: {
      kind: 'labelled',
      measure: 'accuracy',
      truePositives: 'tp',
      falsePositives: 'fp',
      falseNegatives: 'fn',
      trueNegatives: 'tn',
    },
    labelDelayMs: 30 * MINUTE_MS,
    ...over,
  });
}

function look(one: Metric, read: Partial<MetricSamples>, over: Partial<LookPeriod> = {}, windows = 80): Comparison {
  const read1 = [samples({ metric: one.name, ...read })];
  return compare({ metrics: [one], settings, period: period(windows, over), samples: read1, hasCandidate: true });
}

const good = { events: 20, exposure: 1000 };
const bad = { events: 200, exposure: 1000 };

describe('labels that come 30 minutes late', () => {
  it('windows younger than that are not judged: what looks bad there is unlabelled, not wrong', () => {
    // Of the last 30 minutes (60 windows) the labels of the right answers are still to come.
    const read = {
      stableNow: counts(80, () => good),
      candidateNow: counts(80, (i) => (i < 20 ? good : bad)),
    };
    const restart = { restartsAtMs: [START_MS + 20 * WINDOW_MS] };
    expect(look(accuracy({ labelDelayMs: 0 }), read, restart).verdict).toBe('degraded');
    const late = look(accuracy(), read, restart);
    expect(late.verdict).toBe('healthy');
    expect(late.metrics[0]?.candidateNow).toEqual({ value: 0.98, samples: 20_000 });
    expect(late.metrics[0]?.line.at(-1)?.endMs).toBe(START_MS + 20 * WINDOW_MS);
  });

  it('windows younger than that are not missing either', () => {
    const twenty = counts(20, () => good);
    const read = { stableNow: twenty, candidateNow: twenty };
    expect(look(accuracy({ labelDelayMs: 0 }), read).verdict).toBe('no-data');
    expect(look(accuracy(), read).verdict).toBe('healthy');
    // Stale all the same where the judged part is.
    const fifteen = counts(15, () => good);
    const stale = look(accuracy(), { stableNow: twenty, candidateNow: fifteen });
    expect(stale.verdict).toBe('no-data');
    expect(stale.missing).toBe('Accuracy: the candidate has 15 of 20 windows');
  });

  it('says when the first windows can be judged while there are none', () => {
    const read = { stableNow: counts(36, () => good), candidateNow: counts(36, () => good) };
    const result = look(accuracy(), read, {}, 37);
    expect(result.verdict).toBe('no-data');
    expect(result.stableVerdict).toBe('no-data');
    expect(result.missing).toBe('Accuracy: labels come 30 min late: the first windows can be judged in about 12 min');
    expect(result.metrics[0]?.candidateNow.value).toBeNull();
    // The first window is judged when it is 30 minutes old, and not a moment sooner.
    const soon = look(accuracy(), read, { toMs: START_MS + 61 * WINDOW_MS - 1 });
    expect(soon.missing).toContain('the first windows can be judged in about 1 s');
    expect(look(accuracy(), read, {}, 61).verdict).toBe('inconclusive');
  });

  it('calls what it counts labels', () => {
    const few = counts(80, () => ({ events: 0, exposure: 1 }));
    const result = look(accuracy(), { stableNow: few, candidateNow: few });
    expect(result.missing).toBe('Accuracy: the candidate has 20 of at least 100 labels');
  });

  it('ends on a whole window, and leaves the begin of what must be healthy where it is', () => {
    const one = accuracy({ labelDelayMs: 10 * MINUTE_MS + 1 });
    const whole = period(80, { healthyFromMs: START_MS + 30 * WINDOW_MS });
    const judged = judgedPeriod(one, whole, WINDOW_MS);
    expect(judged.toMs).toBe(START_MS + 59 * WINDOW_MS);
    expect(judged.fromMs).toBe(whole.fromMs);
    expect(judged.healthyFromMs).toBe(whole.healthyFromMs);
    expect(judged.restartsAtMs).toEqual(whole.restartsAtMs);
  });

  it('is not well as long as no window after the shift has its labels', () => {
    const many = counts(100, () => ({ events: 200, exposure: 10_000 }));
    const read = { stableNow: many, candidateNow: many };
    const from = (windows: number) => ({ healthyFromMs: START_MS + windows * WINDOW_MS });
    expect(look(accuracy(), read, from(10), 100).verdict).toBe('healthy');
    expect(look(accuracy(), read, from(40), 100).verdict).toBe('inconclusive');
    expect(look(accuracy({ labelDelayMs: 0 }), read, from(40), 100).verdict).toBe('healthy');
  });

  it('reaches as much further back as the labels are late, and not before what is looked at began', () => {
    const short = period(80, { fromMs: START_MS + 60 * WINDOW_MS });
    const began = (windows: number) => ({ ...short, earliestMs: START_MS + windows * WINDOW_MS });
    expect(judgedPeriod(accuracy(), began(-40), WINDOW_MS).fromMs).toBe(START_MS);
    expect(judgedPeriod(accuracy(), began(15), WINDOW_MS).fromMs).toBe(START_MS + 15 * WINDOW_MS);
    expect(judgedPeriod(accuracy(), short, WINDOW_MS).fromMs).toBe(short.fromMs);
    expect(judgedPeriod(accuracy({ labelDelayMs: 0 }), began(-40), WINDOW_MS).fromMs).toBe(short.fromMs);
  });
});

describe('whatever is read', () => {
  const window = fc.record({ events: fc.integer({ min: 0, max: 300 }), exposure: fc.integer({ min: 0, max: 2000 }) });
  const arm = fc.array(window, { minLength: 40, maxLength: 40 });
  const asSeries = (list: readonly Omit<CountWindow, 'endMs'>[], offsetMs = 0) =>
    counts(list.length, (i) => list[i] ?? { events: 0, exposure: 0 }, offsetMs);

  it('a delay of nothing is as none', () => {
    fc.assert(
      fc.property(arm, arm, (a, b) => {
        const read = { stableNow: asSeries(a), candidateNow: asSeries(b) };
        const { labelDelayMs: _, ...none } = accuracy();
        expect(look(accuracy({ labelDelayMs: 0 }), read, {}, 40)).toEqual(look(none, read, {}, 40));
      }),
      { seed: 41, numRuns: 100 },
    );
  });

  it('a look with late labels is the look that could have been taken so much earlier', () => {
    fc.assert(
      fc.property(arm, arm, fc.integer({ min: 1, max: 39 }), (a, b, late) => {
        const read = { stableNow: asSeries(a), candidateNow: asSeries(b) };
        const now = look(accuracy({ labelDelayMs: late * WINDOW_MS }), read, {}, 40);
        const then = look(accuracy({ labelDelayMs: 0 }), read, {}, 40 - late);
        expect({ ...now, atMs: then.atMs }).toEqual(then);
      }),
      { seed: 42, numRuns: 100 },
    );
  });

  it('moving all times by whole windows changes nothing but the times', () => {
    const moved = (comparison: Comparison, byMs: number) => ({
      ...comparison,
      atMs: comparison.atMs + byMs,
      metrics: comparison.metrics.map((m) => ({ ...m, line: m.line.map((p) => ({ ...p, endMs: p.endMs + byMs })) })),
    });
    fc.assert(
      fc.property(arm, arm, fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 0, max: 45 }), (a, b, by, late) => {
        const byMs = by * WINDOW_MS;
        const one = accuracy({ labelDelayMs: late * WINDOW_MS + 7 });
        const here = look(one, { stableNow: asSeries(a), candidateNow: asSeries(b) }, {}, 40);
        const there = look(
          one,
          { stableNow: asSeries(a, -byMs), candidateNow: asSeries(b, -byMs) },
          {
            fromMs: START_MS + byMs,
            toMs: START_MS + 40 * WINDOW_MS + byMs,
            healthyFromMs: START_MS + byMs,
            restartsAtMs: [START_MS + byMs],
          },
        );
        expect(there).toEqual(moved(here, byMs));
      }),
      { seed: 43, numRuns: 100 },
    );
  });
});
