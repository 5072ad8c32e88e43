import { describe, expect, it } from 'vitest';
import { compare } from '../../../src/analysis/compare.ts';
import { burnOf } from '../../../src/analysis/kinds/burn.ts';
import type { Series } from '../../../src/analysis/types.ts';
import { counts, period, START_MS, samples, settings, WINDOW_MS } from '../support.ts';
import { of } from './support.ts';

const FIVE_MIN = 300_000;
const HOUR = 12;
const DAY = 24 * HOUR;
const asked = of(
  { kind: 'objective', bad: 'bad', good: null, total: 'all', allowed: 0.001 },
  { title: 'Failed requests' },
);
const atMs = START_MS + 40 * WINDOW_MS;

/** The service in windows of five minutes up to now; `share` by how many windows ago it was. */
function budget(windows: number, share: (ago: number) => number, exposure = 10_000): Series {
  const newest = Math.floor(atMs / FIVE_MIN) * FIVE_MIN;
  const list = Array.from({ length: windows }, (_, i) => {
    const ago = windows - 1 - i;
    return { endMs: newest - ago * FIVE_MIN, events: share(ago) * exposure, exposure };
  });
  return { kind: 'counts', windows: list };
}

describe('the error budget', () => {
  it.each([
    ['15 times, for an hour', budget(3 * DAY, (ago) => (ago < HOUR ? 0.015 : 0)), 14.4],
    ['15 times, for half an hour, over an hour 7.5', budget(3 * DAY, (ago) => (ago < HOUR / 2 ? 0.015 : 0)), null],
    [
      '15 times for an hour, but not in the last five minutes',
      budget(3 * DAY, (ago) => (ago > 0 && ago <= HOUR ? 0.016 : 0)),
      null,
    ],
    ['7 times, for six hours', budget(3 * DAY, (ago) => (ago < 6 * HOUR ? 0.007 : 0)), 6],
    ['1.2 times, for three days', budget(3 * DAY, () => 0.0012), 1],
    ['as fast as allowed', budget(3 * DAY, () => 0.001), null],
    ['1.2 times, of which an hour is known', budget(HOUR, () => 0.0012), null],
    ['30 times, of which 20 minutes are known', budget(4, () => 0.03), null],
    ['30 times, in a handful of requests', budget(3 * DAY, () => 0.03, 0.05), null],
  ])('burnt %s', (_name, read, rate) => expect(burnOf(asked, read, atMs)?.rate ?? null).toBe(rate));

  it('is read up to the newest window, which may still be waited for, and not from half an hour ago', () => {
    const burning = budget(3 * DAY, (ago) => (ago <= HOUR + 8 ? 0.02 : 0));
    if (burning.kind !== 'counts') throw new Error('counts');
    const without = (newest: number): Series => ({ kind: 'counts', windows: burning.windows.slice(0, -newest) });
    expect(burnOf(asked, without(1), atMs)?.rate).toBe(14.4);
    expect(burnOf(asked, without(6), atMs)).toBeNull();
  });

  it('counts bad ones where good ones are read', () => {
    const good = of({ kind: 'objective', bad: null, good: 'ok', total: 'all', allowed: 0.001 });
    expect(
      burnOf(
        good,
        budget(3 * DAY, () => 0.98),
        atMs,
      )?.rate,
    ).toBe(14.4);
    expect(
      burnOf(
        good,
        budget(3 * DAY, () => 1),
        atMs,
      ),
    ).toBeNull();
  });

  it('is not read of other kinds', () => {
    expect(
      burnOf(
        of({ kind: 'gauge', value: 'v' }),
        budget(3 * DAY, () => 1),
        atMs,
      ),
    ).toBeNull();
    expect(burnOf(asked, null, atMs)).toBeNull();
  });
});

describe('a burning budget', () => {
  const fine = counts(40, () => ({ events: 0.3, exposure: 3000 }));
  const look = (read: Series | null, hasCandidate: boolean) =>
    compare({
      metrics: [asked],
      settings,
      period: period(40),
      samples: [samples({ metric: 'm', stableNow: fine, candidateNow: hasCandidate ? fine : null, budget: read })],
      hasCandidate,
    });
  const fast = budget(3 * DAY, (ago) => (ago < HOUR ? 0.02 : 0));
  const slow = budget(3 * DAY, () => 0.0012);

  it('degrades a service that is watched alone', () => {
    const result = look(fast, false);
    expect(result.verdict).toBe('degraded');
    expect(result.stableVerdict).toBe('degraded');
    expect(result.culprits).toEqual(['m']);
    expect(result.metrics[0]?.sentence).toMatch(
      /^Failed requests 0\.01 % \(.*\), within the 0\.1 % allowed; the service burns its error budget more than 14\.4 times as fast as allowed: over 1 h and 5 min\.$/,
    );
  });

  it('beside a candidate warns and keeps from going on, for it is not said who burns it', () => {
    const result = look(fast, true);
    expect(result.verdict).toBe('inconclusive');
    expect(result.warnings).toEqual(['m']);
    expect(result.metrics[0]?.sentence).toContain('burns its error budget');
  });

  it('slowly is a warning alone', () => {
    for (const hasCandidate of [true, false]) {
      const result = look(slow, hasCandidate);
      expect(result.verdict).toBe('healthy');
      expect(result.warnings).toEqual(['m']);
      expect(result.metrics[0]?.sentence).toContain('faster than allowed: over 3 days and 6 h');
    }
  });

  it('that does not burn says nothing', () => {
    const result = look(
      budget(3 * DAY, () => 0.0005),
      true,
    );
    expect(result.verdict).toBe('healthy');
    expect(result.warnings).toEqual([]);
  });
});
