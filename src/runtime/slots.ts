import type { EffectKind } from '../domain/effect.ts';
import type { Places } from '../ports/store.ts';

/** How many jobs of these kinds run at a time. */
export interface Slots {
  readonly kinds: readonly EffectKind[];
  readonly jobs: number;
}

/**
 * Slots of their own for what must not wait for each other: a Prometheus, a PagerDuty or a Slack that hangs takes up its own, and a
 * rollback finds a free one. Among what is due the most urgent goes first (`priorities` in application/jobs.ts). Shifts have most of
 * them: one target that hangs is one service's. Looks that are taken together share their queries, and how many of those are under way
 * is the source's to say.
 */
export const defaultSlots: readonly Slots[] = [
  { kinds: ['shift', 'probe'], jobs: 16 },
  { kinds: ['timer'], jobs: 32 },
  { kinds: ['measure'], jobs: 128 },
  { kinds: ['page'], jobs: 4 },
  { kinds: ['silence'], jobs: 2 },
  { kinds: ['card', 'say', 'report'], jobs: 6 },
];

/** What may still be begun beside what runs, at most `most` altogether. */
export function freePlaces(slots: readonly Slots[], running: readonly EffectKind[], most: number): readonly Places[] {
  const left = most - running.length;
  return slots.flatMap(({ kinds, jobs }) => {
    const free = Math.min(left, jobs - running.filter((kind) => kinds.includes(kind)).length);
    return free > 0 ? [{ kinds, free }] : [];
  });
}
