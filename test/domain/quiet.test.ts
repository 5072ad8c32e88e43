import { describe, expect, it } from 'vitest';
import type { Comparison, Verdict } from '../../src/analysis/types.ts';
import { decide } from '../../src/domain/decide.ts';
import { putOff } from '../../src/domain/quiet.ts';
import { MINUTE, SECOND } from '../support/policy.ts';
import { asked, comparison, type Given, rollingBack, soaking, watched } from './given.ts';

type Found = Partial<Comparison> & { verdict: Verdict };

/** Until when the next look is put off where it finds this; null: it has to be kept. In ms from the look on. */
function quietFor(g: Given, patch: Found): number | null {
  if (!g.state.look) g.timer('look');
  const found = comparison(g.now, patch);
  const event = { type: 'measured', lookId: g.state.look?.id ?? 0, comparison: found } as const;
  const decision = decide(g.state, event, { now: g.now, policy: g.policy });
  const next = putOff(g.state, found, decision);
  return next && next.untilMs - g.now;
}

const noData: Found = { verdict: 'no-data', missing: 'Error rate: nothing was read' };

describe('a look', () => {
  it('that says again what the one before said is put off to the next', () => {
    expect(quietFor(soaking().looks({ verdict: 'healthy' }), { verdict: 'healthy' })).toBe(15 * SECOND);
    expect(quietFor(soaking().looks(noData), noData)).toBe(15 * SECOND);
    expect(quietFor(watched().looks({ verdict: 'healthy' }), { verdict: 'healthy' })).toBe(15 * SECOND);
    const held = soaking().looks({ verdict: 'healthy' });
    held.command({ name: 'hold', forMs: 30 * MINUTE, reason: 'lunch' });
    expect(quietFor(held, { verdict: 'healthy' })).toBe(15 * SECOND);
  });

  it('is given up as late as any that does not come back', () => {
    const g = soaking().looks({ verdict: 'healthy' }).timer('look');
    const found = comparison(g.now, { verdict: 'healthy' });
    const event = { type: 'measured', lookId: g.state.look?.id ?? 0, comparison: found } as const;
    const decision = decide(g.state, event, { now: g.now, policy: g.policy });
    expect(putOff(g.state, found, decision)).toEqual({
      untilMs: g.now + 15 * SECOND,
      backstopMs: g.now + 15 * SECOND + MINUTE,
    });
  });

  it('that is the first is kept', () => {
    expect(quietFor(soaking(), { verdict: 'healthy' })).toBeNull();
  });

  it.each<[string, Found]>([
    ['the verdict', { verdict: 'inconclusive' }],
    ['what stable is like', { verdict: 'healthy', stableVerdict: 'degraded' }],
    ['a common cause', { verdict: 'healthy', commonCause: true }],
    ['a critical limit', { verdict: 'healthy', critical: true }],
    ['a culprit', { verdict: 'healthy', culprits: ['errors'] }],
    ['a warning', { verdict: 'healthy', warnings: ['errors'] }],
    ['what is better', { verdict: 'healthy', improved: ['errors'] }],
    ['whether a common cause can be told', { verdict: 'healthy', canTellCommonCause: false }],
    ['what is missing', { verdict: 'healthy', missing: 'Latency: Prometheus did not answer' }],
    ['the metrics', { verdict: 'healthy', metrics: [] }],
  ])('that changes %s is kept', (_what, found) => {
    expect(quietFor(soaking().looks({ verdict: 'healthy' }), found)).toBeNull();
  });

  it('that changes one metric of the same verdict is kept', () => {
    const metrics = comparison(0, { verdict: 'inconclusive' }).metrics;
    expect(quietFor(soaking().looks({ verdict: 'healthy' }), { verdict: 'healthy', metrics })).toBeNull();
  });

  it('that finds the step soaked is kept: the gate passes', () => {
    const g = soaking().looks({ verdict: 'healthy' }).timer('look');
    g.now += 10 * MINUTE;
    expect(quietFor(g, { verdict: 'healthy' })).toBeNull();
    const undecided = soaking().looks({ verdict: 'inconclusive' }).timer('look');
    undecided.now += 10 * MINUTE;
    // Not until the longest soak is over.
    expect(quietFor(undecided, { verdict: 'inconclusive' })).toBe(15 * SECOND);
  });

  it('is put off no longer than to where the gate is asked', () => {
    const g = soaking().looks({ verdict: 'healthy' }).timer('look');
    const phase = g.state.rollout?.phase;
    const soakUntilMs = phase?.name === 'advancing' ? phase.soakUntilMs : 0;
    g.now = soakUntilMs - 5 * SECOND;
    expect(quietFor(g, { verdict: 'healthy' })).toBe(5 * SECOND);
  });

  it('is kept while people are asked, and on the way back', () => {
    expect(quietFor(asked().measured({ verdict: 'inconclusive' }), { verdict: 'inconclusive' })).toBeNull();
    const back = rollingBack().shifted().looks({ verdict: 'inconclusive' });
    expect(back.state.rollout?.phase.name).toBe('rolling_back');
    expect(quietFor(back, { verdict: 'inconclusive' })).toBeNull();
  });
});

describe('looks that were not kept', () => {
  it('count for what serves everything once one is', () => {
    const g = watched().looks({ verdict: 'healthy' });
    const before = g.state.served.at(-1)?.looks;
    g.timer('look');
    const found = comparison(g.now, { verdict: 'inconclusive' });
    g.when({ type: 'measured', lookId: g.state.look?.id ?? 0, comparison: found, alike: 7 });
    expect(g.state.served.at(-1)?.looks).toEqual({
      ...before,
      healthy: (before?.healthy ?? 0) + 7,
      inconclusive: (before?.inconclusive ?? 0) + 1,
    });
  });

  it('are no absence: only what came after them is told', () => {
    const late = (putOffMs: number, afterMs: number) => {
      const g = soaking().looks({ verdict: 'healthy' }).timer('look');
      const epoch = g.state.timers.look?.epoch ?? 0;
      const putOffToMs = g.now + putOffMs;
      g.now = putOffToMs + afterMs;
      return g.when({ type: 'timer', key: 'look', epoch, putOffToMs });
    };
    expect(late(180 * MINUTE, 30 * SECOND).journal).toEqual([]);
    late(180 * MINUTE, 10 * MINUTE).says('deadline-postponed', /away for 10 min/);
  });
});

describe('the numbers of a journal entry', () => {
  it('say when they were seen where that was before, and nothing where it was at that moment', () => {
    const g = soaking().looks({ verdict: 'healthy' });
    const seenAtMs = g.now;
    g.command({ name: 'hold', forMs: 30 * MINUTE, reason: 'lunch' }, undefined, undefined, 40 * SECOND);
    const [held] = g.journal;
    expect(held?.numbers.length).toBeGreaterThan(0);
    expect(held).toMatchObject({ what: 'held', atMs: seenAtMs + 40 * SECOND, numbersAtMs: seenAtMs });
    const atOnce = soaking().looks({ verdict: 'healthy' });
    atOnce.command({ name: 'hold', forMs: 30 * MINUTE, reason: 'lunch' });
    expect(atOnce.journal[0]).not.toHaveProperty('numbersAtMs');
    const unseen = soaking();
    unseen.command({ name: 'hold', forMs: 30 * MINUTE, reason: 'lunch' }, undefined, undefined, MINUTE);
    expect(unseen.journal[0]).not.toHaveProperty('numbersAtMs');
  });
});
