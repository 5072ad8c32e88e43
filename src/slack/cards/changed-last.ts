import { duration } from '../../domain/words.ts';
import type { CardView } from '../../ports/chat.ts';
import { namedPlain } from './people.ts';
import { code, moment } from './text.ts';

/**
 * Without a rollout under way the first question is what changed last: which version took over, when, from which, and by whose rollout.
 * Markdown, escaped; empty where a rollout is under way: then that is what changed.
 */
export function changedLast({ state, rollout, degradation }: CardView): string {
  if (rollout !== null || !degradation) return '';
  const present = state.served[state.served.length - 1];
  if (!present) return '🕘 *Changed last*: Lastgood has not seen any version take over here.';
  const before = state.served[state.served.length - 2];
  const agoMs = degradation.openedAtMs - present.sinceMs;
  const when = `${moment(present.sinceMs, 'day')}, ${agoMs >= 0 ? `${duration(agoMs)} before this` : 'after this began'}`;
  const by = takenOverBy(state, present.version.id);
  const what = before
    ? `${code(present.version.id, 60)} took over from ${code(before.version.id, 60)}`
    : `${code(present.version.id, 60)} has served since Lastgood first looked`;
  return `🕘 *Changed last*: ${what} ${when}${by}`;
}

function takenOverBy({ rollout, past }: CardView['state'], version: string): string {
  const all = rollout ? [...past.rollouts, rollout] : past.rollouts;
  const last = all.findLast((r) => (r.phase.name === 'rolled_back' ? r.stable.id : r.candidate.id) === version);
  return last ? ` (${code(last.id, 80)}, started by ${namedPlain(last.startedBy)})` : '';
}
