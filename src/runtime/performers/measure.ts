import { compare } from '../../analysis/compare.ts';
import type { Memory } from '../../analysis/evidence/memory.ts';
import type { ComparisonSettings, LookPeriod, MetricSamples } from '../../analysis/types.ts';
import { timerKey } from '../../application/jobs.ts';
import { withinLimit } from '../../application/limit.ts';
import { createQuietLooks, type Postponement, type QuietLooks } from '../../application/quiet-looks.ts';
import type { DomainEvent } from '../../domain/event.ts';
import { whatToMeasure } from '../../domain/looking.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Plan, ServiceState } from '../../domain/state.ts';
import { OVERDUE_MS } from '../../domain/timing.ts';
import { isEnded } from '../../domain/turn.ts';
import type { Job, StoredState } from '../../ports/store.ts';
import { roundOfTheLoop } from '../clock.ts';
import { createMemories } from './memories.ts';
import { createOutlines } from './outlines.ts';
import { done, type EffectOf, type Outcome, type Performer, type World } from './performer.ts';
import { policyOfRollout, presentPolicy, storedOf } from './policy.ts';
import { createTurns } from './turns.ts';

/** A look that takes longer is no data: a gate or a deadline waits for it. */
const READ_LIMIT_MS = 20_000;

type Ruler = Pick<Plan, 'metrics' | 'comparison'>;

/**
 * Takes one look and says what it comes to, always: what cannot be read is no-data, with why (rule 4). One that says what is known
 * already is put off instead, and taken again when the next one would be.
 */
export function measurePerformer(world: World): Performer<EffectOf<'measure'>> {
  const memories = createMemories();
  const outlines = createOutlines();
  const quiet = createQuietLooks({ clock: world.clock });
  const ourTurn = createTurns();
  return {
    limitMs: READ_LIMIT_MS + 5_000,
    // Only our own store can fail here, so the look is taken anew until it can be recorded.
    retry: { firstMs: 500, capMs: 60_000, giveUpAfterMs: null },
    async perform(effect, job, signal) {
      // It takes milliseconds of the processor: what was begun beside it, and is only sent, goes first.
      await roundOfTheLoop();
      const { lookId } = effect;
      const outline = outlines.find(job, world.clock.now());
      const stored = outline ?? (await storedOf(world, job.service));
      const { state } = stored;
      // Another look took its place, or nobody looks any more.
      if (state.look?.id !== lookId) return done;
      const missed = missedLook(state, job, world.clock.now());
      if (missed) return { kind: 'event', event: missed };
      const look = await take({ world, state, effect, wasPutOff: job.progress !== null }, signal);
      await ourTurn();
      const memory = memories.of(state, look.period, look.settings.windowMs);
      const { dueAtMs } = job;
      const outcome = conclude({ look, stored, lookId, dueAtMs, alike: Number(job.progress ?? 0), quiet, memory });
      if (outcome.kind === 'postponed' && !outline) outlines.keep(stored, look.policy, world.clock.now());
      return outcome;
    },
    givenUp: () => null,
  };
}

interface Concluding {
  readonly look: Taken;
  readonly stored: StoredState;
  readonly lookId: number;
  readonly dueAtMs: number;
  /** Looks before it that were put off. */
  readonly alike: number;
  readonly quiet: QuietLooks;
  readonly memory: Memory;
}

/** In one go, and nothing but what it comes to is given on: what a look is compared by is gone at once that way, and costs nothing. */
function conclude({ look, stored, lookId, dueAtMs, alike, quiet, memory }: Concluding): Outcome {
  const { state, version } = stored;
  const comparison = (draw: boolean) => compare({ ...look, draw, memory });
  if (quiet.canBeQuiet(state)) {
    const next = quiet.postponed({ state, policy: look.policy, lookId, dueAtMs, comparison: comparison(false) });
    if (next) return postponed(version, alike + 1, next);
  }
  const counted = alike > 0 ? { alike } : {};
  return { kind: 'event', event: { type: 'measured', lookId, comparison: comparison(true), ...counted } };
}

/** The job's `progress` counts the looks that were put off, and that of the timer behind it says when the next one is expected. */
function postponed(version: number, alike: number, { untilMs, backstopMs, expectedAtMs }: Postponement): Outcome {
  const backstop = { key: timerKey('look'), dueAtMs: backstopMs, progress: String(expectedAtMs) };
  return { kind: 'postponed', version, dueAtMs: untilMs, progress: String(alike), backstop };
}

/** A look that was put off and is long overdue: Lastgood was away, and comes back as it does where a timer is overdue (rule 10). */
function missedLook({ timers, clockMs }: ServiceState, job: Job, nowMs: number): DomainEvent | null {
  const lateMs = nowMs - job.dueAtMs;
  if (job.progress === null || lateMs <= OVERDUE_MS || !timers.look) return null;
  return { type: 'timer', key: 'look', epoch: timers.look.epoch, putOffToMs: Math.max(clockMs, nowMs) - lateMs };
}

interface Taken {
  readonly metrics: Ruler['metrics'];
  readonly settings: ComparisonSettings;
  readonly period: LookPeriod;
  readonly samples: readonly MetricSamples[];
  readonly hasCandidate: boolean;
  /** The one in force. */
  readonly policy: Policy;
}

interface Taking {
  readonly world: World;
  readonly state: ServiceState;
  readonly effect: EffectOf<'measure'>;
  /** What it was asked to read is of then. */
  readonly wasPutOff: boolean;
}

async function take({ world, state, effect, wasPutOff }: Taking, signal: AbortSignal): Promise<Taken> {
  const measured = await measuredBy(world, state);
  const { ruler } = measured;
  const policy = await presentPolicy(world, state);
  const what = wasPutOff ? whatToMeasure(state, policy, world.clock.now()) : effect;
  const { period: since, stable, candidate } = what;
  const period: LookPeriod = { ...since, toMs: world.clock.now() };
  const reading = { service: state.service, stable, candidate, policy: measured.policy, ruler, period };
  const samples = await read(world, reading, signal);
  const hasCandidate = candidate !== null;
  return { metrics: ruler.metrics, settings: settingsOf(ruler, period), period, samples, hasCandidate, policy };
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

interface Reading {
  readonly service: string;
  readonly stable: string;
  readonly candidate: string | null;
  readonly policy: Policy;
  readonly ruler: Ruler;
  readonly period: LookPeriod;
}

async function read(world: World, reading: Reading, signal: AbortSignal): Promise<readonly MetricSamples[]> {
  const { service, stable, candidate, policy, ruler, period } = reading;
  try {
    return await withinLimit(
      READ_LIMIT_MS,
      `The source of ${service}'s metrics`,
      (limit) =>
        world.sources(policy).read(
          {
            service,
            stable,
            candidate,
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
