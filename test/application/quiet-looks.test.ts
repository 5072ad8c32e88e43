import { describe, expect, it } from 'vitest';
import { createQuietLooks } from '../../src/application/quiet-looks.ts';
import { comparison, soaking } from '../domain/given.ts';
import { virtualClock } from '../support/clock.ts';
import { SECOND } from '../support/policy.ts';

/** Looked at every 15 s, and nothing new; the look was taken so late. When the next one is due, counted from when this one was. */
function nextAfter(lateMs: number): number {
  const { state, policy, now: dueAtMs } = soaking().looks({ verdict: 'healthy' }).timer('look');
  const takenAtMs = dueAtMs + lateMs;
  const looks = createQuietLooks({ clock: virtualClock(takenAtMs) });
  const found = comparison(takenAtMs, { verdict: 'healthy' });
  const next = looks.postponed({ state, policy, lookId: state.look?.id ?? 0, dueAtMs, comparison: found });
  if (!next) throw new Error('It was to be put off.');
  expect(next.backstopMs - next.untilMs).toBe(60 * SECOND);
  return next.untilMs - dueAtMs;
}

describe('a quiet look', () => {
  it('that is on time is taken again after its interval', () => {
    expect(nextAfter(0)).toBe(15 * SECOND);
  });

  it('that is late goes back to its place: those that were late together do not stay together', () => {
    expect([1, 2, 4, 7].map((late) => nextAfter(late * SECOND))).toEqual(Array(4).fill(15 * SECOND));
  });

  it('that is very late is taken again after half of its interval at the soonest', () => {
    expect(nextAfter(14 * SECOND)).toBe((14 + 7.5) * SECOND);
  });

  it('that seems to be early, where the clock was set back, is taken again after its interval', () => {
    expect(nextAfter(-5 * SECOND)).toBe((-5 + 15) * SECOND);
  });
});
