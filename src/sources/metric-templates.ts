import type { Metric } from '../analysis/types.ts';
import { type CountedKind, isCountedKind } from './counts.ts';
import { filled, type Query, type Selectors, type Template } from './named.ts';
import { plainSelector } from './plain-selector.ts';
import type { Placeholders } from './promql.ts';
import { selectorsOf } from './selectors.ts';
import type { CountedMetric } from './settled.ts';

/** Templates of metrics that are told apart: more than all policies of one Prometheus have. */
const MOST_KNOWN = 10_000;

/** What is read of a metric, taken apart once: thousands of rollouts of one template read the same at every look. */
export interface MetricTemplate {
  /** Its own: no other has had it since the start. */
  readonly number: number;
  /**
   * What each selector asks for; null where one is more than a plain selector. Throws where a placeholder cannot be filled, or the
   * policy leaves out a selector that the metric needs.
   */
  queries(values: Placeholders): readonly Query[] | null;
}

type Fill = (template: string, values: Placeholders) => string;

/**
 * Metrics that read the same have the same template, down to the object, whichever of thousands of policies they are of. They are
 * told apart by what they say: to remember each by itself took more than all their templates.
 */
export function createMetricTemplates(selectors: Selectors, fill: Fill): (metric: CountedMetric) => MetricTemplate {
  /** By one of their selectors. */
  const known = new Map<string, Known[]>();
  let count = 0;
  let last = 0;
  return ({ source, labelDelayMs }) => {
    const selector = selectorIn(source);
    for (const one of known.get(selector) ?? []) {
      if (one.lateMs === labelDelayMs && isSame(one.source, source)) return one.of;
    }
    if (count >= MOST_KNOWN) {
      known.clear();
      count = 0;
    }
    last += 1;
    const of = templateOf(last, source, selectors, fill);
    known.set(selector, [...(known.get(selector) ?? []), { source, lateMs: labelDelayMs, of }]);
    count += 1;
    return of;
  };
}

interface Known {
  readonly source: CountedKind;
  readonly lateMs: number | undefined;
  readonly of: MetricTemplate;
}

/** One that the policy cannot leave out. */
function selectorIn(source: CountedKind): string {
  switch (source.kind) {
    case 'proportion':
    case 'objective':
      return source.total;
    case 'labelled':
      return source.truePositives;
    case 'rate':
      return source.events;
    case 'split':
      return source.requests;
  }
}

/** What is counted says all in texts and numbers. */
function isSame(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  for (const key in a) if (a[key] !== b[key]) return false;
  for (const key in b) if (!(key in a)) return false;
  return true;
}

function templateOf(number: number, source: CountedKind, selectors: Selectors, fill: Fill): MetricTemplate {
  let parts: readonly Part[] | null = null;
  return {
    number,
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
