import type { LookPeriod, Metric, MetricSamples } from '../analysis/types.ts';

/** Where numbers come from. */
export interface MetricSource {
  /**
   * Reads every metric of one look: each selector, arm and stretch of time with one range query, however many windows there are.
   * What looks at the same moment have in common is asked for once, and what differs only in service and version in one query;
   * what has settled is not asked for again, and each look gets what it would have got by itself. A look sends only so many
   * requests, and what is beyond them is `missing`. The window that ended just now is left out until its last scrape can be
   * there. Never throws for what a source can do wrong (unreachable, 4xx, partial, absent): that is `missing`, and no-data.
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
