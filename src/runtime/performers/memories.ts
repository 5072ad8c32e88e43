import { createMemory, createScratch, type Memory } from '../../analysis/evidence/memory.ts';
import type { LookPeriod } from '../../analysis/types.ts';
import type { ServiceState } from '../../domain/state.ts';
import { isEnded } from '../../domain/turn.ts';

/** The sums of one rollout with a handful of metrics are some 180 kB. */
const MOST_ROLLOUTS = 256;
/** A look at fewer windows is summed anew in less time than what was summed is kept worth its room. */
const WORTH_WINDOWS = 60;

/** What was summed for rollouts under way, so that a look adds its new windows only. */
export interface Memories {
  /** That of the service's rollout under way; where it would not pay, one for this look alone. */
  of(state: ServiceState, period: LookPeriod, windowMs: number): Memory;
}

/** Of one rollout a service, those looked at last. */
export function createMemories(): Memories {
  const memories = new Map<string, { readonly of: string; readonly memory: Memory }>();
  return {
    of({ service, rollout }, { fromMs, toMs }, windowMs) {
      const known = memories.get(service);
      memories.delete(service);
      if (!rollout || isEnded(rollout.phase) || (toMs - fromMs) / windowMs < WORTH_WINDOWS) return createScratch();
      const kept = known?.of === rollout.id ? known : { of: rollout.id, memory: createMemory() };
      memories.set(service, kept);
      const [oldest] = memories.keys();
      if (memories.size > MOST_ROLLOUTS && oldest !== undefined) memories.delete(oldest);
      return kept.memory;
    },
  };
}
