import { compare } from '../../analysis/compare.ts';
import type { LookPeriod, MetricSamples } from '../../analysis/types.ts';
import { withinLimit } from '../../application/limit.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Plan, ServiceState } from '../../domain/state.ts';
import { isEnded } from '../../domain/turn.ts';
import type { EffectOf, Performer, World } from './performer.ts';
import { policyOfRollout, presentPolicy, stateOf } from './policy.ts';

/** A look that takes longer is no data: a gate or a deadline waits for it. */
const READ_LIMIT_MS = 20_000;

type Ruler = Pick<Plan, 'metrics' | 'comparison'>;

/** Takes one look and says what it comes to, always: what cannot be read is no-data, with why (rule 4). */
export function measurePerformer(world: World): Performer<EffectOf<'measure'>> {
  return {
    limitMs: READ_LIMIT_MS + 5_000,
    // Only our own store can fail here, so the look is taken anew until it can be recorded.
    retry: { firstMs: 500, capMs: 60_000, giveUpAfterMs: null },
    async perform(effect, job, signal) {
      const state = await stateOf(world, job.service);
      const { policy, ruler } = await measuredBy(world, state);
      const period: LookPeriod = { ...effect.period, toMs: world.clock.now() };
      const samples = await read(world, { service: job.service, effect, policy, ruler, period }, signal);
      const hasCandidate = effect.candidate !== null;
      const comparison = compare({ metrics: ruler.metrics, settings: ruler.comparison, period, samples, hasCandidate });
      return { kind: 'event', event: { type: 'measured', lookId: effect.lookId, comparison } };
    },
    givenUp: () => null,
  };
}

/** A rollout under way is measured as it began; a service without one by its present policy. */
async function measuredBy(world: World, state: ServiceState): Promise<{ policy: Policy; ruler: Ruler }> {
  const { rollout } = state;
  if (rollout && !isEnded(rollout.phase)) {
    return { policy: await policyOfRollout(world, state, rollout), ruler: rollout.plan };
  }
  const policy = await presentPolicy(world, state);
  return { policy, ruler: policy };
}

interface Reading {
  readonly service: string;
  readonly effect: EffectOf<'measure'>;
  readonly policy: Policy;
  readonly ruler: Ruler;
  readonly period: LookPeriod;
}

async function read(world: World, reading: Reading, signal: AbortSignal): Promise<readonly MetricSamples[]> {
  const { service, effect, policy, ruler, period } = reading;
  try {
    return await withinLimit(
      READ_LIMIT_MS,
      `The source of ${service}'s metrics`,
      (limit) =>
        world.sources(policy).read(
          {
            service,
            stable: effect.stable,
            candidate: effect.candidate,
            metrics: ruler.metrics,
            windowMs: ruler.comparison.windowMs,
            period,
          },
          limit,
        ),
      signal,
    );
  } catch (error) {
    world.telemetry.problem(`measure ${service}`, error);
    const missing = error instanceof Error ? error.message : String(error);
    return ruler.metrics.map(({ name }) => ({
      metric: name,
      stableNow: null,
      stableBefore: null,
      candidateNow: null,
      missing,
    }));
  }
}
