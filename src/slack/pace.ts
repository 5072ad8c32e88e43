import type { Clock } from '../ports/clock.ts';

/** Slack takes about one post a second in a channel, and now and then some more. */
const POST_EVERY_MS = 1_000;
/** Where it refused one for its rate it is not asked for more for so long. */
const LIMITED_FOR_MS = 60_000;
/** A card that was refused for its rate gets this long for its next try before lines of threads try as well. */
const CARDS_FIRST_MS = 1_000;

interface Limited {
  /** Of a clock that was set back since then nothing can be told. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** A card waits for its next try, and goes first until then. */
  readonly cardUntilMs: number;
  /** When the next post may be taken. */
  readonly nextAtMs: number;
}

/**
 * The rate of posts in each channel, as learned from Slack's refusals. A card is what people act on: it is always tried. While one
 * waits for that limit lines of threads are not sent at all, or each of them could take the place the card was waiting for; and a
 * line that would be refused costs nothing but waits.
 */
export class Pace {
  private readonly clock: Clock;
  private readonly limited = new Map<string, Limited>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** How long lines leave the next place in this channel to a card; 0: no card waits. */
  cardWaitMs(channel: string): number {
    const known = this.knownOf(channel);
    return known ? Math.max(0, known.cardUntilMs - this.clock.now()) : 0;
  }

  /** How long a line of a thread in this channel has to wait; 0: it may go. */
  lineWaitMs(channel: string): number {
    const known = this.knownOf(channel);
    return known ? Math.max(0, Math.max(known.nextAtMs, known.cardUntilMs) - this.clock.now()) : 0;
  }

  posted(channel: string): void {
    const known = this.knownOf(channel);
    if (known) this.limited.set(channel, { ...known, nextAtMs: this.clock.now() + POST_EVERY_MS });
  }

  refused(channel: string, retryAfterMs: number, isCard: boolean): void {
    const sinceMs = this.clock.now();
    const nextAtMs = sinceMs + retryAfterMs;
    const cardUntilMs = isCard ? nextAtMs + CARDS_FIRST_MS : (this.knownOf(channel)?.cardUntilMs ?? 0);
    this.limited.set(channel, { sinceMs, untilMs: nextAtMs + LIMITED_FOR_MS, cardUntilMs, nextAtMs });
  }

  private knownOf(channel: string): Limited | null {
    const known = this.limited.get(channel);
    if (!known) return null;
    const nowMs = this.clock.now();
    if (nowMs >= known.sinceMs && nowMs < known.untilMs) return known;
    this.limited.delete(channel);
    return null;
  }
}
