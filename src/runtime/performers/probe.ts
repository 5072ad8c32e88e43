import type { DomainEvent } from '../../domain/event.ts';
import { PortError } from '../../ports/failure.ts';
import type { EffectOf, Performer, World } from './performer.ts';
import { policyOfRollout, presentPolicy, stateOf } from './policy.ts';

/** Asks the target whether a version can take traffic, and answers always: what cannot be asked is not ready, with why. */
export function probePerformer(world: World): Performer<EffectOf<'probe'>> {
  return {
    limitMs: 30_000,
    retry: { firstMs: 500, capMs: 60_000, giveUpAfterMs: null },
    async perform({ probeId, version }, job, signal) {
      const state = await stateOf(world, job.service);
      const { rollout } = state;
      const policy = rollout ? await policyOfRollout(world, state, rollout) : await presentPolicy(world, state);
      const probed = (answer: Pick<Extract<DomainEvent, { type: 'probed' }>, 'readiness' | 'problem'>) => ({
        kind: 'event' as const,
        event: { type: 'probed' as const, probeId, ...answer },
      });
      try {
        const { ready } = await world.targets(policy).observe(signal, [version]);
        const readiness = Object.hasOwn(ready, version) ? (ready[version] ?? null) : null;
        const problem = readiness ? null : `the target does not know whether ${version} can take traffic`;
        return probed({ readiness, problem });
      } catch (error) {
        if (!(error instanceof PortError)) throw error;
        return probed({ readiness: null, problem: error.message });
      }
    },
    givenUp: () => null,
  };
}
