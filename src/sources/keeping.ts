import type { Found } from './found.ts';
import type { GridSeries } from './increase.ts';
import type { Stretch } from './matrix.ts';
import { plainSelector } from './plain-selector.ts';
import { sliced } from './slice.ts';
import { answerOf, missingOf, put, type Span, spanOf, weightOfSpan } from './spans.ts';

/**
 * What has settled is not asked for again. A plain selector at a moment is what was stored by then, so a point is the same in
 * whichever stretch it is asked for. What can come late is the newest minute; and a whole stretch is read anew every ten minutes,
 * where a point turns out to have changed, and where a series appears that was not there.
 */

/** Data that was filled in later than it should is seen then. */
const ANEW_MS = 600_000;
/** Stretches of one query: the present and the past of what is stable, and that of a look before. */
const MOST_SPANS = 3;
/** What was used within this time is not given up for something new: else, with more than fits, all would be read always. */
const IN_USE_MS = 120_000;

const MORE_BACK = 16;
/** What grows by a window at each look saves less a byte than what stays as it is, and has only so much of the room. */
const SHARE_OF_GROWING = 0.5;

export interface Keeping {
  /** The answer, where every point of it has settled and is there. */
  whole(query: string, stretch: Stretch): GridSeries[] | null;
  /** The answer, of which `fetch` is asked only for what is not kept. */
  read(question: Question, fetch: (part: Stretch) => Promise<Found>): Promise<Found>;
}

export interface Question {
  readonly query: string;
  readonly stretch: Stretch;
  /** How long after its moment a sample may still come, beyond the minute. */
  readonly lateMs: number;
}

export function createKeeping(now: () => number, mostBytes: number): Keeping {
  const store = createStore(now, mostBytes);

  function spanFor(query: string, stretch: Stretch): Span | null {
    const isFresh = ({ readAtMs }: Span) => Math.abs(now() - readAtMs) < ANEW_MS;
    return store.of(query).find((s) => isFresh(s) && missingOf(s, stretch) !== 'all') ?? null;
  }

  async function readWhole({ query, stretch, lateMs }: Question, instead: Span | null, fetch: Fetch): Promise<Found> {
    const readAtMs = now();
    const found = await fetch(stretch);
    if (!found.ok || plainSelector(query) === null) return found;
    const read = { stretch, series: found.value };
    const span = spanOf(read, read, { askedAtMs: readAtMs, lateMs, readAtMs });
    if (span !== null) store.keep(query, span, instead);
    return found;
  }

  return {
    whole: (query, stretch) => {
      const span = spanFor(query, stretch);
      return span !== null && missingOf(span, stretch) === null ? answerOf(span, stretch) : null;
    },
    read: async (question, fetch) => {
      const { query, stretch, lateMs } = question;
      const span = spanFor(query, stretch);
      const missing = span === null ? 'all' : missingOf(span, stretch);
      if (span === null || missing === null || missing === 'all') return readWhole(question, span, fetch);
      const askedAtMs = now();
      const part = missing.startMs < span.stretch.startMs ? reachingBack(missing) : missing;
      const found = await fetch(part);
      if (!found.ok) return found;
      const whole = put(span, part, found.value);
      if (whole === null) return readWhole(question, span, fetch);
      const series = sliced(whole.series, whole.stretch, stretch);
      const next = spanOf(whole, { stretch, series }, { askedAtMs, lateMs, readAtMs: span.readAtMs });
      if (next !== null) store.keep(query, next, span);
      return { ok: true, value: series };
    },
  };
}

/** A past that reaches back by a window more at each look is asked for some looks ahead. */
function reachingBack(part: Stretch): Stretch {
  return { ...part, startMs: part.startMs - MORE_BACK * part.stepMs };
}

type Fetch = (part: Stretch) => Promise<Found>;

interface Entry {
  spans: readonly Span[];
  bytes: number;
  usedAtMs: number;
}

interface Store {
  of(query: string): readonly Span[];
  keep(query: string, span: Span, instead: Span | null): void;
}

function createStore(now: () => number, mostBytes: number): Store {
  /** Used longest ago first. */
  const entries = new Map<string, Entry>();
  let bytes = 0;

  function drop(query: string): void {
    bytes -= entries.get(query)?.bytes ?? 0;
    entries.delete(query);
  }

  return {
    of: (query) => {
      const entry = entries.get(query);
      if (entry === undefined) return [];
      entry.usedAtMs = now();
      entries.delete(query);
      entries.set(query, entry);
      return entry.spans;
    },
    keep: (query, span, instead) => {
      const before = entries.get(query)?.spans ?? [];
      const spans = [span, ...before.filter((s) => s !== instead)].slice(0, MOST_SPANS);
      drop(query);
      const size = spans.reduce((sum, s) => sum + weightOfSpan(s), 2 * query.length);
      const isGrowing = spans.every((s) => s.settledMs < s.stretch.endMs);
      const most = mostBytes * (isGrowing ? SHARE_OF_GROWING : 1);
      for (const [oldest, { usedAtMs }] of entries) {
        if (bytes + size <= most || now() - usedAtMs < IN_USE_MS) break;
        drop(oldest);
      }
      if (bytes + size > most) return;
      entries.set(query, { spans, bytes: size, usedAtMs: now() });
      bytes += size;
    },
  };
}
