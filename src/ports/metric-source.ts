import type { LookPeriod, Metric, MetricSamples } from '../analysis/types.ts';

/** Where numbers come from. */
export interface MetricSource {
  /**
   * Reads every metric of one look, each arm with one range query a stretch of time. Never throws for what a source can do wrong
   * (unreachable, 4xx, partial, absent): that is `missing`, and no-data.
   */
  read(request: MetricRequest, signal: AbortSignal): Promise<readonly MetricSamples[]>;
}

export interface MetricRequest {
  readonly service: string;
  readonly stable: string;
  readonly candidate: string | null;
  readonly metrics: readonly Metric[];
  readonly windowMs: number;
  readonly period: LookPeriod;
}
