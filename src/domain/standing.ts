import type { Turn } from './turn.ts';
import { percent } from './words.ts';

/** Why automation must not move anything by itself (rule 6, `mode: observe`, the emergency brake); null: it may. */
export function inTheWayOfMoving({ quiet, state, policy }: Turn): string | null {
  return quiet ?? (state.freeze ? `${policy.service} is frozen` : null);
}

/** What would have been raised stands where it is until a person goes on. */
export function standBefore(turn: Turn, exposurePercent: number, why: string): void {
  turn.enter({
    name: 'holding',
    sinceMs: turn.now,
    untilMs: null,
    by: turn.automation,
    reason: why,
    during: 'advancing',
  });
  turn.tell(
    'would-have',
    turn.automation,
    `Would have gone on to ${percent(exposurePercent)}, but ${why}. Press Promote to go on.`,
  );
}
