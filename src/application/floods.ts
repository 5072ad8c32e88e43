import type { Effect, JournalKind } from '../domain/effect.ts';
import type { WaitingLine } from '../ports/store.ts';

/** More lines than this that wait for one thread are a flood: Slack takes about one a second, and nobody reads them. */
export const MAX_LINES = 10;

/** What every alert of a storm brings. Whatever else is told is told in words of its own, however much waits. */
const COMMON: ReadonlySet<JournalKind> = new Set(['question-joined', 'alert-fired', 'alert-resolved']);

type Line = Extract<Effect, { kind: 'say' }>;

/** What waits to be said, newest first, by the lane of its thread. */
export type Waiting = ReadonlyMap<string, readonly WaitingLine[]>;

export interface Flood {
  readonly effects: readonly Effect[];
  /** Keys of lines that are said together with newer ones now. */
  readonly takenBack: readonly string[];
}

export function laneOf(card: Line['card']): string {
  return `chat/${card.id}`;
}

/** Lanes of the threads in which such lines are to be said. */
export function lanesOfLines(effects: readonly Effect[]): readonly string[] {
  return [...new Set(effects.flatMap((effect) => (isCommon(effect) ? [laneOf(effect.card)] : [])))];
}

export function isCommon(effect: Effect): effect is Line {
  return effect.kind === 'say' && COMMON.has(effect.entry.what);
}

/** Of a flood of lines the first are said, and how many more there are: the journal and the history have them all. */
export function withoutFloods(effects: readonly Effect[], waiting: Waiting): Flood {
  const takenBack: string[] = [];
  const left = new Map<string, number>();
  const together = new Map<string, Line>();
  for (const lane of lanesOfLines(effects)) {
    const before = waiting.get(lane) ?? [];
    const lines = effects.filter(isCommon).filter(({ card }) => laneOf(card) === lane);
    const last = lines.at(-1);
    const fits = before.length + lines.length <= MAX_LINES;
    const asTheyAre = fits ? lines.length : Math.max(0, MAX_LINES - 1 - before.length);
    left.set(lane, asTheyAre);
    if (fits || !last) continue;
    // One that is being said just now is not changed any more.
    const earlier = before.find(({ key, effect, isRunning }) => key !== null && !isRunning && (effect.more ?? 0) > 0);
    if (earlier?.key) takenBack.push(earlier.key);
    together.set(lane, asOne(last, lines.length - asTheyAre + (earlier?.effect.more ?? 0)));
  }
  const kept = effects.flatMap((effect): readonly Effect[] => {
    if (!isCommon(effect)) return [effect];
    const lane = laneOf(effect.card);
    const room = left.get(lane) ?? 0;
    left.set(lane, room - 1);
    const one = room === 0 ? together.get(lane) : undefined;
    if (one) return [one];
    return room > 0 ? [effect] : [];
  });
  return { effects: kept, takenBack };
}

function asOne(last: Line, more: number): Line {
  if (more === 1) return { ...last, more };
  const text = `${more} more like these. The history has all of them.`;
  return { ...last, more, entry: { ...last.entry, text, reason: '', numbers: [] } };
}
