import type { ComparisonSettings, LookPeriod, Metric, Series } from '../types.ts';

/** One arm (the suspect) held against another (the reference), or against what the metric itself says. */
export interface Question {
  readonly metric: Metric;
  readonly suspect: Series;
  /** Null for kinds that are held against a limit, the configured split, or fixed totals. */
  readonly reference: Series | null;
  readonly period: LookPeriod;
  readonly settings: ComparisonSettings;
  /** Enough was read since `healthyFromMs` to call the present well. */
  readonly mayBeHealthy: boolean;
  /** Stable's past as far as it was read, at its own times: how much an arm scatters by itself. */
  readonly past: Series | null;
  /** The whole service over days (`MetricSamples.budget`). */
  readonly budget: Series | null;
}
