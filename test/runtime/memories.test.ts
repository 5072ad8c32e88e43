import { describe, expect, it } from 'vitest';
import type { LookPeriod } from '../../src/analysis/types.ts';
import type { ServiceState } from '../../src/domain/state.ts';
import { createMemories } from '../../src/runtime/performers/memories.ts';
import { rollout, state, t0 } from './support.ts';

const WINDOW_MS = 30_000;
type Memories = ReturnType<typeof createMemories>;

function underWay(service: string, id = `${service}-1`): ServiceState {
  return state({ service, rollout: rollout({ id }) });
}

function period(toMs: number, windows = 100): LookPeriod {
  const fromMs = toMs - windows * WINDOW_MS;
  return { fromMs, toMs, healthyFromMs: fromMs, restartsAtMs: [], beforeOffsetMs: 0, against: 'stable' };
}

/** What keeps nothing is the same for all of them. */
function keepsNothing(memories: Memories) {
  return memories.of(state({ service: 'calm', rollout: null }), period(t0), WINDOW_MS);
}

describe('what was summed for rollouts', () => {
  const names = Array.from({ length: 300 }, (_, i) => `service-${i}`);
  const roundOf = (memories: Memories, atMs: number) =>
    names.map((name) => memories.of(underWay(name), period(atMs), WINDOW_MS));

  it('is there at the next look for as many as there is room for, however many are looked at in turn', () => {
    const memories = createMemories();
    const first = roundOf(memories, t0);
    const second = roundOf(memories, t0 + 30_000);
    expect(names.filter((_, i) => first[i] === second[i] && first[i] !== keepsNothing(memories))).toHaveLength(256);
  });

  it('makes room once it was not used for long', () => {
    const memories = createMemories();
    roundOf(memories, t0);
    const later = memories.of(underWay('another'), period(t0 + 120_000), WINDOW_MS);
    expect(later).not.toBe(keepsNothing(memories));
    expect(memories.of(underWay('another'), period(t0 + 150_000), WINDOW_MS)).toBe(later);
  });

  it('is of one rollout, and of none where a look is short', () => {
    const memories = createMemories();
    const first = memories.of(underWay('a'), period(t0), WINDOW_MS);
    expect(memories.of(underWay('a'), period(t0), WINDOW_MS)).toBe(first);
    expect(memories.of(underWay('a', 'a-2'), period(t0), WINDOW_MS)).not.toBe(first);
    expect(first).not.toBe(keepsNothing(memories));
    expect(memories.of(underWay('b'), period(t0, 59), WINDOW_MS)).toBe(keepsNothing(memories));
  });
});
