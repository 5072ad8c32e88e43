import { createMemory, type Memory } from '../../analysis/evidence/memory.ts';
import { createScratch } from '../../analysis/evidence/scratch.ts';
import type { LookPeriod } from '../../analysis/types.ts';
import type { ServiceState } from '../../domain/state.ts';
import { isEnded } from '../../domain/turn.ts';

/** What is kept of a rollout with a handful of metrics is some 150 kB with 120 windows, 250 kB with 240. */
const MOST_ROLLOUTS = 256;
/** A look at fewer windows is summed anew in less time than what was summed is kept worth its room. */
const WORTH_WINDOWS = 60;
/** What was used within this time is not given up for something new: else, with more than fit, none would be there when it is needed. */
const IN_USE_MS = 120_000;

/** What was summed for rollouts under way, so that a look adds its new windows only. */
export interface Memories {
  /** That of the service's rollout under way; where it would not pay, or there is no room, one that keeps nothing. */
  of(state: ServiceState, period: LookPeriod, windowMs: number): Memory;
}

interface Kept {
  readonly of: string;
  readonly memory: Memory;
  readonly usedAtMs: number;
}

/** Of one rollout a service. */
export function createMemories(): Memories {
  /** What a look needs for itself alone: of all looks, since they are compared one after another. */
  const scratch = createScratch();
  /** Used longest ago first. */
  const memories = new Map<string, Kept>();

  /** Whether there is room for one more. */
  function makeRoom(nowMs: number): boolean {
    if (memories.size < MOST_ROLLOUTS) return true;
    for (const [service, { usedAtMs }] of memories) {
      if (Math.abs(nowMs - usedAtMs) < IN_USE_MS) return false;
      memories.delete(service);
      return true;
    }
    return true;
  }

  return {
    of({ service, rollout }, { fromMs, toMs }, windowMs) {
      const known = memories.get(service);
      memories.delete(service);
      if (!rollout || isEnded(rollout.phase) || (toMs - fromMs) / windowMs < WORTH_WINDOWS) return scratch;
      const isKnown = known?.of === rollout.id;
      if (!isKnown && !makeRoom(toMs)) return scratch;
      const memory = isKnown ? known.memory : createMemory(scratch);
      memories.set(service, { of: rollout.id, memory, usedAtMs: toMs });
      return memory;
    },
  };
}
