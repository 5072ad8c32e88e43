import type { Policy } from '../../domain/policy.ts';
import type { Rollout, ServiceState } from '../../domain/state.ts';
import { PortError } from '../../ports/failure.ts';
import type { StoredState } from '../../ports/store.ts';
import type { World } from './performer.ts';

/** The service's state; a job without one is a job of nobody. */
export async function stateOf(world: World, service: string): Promise<ServiceState> {
  return (await storedOf(world, service)).state;
}

/** The same with its version. */
export async function storedOf(world: World, service: string): Promise<StoredState> {
  const stored = await world.store.load(service);
  if (!stored) throw new PortError('permanent', `There is no state of ${service}; its job is left undone.`);
  return stored;
}

/** The policy in force: approvers, channel and routing follow an edit at once. */
export async function presentPolicy(world: World, state: ServiceState): Promise<Policy> {
  const policy = world.policies.get(state.service) ?? (await kept(world, state.service, state.rollout));
  if (!policy) {
    throw new PortError('retryable', `The policy of ${state.service} is gone and not kept. Put its file back.`);
  }
  return policy;
}

/** The policy a rollout began with: its target, steps and metrics stay as they were (policy edited under way). */
export async function policyOfRollout(world: World, state: ServiceState, rollout: Rollout): Promise<Policy> {
  const present = world.policies.get(state.service);
  if (present?.revision === rollout.plan.revision) return present;
  const begun = await kept(world, state.service, rollout);
  if (begun) return begun;
  world.telemetry.problem(
    `policy of ${rollout.id}`,
    new Error(
      `The policy ${state.service}@${rollout.plan.revision} that ${rollout.id} began with cannot be had any more; the present one is used.`,
    ),
  );
  return presentPolicy(world, state);
}

async function kept(world: World, service: string, rollout: Rollout | null): Promise<Policy | null> {
  return rollout ? world.policies.at(service, rollout.plan.revision) : null;
}
