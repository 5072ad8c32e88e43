import { parseExposition } from '../prometheus/exposition.ts';
import { SLOW_SECONDS } from '../scenario.ts';
import { every, type Ticking } from '../ticking.ts';
import type { DemoClock } from '../time/demo-clock.ts';

/** What one version did in one second or so; seconds and moments are the demo's. */
export interface Point {
  readonly atMs: number;
  readonly requestsPerSecond: number;
  /** Shares of the last three seconds' requests, 0..1; null without enough of them. */
  readonly errorShare: number | null;
  readonly slowShare: number | null;
  /** Of those scores of which it is known what would have been right. */
  readonly wrongShare: number | null;
}

/** Counters of one version, as its page of metrics gives them. */
interface Counted {
  readonly atMs: number;
  readonly requests: number;
  readonly failed: number;
  readonly slow: number;
  readonly judged: number;
  readonly wrong: number;
}

export interface Readings {
  /** The last two minutes of each version that has been read, oldest first. */
  points(): Readonly<Record<string, readonly Point[]>>;
  stop(): Promise<void>;
}

const EVERY_MS = 1_000;
/** Of the wall: how often it is asked whether the next second of the demo is over. */
const LOOK_EVERY_MS = 100;
const KEPT_POINTS = 120;
/** A share of fewer requests than this says nothing. */
const LEAST_REQUESTS = 5;
/** Single seconds at 10 % of the traffic jump too much to be read. */
const SMOOTHED_OVER = 3;
/** Of the wall: the first requests meet a process that still loads its code, and are slow for that alone. */
const SETTLES_AFTER_MS = 2_000;

/** Reads the models' own pages of metrics each second of the demo, once they have settled: what the lines on the page are drawn from. */
export function takeReadings(
  pages: readonly { readonly version: string; readonly url: string }[],
  clock: DemoClock,
): Readings {
  const counted = new Map<string, Counted[]>();
  const points = new Map<string, Point[]>();
  const stopping = new AbortController();
  const settledMs = performance.now() + SETTLES_AFTER_MS;
  let nextMs = 0;
  const read = async ({ version, url }: { version: string; url: string }) => {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(EVERY_MS)]);
    const response = await fetch(url, { signal });
    const text = await response.text();
    // Nobody says how it is doing: the line has a gap there.
    if (!response.ok) return;
    const now = countedOf(text, clock.now());
    const before = keep(counted, version, now, SMOOTHED_OVER + 1);
    const last = before.at(-2);
    const first = before[0];
    if (last && first) keep(points, version, pointOf(first, last, now), KEPT_POINTS);
  };
  const ticking: Ticking = every(
    LOOK_EVERY_MS,
    async () => {
      if (performance.now() < settledMs || clock.now() < nextMs) return;
      nextMs = clock.now() + EVERY_MS - LOOK_EVERY_MS / 2;
      await Promise.allSettled(pages.map(read));
    },
    () => undefined,
  );
  return {
    points: () => Object.fromEntries(points),
    async stop() {
      stopping.abort();
      await ticking.stop();
    },
  };
}

function keep<T>(lists: Map<string, T[]>, key: string, item: T, most: number): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  list.push(item);
  if (list.length > most) list.shift();
  return list;
}

function pointOf(first: Counted, last: Counted, now: Counted): Point {
  const requests = now.requests - first.requests;
  return {
    atMs: now.atMs,
    requestsPerSecond: Math.max(0, ((now.requests - last.requests) * 1000) / Math.max(1, now.atMs - last.atMs)),
    errorShare: shareOf(now.failed - first.failed, requests),
    slowShare: shareOf(now.slow - first.slow, requests),
    wrongShare: shareOf(now.wrong - first.wrong, now.judged - first.judged),
  };
}

function shareOf(part: number, whole: number): number | null {
  return whole >= LEAST_REQUESTS ? Math.max(0, part) / whole : null;
}

function countedOf(text: string, atMs: number): Counted {
  const sum = { requests: 0, failed: 0, fast: 0, judged: 0, wrong: 0 };
  for (const { labels, value } of parseExposition(text)) {
    if (labels.__name__ === 'http_requests_total') {
      sum.requests += value;
      if (labels.code?.startsWith('5')) sum.failed += value;
    }
    if (labels.__name__ === 'http_request_duration_seconds_bucket' && labels.le === String(SLOW_SECONDS)) {
      sum.fast += value;
    }
    if (labels.__name__ === 'predictions_judged_total') sum.judged += value;
    if (labels.__name__ === 'predictions_wrong_total') sum.wrong += value;
  }
  const { requests, failed, fast, judged, wrong } = sum;
  return { atMs, requests, failed, slow: requests - fast, judged, wrong };
}
