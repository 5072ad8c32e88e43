import type { ComparisonSettings, LookPeriod } from '../analysis/types.ts';
import type { Effect } from './effect.ts';
import { isAtShadow } from './gates.ts';
import type { Policy } from './policy.ts';
import { serving } from './served.ts';
import type { Rollout, ServiceState } from './state.ts';
import { Turn } from './turn.ts';

/**
 * No look goes further back than this, or to the begin of the step that is under way, where that is longer ago: a gate that soaks for
 * days is judged by all of them, whatever else by what is true now.
 */
const LOOK_BACK_MS = 2 * 3_600_000;
/** A longer look takes longer windows instead of more of them: the queries stay as small as they are. */
const MOST_WINDOWS = 480;
/** Labels that come late are waited for this long; what was before is another time. */
const EARLIEST_MS = 7 * 86_400_000;
/**
 * While people are asked, and for a service without a rollout, only this many windows count: the evidence of a whole rollout
 * fades as slowly as it built up, and a recovery must be seen while the question is still open.
 */
const RECENT_WINDOWS = 20;
/** An answer that never comes must not end the looking: after this a new look is taken. */
const BACKSTOP_MS = 60_000;

/** What a look reads: which versions, over which time. */
export type Measurement = Omit<Extract<Effect, { kind: 'measure' }>, 'kind' | 'lookId'>;

/** Takes a look now; an earlier one still under way no longer counts. */
export function look(turn: Turn): void {
  const lookId = turn.number();
  turn.set({ look: { id: lookId, askedAtMs: turn.now } });
  turn.effects.push({ kind: 'measure', lookId, ...measurement(turn) });
  turn.timer('look', backstopMs(turn.now, settings(turn)));
}

/** When a look that is taken at `atMs` is given up and taken anew. */
export function backstopMs(atMs: number, { everyMs }: ComparisonSettings): number {
  return atMs + Math.max(BACKSTOP_MS, 4 * everyMs);
}

/**
 * What the look that stands in the state reads now: one that was put off, because those before it found nothing new, is taken much
 * later than it was asked for.
 */
export function whatToMeasure(state: ServiceState, policy: Policy, nowMs: number): Measurement {
  return measurement(new Turn(state, Math.max(state.clockMs, nowMs), policy));
}

/** The next look in the ordinary rhythm, or at `noLaterThanMs` where something is decided then. */
export function lookAgain(turn: Turn, noLaterThanMs = Number.POSITIVE_INFINITY): void {
  const next = turn.now + settings(turn).everyMs;
  turn.timer('look', noLaterThanMs > turn.now ? Math.min(next, noLaterThanMs) : next);
}

function settings(turn: Turn): ComparisonSettings {
  return turn.rollout?.plan.comparison ?? turn.policy.comparison;
}

function measurement(turn: Turn): Measurement {
  const { rollout, now } = turn;
  const { windowMs, warmUpMs } = settings(turn);
  if (!rollout) return alone(turn);
  const arms = { stable: rollout.stable.id, candidate: rollout.candidate.id };
  const lastShiftMs = rollout.shifts[rollout.shifts.length - 1]?.atMs ?? rollout.startedAtMs;
  const way = wayBack(rollout);
  if (way) {
    // A phase is judged by stable under the returning load, against stable before the way back began (rule 9). No warm-up:
    // stable was serving all along; the window in which the weights moved is left out.
    const fromMs = lastShiftMs + windowMs;
    // What comes back from nothing is held against the time it served last.
    const lastServedMs = rollout.wayBack?.served.untilMs ?? way.beganAtMs;
    const beforeOffsetMs = wholeWindows(now - lastServedMs, windowMs);
    return {
      ...arms,
      period: {
        fromMs,
        healthyFromMs: fromMs,
        restartsAtMs: [],
        beforeOffsetMs,
        against: 'stable',
        ...exposures(rollout),
      },
    };
  }
  const firstShiftMs = beginOfTraffic(rollout) ?? rollout.startedAtMs;
  const against = rollout.exposurePercent >= 100 ? 'past' : 'stable';
  const earliestMs = firstShiftMs + warmUpMs;
  const stepFromMs = lastShiftMs + warmUpMs;
  const fromMs = Math.max(earliestMs, backTo(turn, rollout, stepFromMs, windowMs));
  const longMs = windowFor(now - fromMs, windowMs);
  return {
    ...arms,
    period: {
      fromMs,
      healthyFromMs: Math.max(fromMs, stepFromMs),
      restartsAtMs: restarts(turn, rollout, windowMs).filter((at) => at > fromMs),
      beforeOffsetMs: wholeWindows(now - rollout.startedAtMs, longMs),
      against,
      earliestMs,
      ...(longMs === windowMs ? {} : { windowMs: longMs }),
      ...exposures(rollout),
    },
  };
}

