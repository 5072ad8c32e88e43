import { begun, cleanMs, compatible, knownGood, type Served, servedAt, type WayBack } from './served.ts';
import type { Turn } from './turn.ts';
import type { Version } from './version.ts';
import { duration, list } from './words.ts';

/**
 * Where a version that serves everything goes back to. Below 100 % there is nothing to choose: the rest of the traffic is on
 * stable. At 100 % nothing else serves, so the way back is chosen by evidence: what served how long, and how well.
 */

/** The newest last known good, other than those passed over; null: none qualifies. */
export function byEvidence(turn: Turn, present: Version, passedOver: WayBack['passedOver'] = []): WayBack | null {
  const neededMs = turn.policy.lastGoodAfterMs;
  const good = knownGood(turn.state.served, present, neededMs);
  const served = good.find((s) => !passedOver.some((p) => p.version === s.version.id));
  return served ? wayBack(turn, served, 'evidence', passedOver) : null;
}

/** A person's choice, by name or by time. Refuses what cannot take the traffic; proof it does not ask for. */
export function byPerson(turn: Turn, present: Version, to: string): WayBack {
  if (to === present.id) turn.refuse('invalid', `${to} is what serves now.`);
  const served = turn.state.served.findLast((s) => s.version.id === to) ?? {
    ...begun({ id: to }, turn.now),
    untilMs: turn.now,
    cleanSinceMs: null,
  };
  if (!compatible(served.version, present))
    turn.refuse('conflict', `${to} has another signature than ${present.id}: it cannot take the traffic.`);
  return wayBack(turn, served, 'person', []);
}

/** What served all traffic at that moment, for a person who remembers when it was still well. */
export function versionAt(turn: Turn, beforeMs: number): string {
  const found = servedAt(turn.state.served, beforeMs);
  if (found) return found.version.id;
  const ago = `${duration(turn.now - beforeMs)} ago`;
  const known = turn.state.served.map((s) => `${s.version.id} (since ${duration(turn.now - s.sinceMs)} ago)`);
  const those = known.length === 0 ? 'It has not seen any version serve.' : `It knows of ${list(known)}.`;
  turn.refuse('not-found', `Lastgood does not know what served ${turn.policy.service} ${ago}. ${those}`);
}

function wayBack(
  turn: Turn,
  served: Served,
  chosenBy: WayBack['chosenBy'],
  passedOver: WayBack['passedOver'],
): WayBack {
  return {
    served,
    cleanMs: cleanMs(served, turn.now),
    neededMs: turn.policy.lastGoodAfterMs,
    chosenBy,
    passedOver,
  };
}

/** Goes back there from now on; what led to it is in the journal and on the card. */
export function takeWayBack(turn: Turn, chosen: WayBack): void {
  turn.setRollout({ stable: chosen.served.version, wayBack: chosen });
  turn.tell('way-back-chosen', turn.automation, evidence(turn, chosen));
}

/** "v41 is the last known good: served 3 d 4 h until 2 h ago, 3 d of it without a degradation (1 h needed); 205 of 212 looks healthy." */
export function evidence(turn: Turn, { served, cleanMs: clean, neededMs, chosenBy, passedOver }: WayBack): string {
  const { version, sinceMs, untilMs, looks } = served;
  const servedMs = (untilMs ?? turn.now) - sinceMs;
  const what = chosenBy === 'evidence' ? `${version.id} is the last known good` : `Back to ${version.id}, as asked`;
  if (servedMs === 0) return `${what}: Lastgood has not seen it serve.`;
  const all = looks.healthy + looks.degraded + looks.inconclusive + looks['no-data'];
  const verdicts = all === 0 ? '' : `; ${looks.healthy} of ${all} looks healthy, ${looks.degraded || 'none'} degraded`;
  const others = passedOver.map((p) => ` ${p.version} was passed over: ${p.why}.`).join('');
  const ended = untilMs === null ? '' : ` until ${duration(turn.now - untilMs)} ago`;
  return `${what}: it served ${duration(servedMs)}${ended}, ${duration(clean)} of it without a degradation (${duration(neededMs)} needed)${verdicts}.${others}`;
}

/** What stands in the way of an automatic return, for who is woken. */
export function noneQualifies(turn: Turn, present: Version): string {
  const neededMs = turn.policy.lastGoodAfterMs;
  const others = turn.state.served.filter((s) => s.version.id !== present.id);
  const last = others[others.length - 1];
  const nearest = last
    ? ` The one before, ${last.version.id}, ${last.tainted ? 'was rolled back itself' : `served ${duration(cleanMs(last, turn.now))} without a degradation`}: roll back to it by hand if you trust it.`
    : '';
  return `No last known good version is known: none other served ${duration(neededMs)} without a degradation.${nearest}`;
}
