import type { ArmRead } from '../arms/arm.ts';
import type { Memory } from '../evidence/memory.ts';
import type { ComparisonSettings, LookPeriod, Metric, Series } from '../types.ts';

/** One arm (the suspect) held against another (the reference), or against what the metric itself says. */
export interface Question {
  readonly metric: Metric;
  readonly suspect: ArmRead;
  /** Null for kinds that are held against a limit, the configured split, or fixed totals. */
  readonly reference: ArmRead | null;
  readonly period: LookPeriod;
  readonly settings: ComparisonSettings;
  /** The reference is an arm beside it, at the same time: what both share cancels. */
  readonly concurrent: boolean;
  /** Enough was read since `healthyFromMs` to call the present well. */
  readonly mayBeHealthy: boolean;
  /** Stable's past as far as it was read, at its own times: how much an arm scatters by itself. */
  readonly past: ArmRead | null;
  /** The whole service over days (`MetricSamples.budget`). */
  readonly budget: Series | null;
  /** Where sums are kept from one look to the next. */
  readonly memory: Memory;
}
