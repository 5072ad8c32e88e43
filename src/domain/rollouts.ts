import type { Policy } from './policy.ts';
import type { Actor, Phase, Rollout } from './state.ts';
import { isEnded, type Turn } from './turn.ts';
import type { Version } from './version.ts';

/** A rollout comes to be; the one before it is kept as long as its card may need it. */
export function createRollout(
  turn: Turn,
  begin: {
    readonly stable: Version;
    readonly candidate: Version;
    readonly by: Actor;
    readonly reason: string;
    readonly exposurePercent: number;
    readonly phase: Phase;
    readonly origin: Rollout['origin'];
  },
): Rollout {
  const { rollout: previous, past } = turn.state;
  if (previous && isEnded(previous.phase))
    turn.set({ past: { ...past, rollouts: [...past.rollouts, previous].slice(-5) } });
  const rollout: Rollout = {
    id: turn.name('rollouts'),
    stable: begin.stable,
    candidate: begin.candidate,
    startedAtMs: turn.now,
    startedBy: begin.by,
    reason: begin.reason,
    plan: planOf(turn.policy),
    exposurePercent: begin.exposurePercent,
    step: 0,
    phase: begin.phase,
    epoch: 1,
    shifts: [],
    votes: [],
    overridden: [],
    highestPercent: begin.exposurePercent,
    comparison: null,
    origin: begin.origin,
    wayBack: null,
  };
  turn.set({ rollout });
  return rollout;
}

/** What stays as it began, however the policy is edited under way. */
export function planOf(policy: Policy): Rollout['plan'] {
  const { steps, rollback, metrics, comparison, strategy, objective, revision } = policy;
  return { steps, rollback, metrics, comparison, strategy, objective, revision };
}
