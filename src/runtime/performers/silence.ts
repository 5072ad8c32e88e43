import type { Policy } from '../../domain/policy.ts';
import type { ServiceState } from '../../domain/state.ts';
import { utcTime } from '../../domain/words.ts';
import type { AlertSource } from '../../ports/alert-source.ts';
import { PortError } from '../../ports/failure.ts';
import { alwaysOurs, type EffectOf, type Outcome, type Performer, type World } from './performer.ts';
import { policyOfRollout, presentPolicy, stateOf } from './policy.ts';

const MINUTE = 60_000;

/** Silences a service's alerts while it is rolled back, and lifts that again. Found by its tag, so that twice is once. */
export function silencePerformer(world: World): Performer<EffectOf<'silence'>> {
  return {
    limitMs: 30_000,
    // Not lifted by us, it ends by itself at its end.
    retry: { firstMs: 1_000, capMs: MINUTE, giveUpAfterMs: 10 * MINUTE },
    async perform(effect, job, signal, stillOurs = alwaysOurs) {
      const { degradationId, action } = effect;
      const state = await stateOf(world, job.service);
      const tag = silenceTag(world.instance, degradationId);
      await stillOurs();
      if (action === 'create') await create(world, { effect, tag, policy: await presentPolicy(world, state) }, signal);
      else for (const source of await everySource(world, state)) await source.lift(tag, signal);
      return { kind: 'event', event: { type: 'silenced', degradationId, action, problem: null } } satisfies Outcome;
    },
    givenUp: ({ degradationId, action }, reason) => ({
      type: 'silenced',
      degradationId,
      action,
      // It becomes the end of a sentence.
      problem: reason.replace(/\.$/, ''),
    }),
  };
}

/** What our silences of a degradation are found by. */
export function silenceTag(instance: string, degradationId: string): string {
  return `${instance}/${degradationId}`;
}

async function create(
  world: World,
  { effect, tag, policy }: { effect: EffectOf<'silence'>; tag: string; policy: Policy },
  signal: AbortSignal,
): Promise<void> {
  const source = world.alertSources(policy);
  if (!source) throw new PortError('permanent', noAlertmanager);
  const { untilMs } = effect;
  const selectors = policy.alerts.map(({ matchers }) => matchers);
  const comment = `${effect.comment} Ends at ${utcTime(untilMs)} at the latest.`;
  try {
    await source.silence({ tag, selectors, untilMs, comment }, signal);
  } catch (error) {
    // What will never be whole is not left half: nobody would lift it.
    if (error instanceof PortError && error.failure === 'permanent')
      await source.lift(tag, signal).catch((trouble: unknown) => world.telemetry.problem(`lift ${tag}`, trouble));
    throw error;
  }
}

/** The policy may name another Alertmanager by now than the one that was silenced when the rollout began. */
async function everySource(world: World, state: ServiceState): Promise<readonly AlertSource[]> {
  const policies = [await presentPolicy(world, state)];
  if (state.rollout) policies.push(await policyOfRollout(world, state, state.rollout));
  const [present, before] = policies;
  const isSame = JSON.stringify(present?.alertmanager) === JSON.stringify(before?.alertmanager);
  const sources = (isSame ? policies.slice(0, 1) : policies).flatMap((policy) => world.alertSources(policy) ?? []);
  if (sources.length === 0) throw new PortError('permanent', noAlertmanager);
  return sources;
}

const noAlertmanager = 'there is no Alertmanager to silence: set ALERTMANAGER_URL, or alertmanager.url in the policy';
