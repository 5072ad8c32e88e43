import { describe, expect, it } from 'vitest';
import { promotionOf } from '../../src/application/promotion.ts';
import type { Served } from '../../src/domain/served.ts';
import type { Phase, Rollback } from '../../src/domain/state.ts';
import { degradation, rollout, state, t0 } from '../runtime/support.ts';

const minute = 60_000;
const hour = 60 * minute;
const nowMs = t0 + 100 * hour;
const required = { service: 'fraud-scorer-staging', neededMs: hour, nowMs };

function serving(over: Partial<Served> = {}): Served {
  return {
    version: { id: 'v42' },
    sinceMs: t0 + hour,
    untilMs: null,
    tainted: false,
    cleanSinceMs: t0 + hour,
    longestCleanMs: 0,
    looks: { healthy: 0, degraded: 0, inconclusive: 0, 'no-data': 0 },
    degradations: [],
    ...over,
  };
}

const succeeded: Phase = { name: 'succeeded', atMs: t0 + 25 * hour, reason: 'watched without a degradation' };
const rollback: Rollback = {
  by: { kind: 'person', id: 'U1', name: 'Ada' },
  reason: 'slower than v41.',
  beganAtMs: t0,
  fromPercent: 10,
  phases: [{ exposurePercent: 0, soakMs: 0, maxSoakMs: 0 }],
  phase: 0,
  stage: 'shifting',
  soakUntilMs: 0,
  maxSoakUntilMs: 0,
};

function asOf(phase: Phase, over: Parameters<typeof state>[0] = {}) {
  return promotionOf(state({ rollout: rollout({ phase }), ...over }), 'v42', required);
}

describe('whether a version succeeded where it is required to', () => {
  it('it did, where its rollout was watched to the end', () => {
    const expected = {
      service: 'fraud-scorer-staging',
      outcome: 'succeeded',
      detail: 'fraud-scorer-r1 succeeded: v42 was watched to the end',
    };
    expect(asOf(succeeded, { served: [serving()] })).toEqual(expected);
    const past = { rollouts: [rollout({ phase: succeeded })], degradations: [] };
    const next = rollout({ id: 'fraud-scorer-r2', candidate: { id: 'v43' } });
    expect(promotionOf(state({ rollout: next, past, served: [serving()] }), 'v42', required)).toEqual(expected);
  });

  it.each<[string, Phase, string]>([
    ['under way', rollout().phase, 'fraud-scorer-r1 (v42) is under way at 10 %'],
    [
      'watched, however long it serves by now',
      { name: 'watching', sinceMs: t0, untilMs: Date.parse('2026-11-25T14:05:00Z') },
      'fraud-scorer-r1 (v42) is watched until 14:05:00 UTC',
    ],
    [
      'taken back',
      { name: 'rolling_back', sinceMs: t0, rollback },
      'fraud-scorer-r1 (v42) is being rolled back: slower than v41',
    ],
    [
      'rolled back',
      { name: 'rolled_back', atMs: t0, reason: 'slower than v41.' },
      'fraud-scorer-r1 (v42) was rolled back: slower than v41',
    ],
    [
      'cancelled without a reason',
      { name: 'cancelled', atMs: t0, reason: '' },
      'fraud-scorer-r1 (v42) was cancelled: no reason was given',
    ],
  ])('not while it is %s', (_, phase, detail) => {
    const expected = { service: 'fraud-scorer-staging', outcome: 'not-succeeded', detail };
    expect(asOf(phase, { served: [serving()] })).toEqual(expected);
  });

  it('not where a new rollout ended its watch; and no later service of an hour less a minute makes up for it', () => {
    const cut: Phase = { name: 'succeeded', atMs: t0 + 2 * hour, reason: 'its watch was ended by a new rollout' };
    const tainted = serving({ tainted: true, untilMs: t0 + 3 * hour });
    expect(asOf(cut, { served: [tainted] })).toMatchObject({
      outcome: 'not-succeeded',
      detail: 'fraud-scorer-r1 (v42) was not watched to the end',
    });
    const again = (cleanMs: number) => serving({ sinceMs: nowMs - cleanMs, cleanSinceMs: nowMs - cleanMs });
    expect(asOf(cut, { served: [tainted, again(59 * minute)] })).toMatchObject({
      outcome: 'not-succeeded',
      detail: 'v42 served all traffic there for 59 min without a degradation, of 1 h that it takes',
    });
    expect(asOf(cut, { served: [tainted, again(hour)] })).toMatchObject({ outcome: 'succeeded' });
  });

  it('not where it succeeded once and was taken back later', () => {
    const past = { rollouts: [rollout({ phase: succeeded })], degradations: [] };
    const restore = rollout({
      id: 'fraud-scorer-r2',
      origin: 'restore',
      phase: { name: 'rolled_back', atMs: nowMs, reason: 'drift' },
    });
    const served = [serving({ tainted: true, untilMs: nowMs })];
    expect(promotionOf(state({ rollout: restore, past, served }), 'v42', required)).toMatchObject({
      outcome: 'not-succeeded',
      detail: 'fraud-scorer-r2 (v42) was rolled back: drift',
    });
  });

  it('not while a question is open on it', () => {
    const open = { served: [serving()], degradation: degradation() };
    expect(asOf(succeeded, open)).toMatchObject({
      outcome: 'not-succeeded',
      detail: 'the question fraud-scorer-d2 is open there while v42 serves',
    });
    const elsewhere = serving({ version: { id: 'v43' }, sinceMs: nowMs });
    const gone = { ...open, served: [serving({ untilMs: nowMs, cleanSinceMs: null }), elsewhere] };
    expect(asOf(succeeded, gone)).toMatchObject({ outcome: 'succeeded' });
  });

  it('it did, without a rollout that is remembered, where it served long enough', () => {
    const without = (served: readonly Served[]) => promotionOf(state({ rollout: null, served }), 'v42', required);
    expect(without([serving()])).toMatchObject({ outcome: 'succeeded' });
    expect(without([serving({ cleanSinceMs: null, longestCleanMs: 59 * minute })])).toMatchObject({
      outcome: 'not-succeeded',
    });
    expect(without([serving({ tainted: true })])).toMatchObject({
      outcome: 'not-succeeded',
      detail: 'v42 was not watched to the end',
    });
  });

  it('not where it never was', () => {
    const never = {
      service: 'fraud-scorer-staging',
      outcome: 'not-succeeded',
      detail: 'v42 was never rolled out there',
    };
    expect(promotionOf(null, 'v42', required)).toEqual(never);
    expect(promotionOf(state({ rollout: rollout({ candidate: { id: 'v43' } }) }), 'v42', required)).toEqual(never);
  });
});
