import type { Policy } from '../../domain/policy.ts';
import type { AlertSource } from '../../ports/alert-source.ts';
import { PortError } from '../../ports/failure.ts';
import type { EffectOf, Outcome, Performer, World } from './performer.ts';
import { presentPolicy, stateOf } from './policy.ts';

const MINUTE = 60_000;

/** Silences a service's alerts while it is rolled back, and lifts that again. Found by its tag, so that twice is once. */
export function silencePerformer(world: World): Performer<EffectOf<'silence'>> {
  return {
    limitMs: 30_000,
    // Not lifted by us, it ends by itself at its end.
    retry: { firstMs: 1_000, capMs: MINUTE, giveUpAfterMs: 10 * MINUTE },
    async perform(effect, job, signal) {
      const { degradationId, action } = effect;
      const policy = await presentPolicy(world, await stateOf(world, job.service));
      const source = world.alertSources(policy);
      if (!source)
        throw new PortError(
          'permanent',
          'there is no Alertmanager to silence: set ALERTMANAGER_URL, or alertmanager.url in the policy',
        );
      await carryOut(source, effect, silenceTag(world.instance, degradationId), policy, signal);
      return { kind: 'event', event: { type: 'silenced', degradationId, action, problem: null } } satisfies Outcome;
    },
    givenUp: ({ degradationId, action }, reason) => ({ type: 'silenced', degradationId, action, problem: reason }),
  };
}

/** What our silences of a degradation are found by. */
export function silenceTag(instance: string, degradationId: string): string {
  return `${instance}/${degradationId}`;
}

async function carryOut(
  source: AlertSource,
  effect: EffectOf<'silence'>,
  tag: string,
  policy: Policy,
  signal: AbortSignal,
): Promise<void> {
  if (effect.action === 'lift') return source.lift(tag, signal);
  const selectors = policy.alerts.map(({ matchers }) => matchers);
  return source.silence({ tag, selectors, untilMs: effect.untilMs, comment: effect.comment }, signal);
}
