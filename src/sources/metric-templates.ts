import type { Metric } from '../analysis/types.ts';
import { isCountedKind } from './counts.ts';
import { filled, type Query, type Selectors, type Template } from './named.ts';
import { plainSelector } from './plain-selector.ts';
import type { Placeholders } from './promql.ts';
import { selectorsOf } from './selectors.ts';
import type { CountedMetric } from './settled.ts';

/** Templates of metrics that are told apart: more than all policies of one Prometheus have. */
const MOST_KNOWN = 10_000;

/** What is read of a metric, taken apart once: thousands of rollouts of one template read the same at every look. */
export interface MetricTemplate {
  /**
   * What each selector asks for; null where one is more than a plain selector. Throws where a placeholder cannot be filled, or the
   * policy leaves out a selector that the metric needs.
   */
  queries(values: Placeholders): readonly Query[] | null;
}

type Fill = (template: string, values: Placeholders) => string;

/** Metrics that read the same have the same template, down to the object. */
export function createMetricTemplates(selectors: Selectors, fill: Fill): (metric: CountedMetric) => MetricTemplate {
  /** By what says the same. */
  const byText = new Map<string, MetricTemplate>();
  /** A plan that was stored and read again has another object that says the same. */
  const bySource = new WeakMap<
    Metric['source'],
    { readonly lateMs: number | undefined; readonly of: MetricTemplate }
  >();
  return ({ source, labelDelayMs }) => {
    const known = bySource.get(source);
    if (known !== undefined && known.lateMs === labelDelayMs) return known.of;
    const text = JSON.stringify([source, labelDelayMs]);
    if (byText.size >= MOST_KNOWN) byText.clear();
    const of = byText.get(text) ?? templateOf(source, selectors, fill);
    byText.set(text, of);
    bySource.set(source, { lateMs: labelDelayMs, of });
    return of;
  };
}

function templateOf(source: CountedMetric['source'], selectors: Selectors, fill: Fill): MetricTemplate {
  let parts: readonly Part[] | null = null;
  return {
    queries: (values) => {
      parts ??= selectorsOf(source).map((text) => ({
        template: selectors.template(text),
        text: (of: Placeholders) => fill(text, of),
      }));
      const queries = new Array<Query>(parts.length);
      for (const [k, { template, text }] of parts.entries()) {
        const named = template === null ? null : filled(template, values, text);
        const query = named ?? text(values);
        if (typeof query === 'string' && plainSelector(query) === null) return null;
        queries[k] = query;
      }
      return queries;
    },
  };
}

interface Part {
  readonly template: Template | null;
  readonly text: (values: Placeholders) => string;
}

export function isCounted(metric: Metric): metric is CountedMetric {
  return isCountedKind(metric.source);
}
