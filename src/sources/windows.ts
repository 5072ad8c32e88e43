import type { LookPeriod, Metric } from '../analysis/types.ts';
import type { Stretch } from './matrix.ts';

/** How far back stable's past is read at least: how much an arm scatters by itself is learned from it. */
export const NOISE_BACK_MS = 3_600_000;
/** Windows shorter than 10 s: so many tell as much, and an hour of them would be thousands of points at every look. */
const MOST_NOISE_WINDOWS = 360;
/** Older than this a window does not change any more: scrapes that hang and remote write that lags have come by then. */
export const SETTLED_MS = 60_000;
const HISTORY_WINDOW_MS = 3_600_000;
/** Fourteen pairs of a day and the day before it take fifteen days. */
const HISTORY_MS = 15 * 86_400_000;
const BUDGET_WINDOW_MS = 300_000;
const BUDGET_MS = 3 * 86_400_000;

/** Windows one after the other, as long as each other. */
export interface Ends {
  readonly firstEndMs: number;
  readonly count: number;
  readonly windowMs: number;
}

/** Windows to read: when each ends, and the stretch of the grid that is asked for. */
export interface Windows extends Ends {
  readonly stretch: Stretch;
}

/** When each of them ends. */
export function endsOf({ firstEndMs, count, windowMs }: Ends): number[] {
  return Array.from({ length: count }, (_, i) => firstEndMs + i * windowMs);
}

/**
 * How long after its end a window is waited for: a scrape is timed at its beginning and stored at its end, so a window that ends
 * just now may lack its last one, in one arm or for one selector and not for the other. A quarter of a window, 5 s at most.
 */
export function settleMs(windowMs: number): number {
  return Math.min(5_000, windowMs / 4);
}

/**
 * What of time one metric is read for: where labels come late its windows are judged so much later, and the period reaches back
 * as far, though not to before what is looked at began.
 */
export function periodOf({ labelDelayMs }: Metric, period: LookPeriod): LookPeriod {
  const late = labelDelayMs !== undefined && labelDelayMs > 0 && Number.isFinite(labelDelayMs) ? labelDelayMs : 0;
  const earliestMs = Math.min(period.fromMs, period.earliestMs ?? period.fromMs);
  const fromMs = Math.max(period.fromMs - late, earliestMs);
  return fromMs === period.fromMs ? period : { ...period, fromMs };
}

/** The period's windows that have settled; null while there is none. */
export function presentWindows(period: LookPeriod, windowMs: number): Windows | null {
  const last = floorTo(period.toMs - settleMs(windowMs), windowMs);
  const count = last / windowMs - Math.floor(period.fromMs / windowMs);
  return count > 0 ? windowsUntil(last, Math.round(count), windowMs) : null;
}

/**
 * The past of the same windows, `offsetMs` earlier, and what lies before them: an hour at least, or 360 windows. Asked for on the aligned grid
 * also where the offset is no multiple of the window: some servers move the points to it by themselves.
 */
export function pastWindows(period: LookPeriod, windowMs: number, offsetMs: number): Windows {
  const last = floorTo(period.toMs, windowMs);
  const inPeriod = Math.round(last / windowMs) - Math.floor(period.fromMs / windowMs);
  const noise = Math.min(MOST_NOISE_WINDOWS, Math.ceil(NOISE_BACK_MS / windowMs));
  const alignedMs = Math.round(offsetMs / windowMs) * windowMs;
  const windows = windowsUntil(last - alignedMs, Math.max(inPeriod, noise), windowMs);
  return { ...windows, firstEndMs: windows.firstEndMs + alignedMs - offsetMs };
}

/** Windows of an hour over fifteen days (`MetricSamples.history`). */
export function historyWindows(period: LookPeriod): Windows {
  return longWindows(period, HISTORY_WINDOW_MS, HISTORY_MS);
}

/** Windows of five minutes over three days (`MetricSamples.budget`). */
export function budgetWindows(period: LookPeriod): Windows {
  return longWindows(period, BUDGET_WINDOW_MS, BUDGET_MS);
}

function longWindows(period: LookPeriod, windowMs: number, lengthMs: number): Windows {
  return windowsUntil(floorTo(period.toMs - settleMs(windowMs), windowMs), lengthMs / windowMs, windowMs);
}

/** One sample before the first window: an increase needs where it began. */
function windowsUntil(lastMs: number, count: number, windowMs: number): Windows {
  const startMs = lastMs - count * windowMs;
  return { firstEndMs: startMs + windowMs, count, windowMs, stretch: { startMs, endMs: lastMs, stepMs: windowMs } };
}

function floorTo(ms: number, gridMs: number): number {
  return Math.floor(ms / gridMs) * gridMs;
}
