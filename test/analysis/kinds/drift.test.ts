import { describe, expect, it } from 'vitest';
import { compare } from '../../../src/analysis/compare.ts';
import type { LookPeriod, Metric, Series } from '../../../src/analysis/types.ts';
import { chance, counts, period, START_MS, samples, settings, values, WINDOW_MS } from '../support.ts';
import { of, seeds } from './support.ts';

const amount = of({ kind: 'drift', counts: 'amount', by: 'bin' }, { title: 'Amount', weight: 0 });
const score = of(
  { kind: 'drift-score', value: 'psi', limit: 0.2 },
  { title: 'Drift score', minimumSamples: 3, weight: 0 },
);
const errors = of({ kind: 'proportion', bad: 'b', good: null, total: 't' }, { name: 'errors' });

/** Counts of a bin in each window, by the bins' shares. */
function bins(
  n: number,
  shares: (i: number) => readonly number[],
  perWindow: number,
  offsetMs = 0,
  seed?: number,
): Series {
  const c = seed === undefined ? null : chance(seed);
  const names = ['a', 'b', 'c', 'd', 'e'];
  const list = names.map((bin, b) => ({
    bin,
    windows: Array.from({ length: n }, (_, i) => {
      const mean = (shares(i)[b] ?? 0) * perWindow;
      const events = c === null ? mean : c.poisson(mean);
      return { endMs: START_MS + (i + 1) * WINDOW_MS - offsetMs, events, exposure: perWindow };
    }),
  }));
  return { kind: 'bins', bins: list };
}

const even = () => [0.2, 0.2, 0.2, 0.2, 0.2];
const moved = () => [0.05, 0.1, 0.2, 0.25, 0.4];

function look(metric: Metric, candidate: Series | null, stable: Series | null, over: { period?: LookPeriod } = {}) {
  const healthy = counts(40, () => ({ events: 10, exposure: 1000 }));
  return compare({
    metrics: [{ ...errors, weight: 1 }, metric],
    settings,
    period: over.period ?? period(40),
    samples: [
      samples({ metric: 'errors', candidateNow: healthy, stableNow: healthy }),
      samples({ metric: 'm', candidateNow: candidate, stableNow: stable }),
    ],
    hasCandidate: true,
  });
}

describe('drift', () => {
  it('warns, decides nothing, and says so in one sentence', () => {
    const result = look(amount, bins(40, moved, 77.5), bins(40, even, 310));
    const drift = result.metrics[1];
    expect(result.verdict).toBe('healthy');
    expect(result.culprits).toEqual([]);
    expect(result.warnings).toEqual(['m']);
    expect(drift?.verdict).toBe('inconclusive');
    expect(drift?.evidence).toBe(1);
    expect(drift?.basis).toBe('stable');
    expect(drift?.limitText).toBe('PSI 0.25');
    expect(drift?.candidateNow).toEqual({ value: null, samples: 3100 });
    expect(drift?.sentence).toBe('Amount: distribution shifted, PSI 0.43 (alert above 0.25), 3,100 vs 12,400 values.');
  });

  it('that is none is healthy', () => {
    const result = look(amount, bins(40, even, 100), bins(40, even, 300));
    expect(result.warnings).toEqual([]);
    expect(result.metrics[1]?.verdict).toBe('healthy');
    expect(result.metrics[1]?.sentence).toBe(
      'Amount: distribution as before, PSI 0.00 (alert above 0.25), 4,000 vs 12,000 values.',
    );
  });

  it('never degrades, however far it goes and whatever its weight', () => {
    const elsewhere = () => [0, 0, 0, 0, 1];
    const result = look({ ...amount, weight: 0.5 }, bins(40, elsewhere, 1000), bins(40, even, 1000));
    expect(result.metrics[1]?.verdict).toBe('inconclusive');
    expect(result.verdict).toBe('inconclusive');
    expect(result.culprits).toEqual([]);
  });

  it('in a bin the other arm has never had is seen', () => {
    const stable = bins(40, even, 300);
    const news = bins(40, () => [0.2, 0.2, 0.2, 0.2, 0.2], 300);
    if (news.kind !== 'bins') throw new Error('bins');
    const renamed: Series = { kind: 'bins', bins: news.bins.map((b, i) => (i === 0 ? { ...b, bin: 'NaN' } : b)) };
    expect(look(amount, renamed, stable).warnings).toEqual(['m']);
  });

  it('that begins late is seen, though over the whole step it is small', () => {
    const late = bins(40, (i) => (i < 32 ? even() : moved()), 300);
    const asked = period(40, { restartsAtMs: [START_MS, START_MS + 31 * WINDOW_MS] });
    expect(look(amount, late, bins(40, even, 300), { period: asked }).warnings).toEqual(['m']);
    expect(look(amount, late, bins(40, even, 300)).metrics[1]?.sentence).toContain('distribution');
  });

  it('of few values needs more to be believed: at most 4 of 300 alerts with 100 values each', () => {
    const wrong = seeds(300).filter((seed) => {
      const result = look(amount, bins(40, even, 2.5, 0, seed), bins(40, even, 2.5, 0, seed + 1000), {
        period: period(40, { restartsAtMs: [START_MS], fromMs: START_MS }),
      });
      return result.warnings?.includes('m');
    });
    expect(wrong.length).toBeLessThanOrEqual(9);
  });

  it('has no data without values in an arm', () => {
    expect(look(amount, bins(40, even, 100), null).metrics[1]?.verdict).toBe('no-data');
  });
});

describe('a drift score', () => {
  it.each([
    ['above its limit', 'lower-is-better', () => 0.31, 'inconclusive', 'Drift score 0.31, above its limit of 0.2.'],
    ['below its limit', 'lower-is-better', () => 0.1, 'healthy', 'Drift score 0.1, below its limit of 0.2.'],
    [
      'that must not fall, below',
      'higher-is-better',
      () => 0.1,
      'inconclusive',
      'Drift score 0.1, below its limit of 0.2.',
    ],
    ['that must not fall, above', 'higher-is-better', () => 0.5, 'healthy', 'Drift score 0.5, above its limit of 0.2.'],
    [
      'that rose at the end',
      'lower-is-better',
      (i: number) => (i > 36 ? 0.4 : 0.05),
      'inconclusive',
      'Drift score 0.4, above its limit of 0.2.',
    ],
  ] as const)('%s', (_name, direction, at, verdict, sentence) => {
    const result = look({ ...score, direction }, values(40, at), null);
    expect(result.metrics[1]?.verdict).toBe(verdict);
    expect(result.metrics[1]?.sentence).toBe(sentence);
    expect(result.metrics[1]?.basis).toBe('limit');
    expect(result.warnings).toEqual(verdict === 'healthy' ? [] : ['m']);
    expect(result.verdict).toBe('healthy');
  });
});
