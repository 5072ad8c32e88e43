import type { Comparison } from '../../analysis/types.ts';
import { createOutliner } from '../../domain/outline.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Plan, ServiceState } from '../../domain/state.ts';
import type { Job, StoredState } from '../../ports/store.ts';
import { type AlikeText, AlikeTexts, textOf } from './alike-texts.ts';

/** Each takes half a KB, where a whole state takes 40 KB and a tenth of a millisecond to be read. */
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
  readonly version: number;
  readonly packed: Packed;
  readonly keptAtMs: number;
}

export function createOutlines(): Outlines {
  const outlineOf = createOutliner();
  const texts = new AlikeTexts();
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
      if (!kept || kept.version !== stateVersion || isOld(kept, nowMs)) return null;
      return { state: unpacked(kept.packed), version: kept.version };
    },
    keep({ state, version }, policy, nowMs) {
      outlines.delete(state.service);
      letGo(nowMs);
      if (outlines.size >= MOST) return;
      outlines.set(state.service, { version, packed: packed(outlineOf(state, policy), texts), keptAtMs: nowMs });
    },
  };
}

/**
 * An outline between two looks: a text in place of forty objects, which would be looked through whenever garbage is collected. What many
 * outlines have in common stands beside it.
 */
interface Packed {
  readonly text: AlikeText;
  readonly plan: Plan | null;
  readonly ofRollout: Comparison['metrics'];
  readonly ofDegradation: Comparison['metrics'];
}

const NONE: readonly never[] = [];

function packed(outline: ServiceState, texts: AlikeTexts): Packed {
  const { service, rollout, degradation } = outline;
  const text = JSON.stringify({
    ...outline,
    rollout: rollout && { ...rollout, plan: null, comparison: withMetrics(rollout.comparison, NONE) },
    degradation: degradation && { ...degradation, comparison: withMetrics(degradation.comparison, NONE) },
  });
  return {
    text: texts.pack(text, service),
    plan: rollout?.plan ?? null,
    ofRollout: rollout?.comparison?.metrics ?? NONE,
    ofDegradation: degradation?.comparison?.metrics ?? NONE,
  };
}

function unpacked({ text, plan, ofRollout, ofDegradation }: Packed): ServiceState {
  const outline = JSON.parse(textOf(text)) as ServiceState;
  const { rollout, degradation } = outline;
  return {
    ...outline,
    rollout: rollout && plan && { ...rollout, plan, comparison: withMetrics(rollout.comparison, ofRollout) },
    degradation: degradation && { ...degradation, comparison: withMetrics(degradation.comparison, ofDegradation) },
  };
}

function withMetrics(comparison: Comparison | null, metrics: Comparison['metrics']): Comparison | null {
  return comparison && { ...comparison, metrics };
}
