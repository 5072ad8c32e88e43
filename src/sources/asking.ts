import { Ask, Caller } from './ask.ts';
import type { Found } from './found.ts';
import { createJoining } from './joining.ts';
import { createKeeping } from './keeping.ts';
import type { Stretch } from './matrix.ts';
import { createSelectors, type NamedSelector, type Query, type Selectors, textOf } from './named.ts';
import { type PrometheusApi, requestsFor } from './prometheus-api.ts';
import { createSharing, type Limit, limited } from './sharing.ts';
import { weightOfSeries } from './spans.ts';

/** Queries of one look under way at the same time: Prometheus itself runs 20 by default, and others ask it too. */
const AT_ONCE = 6;
/** Of all looks together. */
const AT_ONCE_IN_ALL = 12;
/** Looks of several services at the same moment ask for the same; a look later is another one, and reads what came late. */
const KEPT_MS = 3_000;
/** What is kept for that moment. */
const MOST_SHARED_BYTES = 32 * 1024 * 1024;
/** How long others are waited for that ask for the same of another service: nothing to a look, which comes every few seconds. */
export const GATHER_MS = 20;
/** Answers as they came: of latencies, gauges and drift, and of what is no plain selector. */
export const MOST_KEPT_BYTES = 48 * 1024 * 1024;

/**
 * `once`: what has settled of the answer is kept by whoever asks, in less room; the answer itself is shared while it is under way, and
 * let go of at once. Kept for seconds, those of hundreds of looks grow old, and what grows old is dear to collect.
 */
export type Keep = 'kept' | 'once';

/** One look's way to Prometheus. */
export interface Asking {
  /**
   * Identical queries over the same stretch are asked once, here and by looks at the same moment; those that differ only in what
   * labels are equal to are asked together. `lateMs`: how long after its moment a sample of it may still come.
   */
  ask(query: Query, stretch: Stretch, signal: AbortSignal, lateMs?: number, keep?: Keep): Promise<Found>;
  /**
   * The same, `once`, of what names its service: nobody but this look asks for it now. `tell` is told once, perhaps at once. There are
   * dozens in each look, and a promise for each would be most of what they cost.
   */
  tell(query: NamedSelector, stretch: Stretch, signal: AbortSignal, tell: (found: Found) => void): void;
}

export interface Batch {
  /** Begins a look, which may send so many requests. One that is put together with others counts for each. */
  look(mostRequests: number): Asking;
  readonly selectors: Selectors;
}

export interface BatchOptions {
  readonly now: () => number;
  readonly gatherMs: number;
  readonly mostKeptBytes: number;
}

export function createBatch(api: PrometheusApi, { now, gatherMs, mostKeptBytes }: BatchOptions): Batch {
  const stopped: Found = { ok: false, problem: 'the look was stopped before Prometheus answered', wasAnswered: false };
  const sharingFor = (keptMs: number) =>
    createSharing<Found>({
      now,
      keepMs: (answer) => (answer.ok ? keptMs : 0),
      mostWeight: MOST_SHARED_BYTES,
      weightOf: (answer) => (answer.ok ? weightOfSeries(answer.value) : 0),
      stopped,
    });
  const sharings = { kept: sharingFor(KEPT_MS), once: sharingFor(0) };
  const keeping = createKeeping(now, mostKeptBytes);
  const selectors = createSelectors();
  const joining = createJoining({ api, selectors, inAll: limited(AT_ONCE_IN_ALL), now, gatherMs, stopped });
  const look = (mostRequests: number): Asking => {
    const here = limited(AT_ONCE);
    const callerOf = createCallers(here, stopped);
    /** Asks that are under way. */
    const named: Ask[] = [];
    let sent = 0;
    const maySend = (requests: number) => {
      if (sent + requests > mostRequests) return false;
      sent += requests;
      return true;
    };
    return {
      tell: (query, stretch, signal, tell) => {
        if (signal.aborted) return tell(stopped);
        for (let k = 0; k < named.length; k += 1) {
          const ask = named[k];
          if (ask?.asks(query, stretch) === true) return ask.tellToo(tell);
        }
        if (!maySend(requestsFor(stretch))) return tell(tooMany(mostRequests));
        const ask = new Ask(query, stretch, callerOf(signal), tell);
        named.push(ask);
        joining.put(ask);
      },
      ask: async (asked, stretch, signal, lateMs = 0, keep = 'kept') => {
        if (signal.aborted) return stopped;
        const requests = requestsFor(stretch);
        const query = textOf(asked);
        const settled = keep === 'kept' ? keeping.whole(query, stretch) : null;
        if (settled !== null) return { ok: true, value: settled };
        const key = `${stretch.startMs} ${stretch.endMs} ${stretch.stepMs} ${query}`;
        const sharing = sharings[keep];
        if (!sharing.has(key) && !maySend(requests)) return tooMany(mostRequests);
        return sharing.get(key, signal, (stop) => {
          const range = (part: Stretch) => joining.range(query, part, callerOf(stop));
          return keep === 'kept' ? keeping.read({ query, stretch, lateMs }, range) : range(stretch);
        });
      },
    };
  };
  return { look, selectors };
}

function createCallers(here: Limit, stopped: Found): (signal: AbortSignal) => Caller {
  let last: Caller | null = null;
  return (signal) => {
    if (last?.signal !== signal) last = new Caller(here, signal, stopped);
    return last;
  };
}

function tooMany(mostRequests: number): Found {
  const problem =
    `the look would have taken more than ${mostRequests} queries to Prometheus; ` +
    'have fewer metrics, or let them share selectors';
  return { ok: false, problem, wasAnswered: false };
}
