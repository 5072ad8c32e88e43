import { compare } from '../../analysis/compare.ts';
import { createMemory, forgetful, type Memory } from '../../analysis/evidence/memory.ts';
import type { ComparisonSettings, LookPeriod, MetricSamples } from '../../analysis/types.ts';
import { withinLimit } from '../../application/limit.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Plan, ServiceState } from '../../domain/state.ts';
import { isEnded } from '../../domain/turn.ts';
import type { EffectOf, Performer, World } from './performer.ts';
import { policyOfRollout, presentPolicy, stateOf } from './policy.ts';

/** A look that takes longer is no data: a gate or a deadline waits for it. */
const READ_LIMIT_MS = 20_000;

type Ruler = Pick<Plan, 'metrics' | 'comparison'>;

/** What was summed for the rollouts under way, by service: one rollout each, forgotten with it. */
type Memories = Map<string, { readonly of: string; readonly memory: Memory }>;

/** Takes one look and says what it comes to, always: what cannot be read is no-data, with why (rule 4). */
export function measurePerformer(world: World): Performer<EffectOf<'measure'>> {
  const memories: Memories = new Map();
  return {
    limitMs: READ_LIMIT_MS + 5_000,
    // Only our own store can fail here, so the look is taken anew until it can be recorded.
    retry: { firstMs: 500, capMs: 60_000, giveUpAfterMs: null },
    async perform(effect, job, signal) {
      const state = await stateOf(world, job.service);
      const { policy, ruler } = await measuredBy(world, state);
      const period: LookPeriod = { ...effect.period, toMs: world.clock.now() };
      const samples = await read(world, { service: job.service, effect, policy, ruler, period }, signal);
      const comparison = compare({
        metrics: ruler.metrics,
        settings: settingsOf(ruler, period),
        period,
        samples,
        hasCandidate: effect.candidate !== null,
        memory: memoryOf(memories, state),
      });
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

/** A look over days takes longer windows than the policy's. */
function settingsOf({ comparison }: Ruler, { windowMs }: LookPeriod): ComparisonSettings {
  return windowMs === undefined ? comparison : { ...comparison, windowMs };
}

function memoryOf(memories: Memories, { service, rollout }: ServiceState): Memory {
  if (!rollout || isEnded(rollout.phase)) {
    memories.delete(service);
    return forgetful;
  }
  const known = memories.get(service);
  if (known?.of === rollout.id) return known.memory;
  const memory = createMemory();
  memories.set(service, { of: rollout.id, memory });
  return memory;
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
            windowMs: settingsOf(ruler, period).windowMs,
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