/**
 * How far back is looked. While people are asked because something got worse, only recent windows count (see RECENT_WINDOWS); where
 * they are asked because the gate could not tell, it goes on telling as before.
 */
function backTo(turn: Turn, { phase }: Rollout, stepFromMs: number, windowMs: number): number {
  const isWorse = turn.question?.signals.some((s) => s.kind !== 'gate-undecided') ?? false;
  if (isWorse) return turn.now - RECENT_WINDOWS * windowMs;
  const during = phase.name === 'holding' || phase.name === 'deciding' ? phase.during : phase.name;
  const back = turn.now - LOOK_BACK_MS;
  return during === 'advancing' ? Math.min(back, stepFromMs) : back;
}

/** The policy's window, doubled until there are few enough: whole multiples, so that a longer look is aligned as the shorter was. */
function windowFor(lengthMs: number, windowMs: number): number {
  const times = Math.ceil(Math.log2(Math.max(1, lengthMs / windowMs / MOST_WINDOWS)));
  return windowMs * 2 ** times;
}

/**
 * Since when the candidate gets what it is judged by: copies at a shadow step, traffic after it. What it did with copies says
 * nothing about the traffic, and is not mixed with it.
 */
function beginOfTraffic(rollout: Rollout): number | undefined {
  const { shifts } = rollout;
  if (isAtShadow(rollout)) return shifts[shifts.length - 1]?.atMs;
  return (shifts.find((s) => s.exposurePercent > 0) ?? shifts[0])?.atMs;
}

/** The share at each moment, for the split test. At a shadow step there is none to hold it against: copies are not counted by it. */
function exposures(rollout: Rollout): Pick<LookPeriod, 'exposures'> {
  if (isAtShadow(rollout) || rollout.shifts.length === 0) return {};
  return { exposures: rollout.shifts.map((s) => ({ fromMs: s.atMs, percent: s.exposurePercent })) };
}

/** What may have changed something: each step, and what people were asked about, which began a little before the question. */
function restarts(turn: Turn, rollout: Rollout, windowMs: number): number[] {
  const steps = rollout.shifts.map((s) => s.atMs);
  const { question } = turn;
  return question ? [...steps, question.openedAtMs - 4 * windowMs, question.openedAtMs].sort((a, b) => a - b) : steps;
}

/** No second arm: the serving version against the same time last week. */
function alone(turn: Turn): Measurement {
  const { windowMs, lastWeekOffsetMs } = turn.policy.comparison;
  const since = turn.question?.openedAtMs ?? turn.now;
  const fromMs = Math.max(since - RECENT_WINDOWS * windowMs, turn.now - LOOK_BACK_MS);
  const stable = serving(turn.state.served)?.id ?? '';
  return {
    stable,
    candidate: null,
    period: {
      fromMs,
      healthyFromMs: fromMs,
      restartsAtMs: [],
      beforeOffsetMs: lastWeekOffsetMs,
      against: 'stable',
      earliestMs: turn.now - EARLIEST_MS,
    },
  };
}

/** The rollback it is on, or is held or stuck in; null: it is on none. */
export function wayBack(rollout: Rollout): { beganAtMs: number } | null {
  const { phase } = rollout;
  if (phase.name === 'rolling_back' || phase.name === 'verifying') return phase.rollback;
  if (
    (phase.name === 'holding' || phase.name === 'deciding' || phase.name === 'stuck') &&
    typeof phase.during === 'object'
  )
    return phase.during;
  return null;
}

/** Windows are paired one to one, so the past lies a whole number of windows back. */
function wholeWindows(ms: number, windowMs: number): number {
  return Math.ceil(Math.max(ms, windowMs) / windowMs) * windowMs;
}
