import { describe, expect, it } from 'vitest';
import { coversRecent, whyNotJudged } from '../../src/analysis/arms/arm.ts';
import type { LookPeriod, Series } from '../../src/analysis/types.ts';
import { armRead, metric } from './support.ts';

const WINDOW_MS = 30_000;
const proportion = metric({ source: { kind: 'proportion', bad: 'b', good: null, total: 't' } });
/** Read with the first `read` windows of a period of `whole`; its end is two seconds after the newest. */
const series = (read: number): Series => ({
  kind: 'counts',
  windows: Array.from({ length: read }, (_, k) => ({ endMs: (k + 1) * WINDOW_MS, events: 0, exposure: 1000 })),
});
const arm = (read: number) => armRead(series(read), proportion);
const period = (whole: number): LookPeriod => ({
  fromMs: 0,
  toMs: whole * WINDOW_MS + 2000,
  healthyFromMs: 0,
  restartsAtMs: [],
  beforeOffsetMs: WINDOW_MS,
  against: 'stable',
});

describe('the newest window, which may still lack its last scrape', () => {
  it.each([2, 3, 4])('is not missed among %i', (whole) => {
    expect(whyNotJudged(arm(whole - 1), 'stable', proportion, period(whole), WINDOW_MS)).toBeNull();
  });

  it('is one, and no more', () => {
    expect(whyNotJudged(arm(2), 'stable', proportion, period(4), WINDOW_MS)).toBe('stable has 2 of 4 windows');
    expect(whyNotJudged(arm(0), 'stable', proportion, period(2), WINDOW_MS)).toBe('stable has 0 of 2 windows');
    expect(whyNotJudged(arm(0), 'stable', proportion, period(1), WINDOW_MS)).toBe('no window is complete yet');
  });

  it('does not stand in the way of healthy, and does not make enough of too few', () => {
    expect(coversRecent(arm(3), proportion, period(4), WINDOW_MS, 3)).toBe(true);
    expect(coversRecent(arm(2), proportion, period(3), WINDOW_MS, 3)).toBe(false);
    expect(coversRecent(arm(2), proportion, period(4), WINDOW_MS, 2)).toBe(false);
  });
});
