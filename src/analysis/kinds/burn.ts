import { armOf } from '../arms/arm.ts';
import type { Counts } from '../arms/counts.ts';
import { createRoom } from '../evidence/room.ts';
import type { Metric, Series } from '../types.ts';

/**
 * How fast a service burns its error budget: bad events over those allowed. Thresholds and windows of The Site Reliability
 * Workbook, chapter 5, table 5-8: 2 % of a 30-day budget in an hour, 5 % in six hours, 10 % in three days; the short window ends
 * the alarm soon after what caused it has ended.
 */
export interface Burn {
  /** Threshold in multiples of what would use up the budget in its 30 days exactly. */
  readonly rate: number;
  /** "1 h and 5 min". */
  readonly over: string;
  /** Fast enough to act on at once; otherwise it is for the next days. */
  readonly isFast: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Share of a window that must have been read: a budget's rate over three days is not to be had from an hour. */
const COVERAGE = 0.5;
/** Windows of the budget (`MetricSamples.budget`). */
const BUDGET_WINDOW_MS = 5 * MINUTE_MS;
/** A budget whose newest window ended longer ago is not the present one. */
const STALE_MS = 15 * MINUTE_MS;

interface Threshold extends Burn {
  readonly longMs: number;
  readonly shortMs: number;
}

const THRESHOLDS: readonly Threshold[] = [
  { rate: 14.4, over: '1 h and 5 min', isFast: true, longMs: HOUR_MS, shortMs: 5 * MINUTE_MS },
  { rate: 6, over: '6 h and 30 min', isFast: true, longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS },
  { rate: 1, over: '3 days and 6 h', isFast: false, longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS },
];

/** The rate that uses up `share` of a budget of `budgetMs` within `withinMs`. */
export function burnRate(share: number, withinMs: number, budgetMs: number): number {
  return (share * budgetMs) / withinMs;
}

/** The fastest burn that both its windows show; null where none does, or where the metric has no budget. */
export function burnOf(metric: Metric, budget: Series | null, atMs: number, room = createRoom()): Burn | null {
  if (metric.source.kind !== 'objective') return null;
  const { allowed } = metric.source;
  const stretch = { fromMs: atMs - 3 * DAY_MS, toMs: atMs };
  const bad = armOf(budget, metric, stretch, room);
  if (bad?.kind !== 'counts' || !(allowed > 0)) return null;
  // The newest window may still be waited for; what is older says nothing of now.
  const { counts } = bad;
  const newestMs = counts.ends[counts.length - 1] ?? Number.NEGATIVE_INFINITY;
  if (atMs - newestMs > STALE_MS) return null;
  const isOver = (lengthMs: number, rate: number) => {
    const share = shareOver(counts, newestMs, lengthMs, metric.minimumSamples);
    return share !== null && share > rate * allowed;
  };
  const found = THRESHOLDS.find(({ rate, longMs, shortMs }) => isOver(longMs, rate) && isOver(shortMs, rate));
  return found === undefined ? null : { rate: found.rate, over: found.over, isFast: found.isFast };
}

/** Share of bad events over the time up to `newestMs`. Null where too little was read, or too few requests came. */
function shareOver(counts: Counts, newestMs: number, lengthMs: number, minimum: number): number | null {
  let events = 0;
  let requests = 0;
  let read = 0;
  for (let i = 0; i < counts.length; i += 1) {
    if ((counts.ends[i] ?? 0) <= newestMs - lengthMs) continue;
    events += counts.events[i] ?? 0;
    requests += counts.exposure[i] ?? 0;
    read += 1;
  }
  const expected = Math.max(1, lengthMs / BUDGET_WINDOW_MS);
  // A short window is asked for less: it only says that it still goes on.
  const enough = lengthMs >= HOUR_MS ? minimum : 1;
  return read >= COVERAGE * expected && requests >= enough && requests > 0 ? events / requests : null;
}
