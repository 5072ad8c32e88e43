import type { Served, WayBack } from '../../domain/served.ts';
import { cleanMs, compatible, knownGood, serving } from '../../domain/served.ts';
import type { Rollout, ServiceState } from '../../domain/state.ts';
import { isEnded } from '../../domain/turn.ts';
import type { Version } from '../../domain/version.ts';
import { duration, list } from '../../domain/words.ts';
import type { CardView } from '../../ports/chat.ts';
import { code, moment, outside, utcMoment } from './text.ts';

/** Which version a service goes back to, and the evidence for it: what served how long, and how well. */

const PASSED_OVER = 3;
/** Slack's limit of an option's description. */
const DESCRIPTION = 75;

type Situation = Pick<CardView, 'policy' | 'state' | 'rollout'>;

/** A version that can be gone back to. */
export interface Choice {
  readonly served: Served;
  /** It may be called last known good. */
  readonly isProven: boolean;
}

/** Whether there is a version to choose: below 100 % the rest of the traffic is on stable, and that is where it goes back to. */
export function choosesWayBack(rollout: Rollout | null): boolean {
  if (!rollout || isEnded(rollout.phase)) return true;
  const { phase } = rollout;
  if (rollout.exposurePercent < 100 || phase.name === 'rolling_back' || phase.name === 'verifying') return false;
  return !('during' in phase) || typeof phase.during !== 'object';
}

/** The way back that was taken, or that evidence would choose now; null: neither. */
export function wayBackOf({ policy, state, rollout }: Situation): WayBack | null {
  if (rollout?.wayBack) return rollout.wayBack;
  if (!choosesWayBack(rollout)) return null;
  const [best] = knownGood(state.served, present(state, rollout), policy.lastGoodAfterMs);
  if (!best) return null;
  const { lastGoodAfterMs: neededMs } = policy;
  return { served: best, cleanMs: cleanMs(best, state.clockMs), neededMs, chosenBy: 'evidence', passedOver: [] };
}

/** Every version that can be gone back to: the known good ones first, the newest first among both. */
export function waysBack({ policy, state, rollout }: Situation): readonly Choice[] {
  const now = present(state, rollout);
  const good = knownGood(state.served, now, policy.lastGoodAfterMs);
  const goodIds = new Set(good.map((s) => s.version.id));
  const others = state.served.filter(
    (s) =>
      s.untilMs !== null &&
      s.version.id !== now?.id &&
      !goodIds.has(s.version.id) &&
      compatible(s.version, now) &&
      state.served.findLast((other) => other.version.id === s.version.id) === s,
  );
  return [
    ...good.map((served) => ({ served, isProven: true })),
    ...others.reverse().map((served) => ({ served, isProven: false })),
  ];
}

function present(state: ServiceState, rollout: Rollout | null): Version | null {
  return rollout && !isEnded(rollout.phase) ? rollout.candidate : serving(state.served);
}

/** The way back with its evidence, or why there is none; empty where there is nothing to choose. Markdown, escaped. */
export function wayBackLine(situation: Situation): string {
  const found = wayBackOf(situation);
  if (found) return evidenceLine(found);
  if (!choosesWayBack(situation.rollout)) return '';
  const { policy, rollout } = situation;
  const { service, lastGoodAfterMs } = policy;
  const others = waysBack(situation);
  const byHand = `name one: \`/rollout rollback ${outside(service, 80)} --to VERSION\`.${cameFrom(rollout)}`;
  if (others.length === 0)
    return `⏪ *No last known good*: Lastgood has seen no other version serve. To go back, ${byHand}`;
  const seen = others.slice(0, PASSED_OVER).map(({ served }) => `${code(served.version.id)} ${shortcoming(served)}`);
  return `⏪ *No last known good*: no other version served ${duration(lastGoodAfterMs)} without a degradation (${list(seen)}). To go back, choose or ${byHand}`;
}

/** Where Roll back leads if nobody names a version and none is known good. */
function cameFrom(rollout: Rollout | null): string {
  return rollout && !isEnded(rollout.phase) ? ` Otherwise it is ${code(rollout.stable.id)}, where it came from.` : '';
}

