import type { LookPeriod, Metric } from '../types.ts';
import { expectedWindows } from './windows.ts';

/**
 * The stretch of time one metric is judged on. Where its labels come late the period ends that much earlier, on a whole window:
 * younger windows are neither judged nor missing. Where it has a baseline of its own in the past, the past begins there.
 */
export function judgedPeriod(metric: Metric, period: LookPeriod, windowMs: number): LookPeriod {
  const late = labelDelayOf(metric);
  const own = metric.baseline?.kind === 'offset' ? metric.baseline.offsetMs : 0;
  const offset = own > 0 && Number.isFinite(own) ? own : period.beforeOffsetMs;
  if (late === 0 || !(windowMs > 0)) return { ...period, beforeOffsetMs: offset };
  return {
    ...period,
    fromMs: Math.max(period.fromMs - late, Math.min(period.fromMs, period.earliestMs ?? period.fromMs)),
    toMs: Math.floor((period.toMs - late) / windowMs) * windowMs,
    beforeOffsetMs: offset,
  };
}

/** Why nothing of this metric can be judged so soon; null where something can, or where its labels do not come late. */
export function whyTooSoon(metric: Metric, period: LookPeriod, windowMs: number): string | null {
  const late = labelDelayOf(metric);
  if (late === 0 || !(windowMs > 0)) return null;
  const judged = judgedPeriod(metric, period, windowMs);
  if (expectedWindows(judged.fromMs, judged.toMs, windowMs) > 0) return null;
  const firstMs = (Math.floor(judged.fromMs / windowMs) + 1) * windowMs;
  return `labels come ${about(late)} late: the first windows can be judged in about ${about(firstMs + late - period.toMs)}`;
}

function labelDelayOf({ labelDelayMs }: Metric): number {
  return labelDelayMs !== undefined && Number.isFinite(labelDelayMs) ? Math.max(0, labelDelayMs) : 0;
}

/** "45 s", "12 min", "3 h", "2 days": in the unit that reads well, one decimal at most, never less than a second. */
function about(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.ceil(minutes / 6) / 10;
  return hours < 48 ? `${hours} h` : `${Math.ceil(hours / 2.4) / 10} days`;
}
