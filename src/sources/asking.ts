import type { GridSeries } from './increase.ts';
import type { Stretch } from './matrix.ts';
import { type Answer, type PrometheusApi, requestsFor } from './prometheus-api.ts';
import { createSharing, limited } from './sharing.ts';

/** Queries of one look under way at the same time: Prometheus itself runs 20 by default, and others ask it too. */
const AT_ONCE = 6;
/** Of all looks together. */
const AT_ONCE_IN_ALL = 12;
/** Looks of several services at the same moment ask for the same; a look later is another one, and reads what came late. */
const KEPT_MS = 3_000;
/** Numbers kept for that moment: some 32 MB. */
const MOST_KEPT = 4_000_000;
/** A native histogram's point is counted as this many numbers. */
const NATIVE_POINT = 100;

export type Found = Answer<GridSeries[]>;

/** One look's way to Prometheus. */
export interface Asking {
  /** Identical queries over the same stretch are asked once, here and by looks at the same moment. */
  ask(query: string, stretch: Stretch, signal: AbortSignal): Promise<Found>;
}

export interface Batch {
  /** Begins a look, which may send so many requests. */
  look(mostRequests: number): Asking;
}

export function createBatch(api: PrometheusApi, now: () => number): Batch {
  const sharing = createSharing<Found>({
    now,
    keepMs: (answer) => (answer.ok ? KEPT_MS : 0),
    mostWeight: MOST_KEPT,
    weightOf: (answer) => (answer.ok ? answer.value.reduce((sum, s) => sum + weightOf(s), 0) : 0),
    stopped: { ok: false, problem: 'the look was stopped before Prometheus answered', wasAnswered: false },
  });
  const inAll = limited(AT_ONCE_IN_ALL);
  const look = (mostRequests: number): Asking => {
    const here = limited(AT_ONCE);
    let sent = 0;
    return {
      ask: async (query, stretch, signal) => {
        const key = `${stretch.startMs} ${stretch.endMs} ${stretch.stepMs} ${query}`;
        if (!sharing.has(key)) {
          const requests = requestsFor(stretch);
          if (sent + requests > mostRequests) return tooMany(mostRequests);
          sent += requests;
        }
        return sharing.get(key, signal, (stop) => here(() => inAll(() => api.range(query, stretch, stop))));
      },
    };
  };
  return { look };
}

function tooMany(mostRequests: number): Found {
  const problem =
    `the look would have taken more than ${mostRequests} queries to Prometheus; ` +
    'have fewer metrics, or let them share selectors';
  return { ok: false, problem, wasAnswered: false };
}

function weightOf(series: GridSeries): number {
  return series.at.length + (series.natives?.length ?? 0) * NATIVE_POINT;
}