/** "Last known good: `v41` — served 3 d 4 h until 21 Nov 09:12 (3 d without a degradation, 1 h needed); 205 of 212 looks healthy." */
export function evidenceLine(wayBack: WayBack): string {
  const { served, passedOver } = wayBack;
  const skipped = passedOver
    .slice(0, PASSED_OVER)
    .map(({ version, why }) => `\n${code(version)} passed over: ${outside(why, 200)}`);
  const more = passedOver.length > PASSED_OVER ? `\n…and ${passedOver.length - PASSED_OVER} more passed over` : '';
  return `⏪ *${claim(wayBack)}: ${code(served.version.id)}* — ${evidence(wayBack)}.${skipped.join('')}${more}`;
}

function claim({ served, cleanMs: clean, neededMs, chosenBy }: WayBack): string {
  if (chosenBy === 'evidence') return 'Last known good';
  return clean >= neededMs && !served.tainted ? 'Known good, chosen by a person' : 'Chosen by a person, not proven';
}

function evidence({ served, cleanMs: clean, neededMs }: WayBack): string {
  const servedMs = timeServed(served);
  if (servedMs === 0) return 'Lastgood has not seen it serve';
  const until = served.untilMs === null ? '' : ` until ${moment(served.untilMs, 'day')}`;
  const undone = served.tainted ? ', and was rolled back itself' : '';
  return `served ${duration(servedMs)}${until} (${clean >= servedMs ? 'all of it' : duration(clean)} without a degradation, ${duration(neededMs)} needed)${undone}; ${looksWords(served)}`;
}

function looksWords({ looks }: Served): string {
  const all = looks.healthy + looks.degraded + looks.inconclusive + looks['no-data'];
  if (all === 0) return 'it was not measured while it served';
  return `${looks.healthy} of ${all} ${all === 1 ? 'look' : 'looks'} healthy, ${looks.degraded === 0 ? 'none' : looks.degraded} degraded`;
}

/** The same in what the description of an option has room for; plain text, escaped. */
export function optionDescription({ served, isProven }: Choice): string {
  const { looks, untilMs } = served;
  if (!isProven) return `not proven: ${shortcoming(served)}`.slice(0, DESCRIPTION);
  const all = looks.healthy + looks.degraded + looks.inconclusive + looks['no-data'];
  const parts = [
    `served ${duration(timeServed(served))}${untilMs === null ? '' : ` until ${utcMoment(untilMs)}`}`,
    `${duration(served.longestCleanMs)} clean`,
    all === 0 ? '' : `${looks.healthy}/${all} healthy`,
  ];
  return parts
    .filter((s) => s !== '')
    .join(', ')
    .slice(0, DESCRIPTION);
}

function shortcoming(served: Served): string {
  const time = timeServed(served);
  if (served.tainted) return `served ${duration(time)}, rolled back itself`;
  const isWhole = served.longestCleanMs >= time;
  return `served ${duration(time)}${isWhole ? '' : `, ${duration(served.longestCleanMs)} clean`}`;
}

/** "Served: `v42` since 09:12 · `v41` 3 d 4 h · `v40` 12 min (not proven)"; empty where nothing was seen. Markdown, escaped. */
export function servedLine({ policy, state }: Pick<Situation, 'policy' | 'state'>, most: number): string {
  const recent = [...state.served].reverse().slice(0, most);
  if (recent.length === 0) return '';
  const good = new Set(knownGood(state.served, serving(state.served), policy.lastGoodAfterMs));
  const goodIds = new Set([...good].map((s) => s.version.id));
  const words = recent.map((s) => {
    const id = code(s.version.id, 60);
    if (s.untilMs === null) return `${id} since ${moment(s.sinceMs, 'day')}`;
    const proof = s.tainted ? ' (rolled back)' : goodIds.has(s.version.id) ? '' : ' (not proven)';
    return `${id} ${duration(timeServed(s))}${s.version.id === serving(state.served)?.id ? '' : proof}`;
  });
  const more = state.served.length > recent.length ? ` · …and ${state.served.length - recent.length} before` : '';
  return `Served: ${words.join(' · ')}${more}`;
}

/** Up to now for what still serves is for its caller to say: 0 here. */
function timeServed({ sinceMs, untilMs }: Served): number {
  return (untilMs ?? sinceMs) - sinceMs;
}
