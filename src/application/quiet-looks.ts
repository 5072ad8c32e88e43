import type { Comparison } from '../analysis/types.ts';
import { decide as domainDecide } from '../domain/decide.ts';
import type { Policy } from '../domain/policy.ts';
import { canBeQuiet, putOff } from '../domain/quiet.ts';
import type { ServiceState } from '../domain/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { Decide } from './submit.ts';

/**
 * What a card of something healthy shows is at most this old, or four looks where that is less. Where it is not clear that it is well,
 * each look is shown: people watch it grow, and an alert that comes now is asked about with the numbers of now.
 */
const FRESH_MS = 60_000;
const FRESH_LOOKS = 4;
/**
 * Cards of quiet looks that are drawn anew within a minute, over all services. Slack allows chat.update 50 times a minute in a
 * workspace (tier 3, https://docs.slack.dev/apis/web-api/rate-limits); half of it is left for what people wait for. So a few
 * rollouts always show fresh numbers, and thousands do not flood Slack with numbers that say nothing new.
 */
const DRAWN_A_MINUTE = 25;
const MINUTE_MS = 60_000;
/**
 * Looks that are put off by a whole interval are due together with others, at full seconds or, where that would be more than so many at
 * once, at parts of them: they share queries, claims and commits.
 */
const TOGETHER_MS = [1_000, 500, 250] as const;
const MOST_TOGETHER = 64;
/** How far that may move one, as a share of its interval, to either side. */
const MOST_MOVED = 1 / 60;
/**
 * A look that came late is looked at again when it would have been had it not, by up to this share of its interval sooner: looks that
 * were late together, as after a start, go back to their places instead of being in each other's way each time.
 */
const MOST_REGAINED = 1 / 2;
/** How many there are a second is counted over so long. */
const COUNTED_MS = 5_000;

export interface QuietLook {
  readonly state: ServiceState;
  /** The policy in force. */
  readonly policy: Policy;
  readonly lookId: number;
  /** When it was to be taken, by the machine's clock. */
  readonly dueAtMs: number;
  /** Drawn or not: only what it says is asked about. */
  readonly comparison: Comparison;
}

export interface Postponement {
  /** When it is looked again, by the machine's clock. */
  readonly untilMs: number;
  /** When that look is given up and another one taken, by the machine's clock. */
  readonly backstopMs: number;
  /** `untilMs` in the service's time, which never runs backwards. */
  readonly expectedAtMs: number;
}

/** Which looks are not recorded. */
export interface QuietLooks {
  /** False: `postponed` would be null whatever the look finds. */
  canBeQuiet(state: ServiceState): boolean;
  /** Null: it has to be recorded. Not null: nothing has to, and it is looked again then. */
  postponed(look: QuietLook): Postponement | null;
}

export interface QuietLooksParts {
  readonly clock: Clock;
  /** The decisions; the real ones unless a test is about something else. */
  readonly decide?: Decide;
}

/**
 * Finds the looks that say again what is known already: with thousands of rollouts under way nearly all. A quiet one is nevertheless
 * recorded, and so its card drawn, where what the card shows has become old, as long as the minute's share of Slack lasts.
 */
export function createQuietLooks({ clock, decide = domainDecide }: QuietLooksParts): QuietLooks {
  const drawnAtMs: number[] = [];
  const rate = createRate();
  const mayDraw = (nowMs: number) => {
    // Also what is of a time that the machine's clock was set back from.
    while (drawnAtMs[0] !== undefined && Math.abs(nowMs - drawnAtMs[0]) >= MINUTE_MS) drawnAtMs.shift();
    if (drawnAtMs.length >= DRAWN_A_MINUTE) return false;
    drawnAtMs.push(nowMs);
    return true;
  };
  return {
    canBeQuiet,
    postponed({ state, policy, lookId, dueAtMs, comparison }) {
      const machineMs = clock.now();
      const now = Math.max(state.clockMs, machineMs);
      const decision = decide(state, { type: 'measured', lookId, comparison }, { now, policy });
      const next = putOff(state, comparison, decision);
      const everyMs = state.rollout?.plan.comparison.everyMs ?? policy.comparison.everyMs;
      if (!next) return null;
      const shownMs = now - (state.rollout?.comparison?.atMs ?? 0);
      const isUnclear = comparison.verdict === 'inconclusive' || comparison.verdict === 'degraded';
      const isOld = isUnclear || shownMs >= Math.min(FRESH_MS, FRESH_LOOKS * everyMs);
      if (isOld && mayDraw(machineMs)) return null;
      // A machine whose clock was set back is behind the service's time.
      const aheadMs = now - machineMs;
      const isOrdinary = next.untilMs - now >= everyMs;
      const togetherMs = gridFor(rate.perSecond(machineMs), everyMs);
      const regainedMs = Math.min(Math.max(0, machineMs - dueAtMs), MOST_REGAINED * everyMs);
      const placeMs = Math.round((next.untilMs - regainedMs) / togetherMs) * togetherMs;
      const movedMs = isOrdinary ? placeMs - next.untilMs : 0;
      return {
        untilMs: next.untilMs + movedMs - aheadMs,
        backstopMs: next.backstopMs + movedMs - aheadMs,
        expectedAtMs: next.untilMs + movedMs,
      };
    },
  };
}

function gridFor(perSecond: number, everyMs: number): number {
  const fits = TOGETHER_MS.find((ms) => (perSecond * ms) / 1_000 <= MOST_TOGETHER) ?? TOGETHER_MS[2];
  return Math.max(1, Math.floor(Math.min(fits, 2 * MOST_MOVED * everyMs)));
}

/** How often it is asked, over the last stretch that is over. */
function createRate(): { perSecond(nowMs: number): number } {
  let [beganMs, count, before] = [Number.NEGATIVE_INFINITY, 0, 0];
  return {
    perSecond: (nowMs) => {
      const passedMs = Math.abs(nowMs - beganMs);
      if (passedMs >= COUNTED_MS) {
        before = passedMs < 2 * COUNTED_MS ? (1_000 * count) / passedMs : 0;
        [beganMs, count] = [nowMs, 0];
      }
      count += 1;
      return before;
    },
  };
}
