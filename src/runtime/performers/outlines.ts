import { createOutliner } from '../../domain/outline.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Job, StoredState } from '../../ports/store.ts';

/** Each takes some 2 kB, where a whole state takes 40 kB and a tenth of a millisecond to be read. */
const MOST = 16_384;
/** After so long the whole state is read once more, whatever its version says. */
const KEPT_MS = 600_000;

/** What the next look needs of the states of thousands of rollouts, so that none is read for a look that finds nothing new. */
export interface Outlines {
  /** Of the state at the version the job was claimed at; null: the state has to be read. */
  find(job: Job, nowMs: number): StoredState | null;
  /** Of a state at which a look was put off, so that the next one of the same version finds it. */
  keep(stored: StoredState, policy: Policy, nowMs: number): void;
}

interface Kept {
  readonly stored: StoredState;
  readonly keptAtMs: number;
}

export function createOutlines(): Outlines {
  const outlineOf = createOutliner();
  /** Kept longest ago first. */
  const outlines = new Map<string, Kept>();
  const isOld = ({ keptAtMs }: Kept, nowMs: number) => Math.abs(nowMs - keptAtMs) >= KEPT_MS;

  function letGo(nowMs: number): void {
    for (const [service, kept] of outlines) {
      if (!isOld(kept, nowMs)) return;
      outlines.delete(service);
    }
  }

  return {
    find({ service, stateVersion }, nowMs) {
      const kept = outlines.get(service);
      return kept && kept.stored.version === stateVersion && !isOld(kept, nowMs) ? kept.stored : null;
    },
    keep({ state, version }, policy, nowMs) {
      outlines.delete(state.service);
      letGo(nowMs);
      if (outlines.size >= MOST) return;
      outlines.set(state.service, { stored: { state: outlineOf(state, policy), version }, keptAtMs: nowMs });
    },
  };
}
