import type { Matcher } from '../domain/policy.ts';
import type { AlertRule } from './prometheus/index.ts';
import { sumOfRates } from './prometheus/rates.ts';
import { type SampleStore, type StoredSeries, valueAt } from './prometheus/samples.ts';
import { SERVICE, SLOW_SECONDS } from './scenario.ts';

/** The alert rules of the demo. Prometheus lives in the wall's time, so their windows do too: short enough for a clock that runs faster. */

/** The models' job in Prometheus. */
export const JOB = 'models';
const WINDOW_MS = 3_000;
/** Fewer requests a second say nothing yet: two unlucky ones of five are no trouble. */
const LEAST_PER_SECOND = 5;
const FOR_MS = 1_000;
const ERRORS_ABOVE = 0.15;
const SLOW_ABOVE = 0.2;
const WRONG_ABOVE = 0.25;
/** A population stability index above this is the usual limit for a significant shift. */
const DRIFT_ABOVE = 0.25;
/** Every page of metrics gone for this long: a machine that stalls for a moment is not meant. */
const MISSING_FOR_MS = 2_000;

const by = ['service', 'version'];
const byText = by.join(', ');
const rangeText = `[${WINDOW_MS / 1000}s]`;

interface Counter {
  readonly metric: string;
  /** A matcher besides the service, and as it is written. */
  readonly more?: Matcher;
}

const requests: Counter = { metric: 'http_requests_total' };
const failed: Counter = { metric: 'http_requests_total', more: { label: 'code', operator: '=~', value: '5..' } };
const answers: Counter = { metric: 'http_request_duration_seconds_count' };
const fast: Counter = {
  metric: 'http_request_duration_seconds_bucket',
  more: { label: 'le', operator: '=', value: String(SLOW_SECONDS) },
};
const judged: Counter = { metric: 'predictions_judged_total' };
const wrong: Counter = { metric: 'predictions_wrong_total' };

function selectorText({ metric, more }: Counter): string {
  const also = more ? `,${more.label}${more.operator}"${more.value}"` : '';
  return `${metric}{service="${SERVICE}"${also}}`;
}

function matchersOf({ metric, more }: Counter): Matcher[] {
  return [
    { label: '__name__', operator: '=', value: metric },
    { label: 'service', operator: '=', value: SERVICE },
    ...(more ? [more] : []),
  ];
}

/** A share of two rates, by version, above a limit, where there are requests enough: as PromQL and as a function. */
function shareAbove(
  part: Counter,
  whole: Counter,
  above: number,
  isGood: boolean,
): Pick<AlertRule, 'expression' | 'evaluate'> {
  const rate = (counter: Counter) => `sum by (${byText}) (rate(${selectorText(counter)}${rangeText}))`;
  const share = `${isGood ? '1 - ' : ''}${rate(part)} / ${rate(whole)}`;
  return {
    expression: `${share} > ${above} and ${rate(whole)} >= ${LEAST_PER_SECOND}`,
    evaluate(store, atMs) {
      const window = { atMs, lengthMs: WINDOW_MS };
      const parts = sumOfRates(store, matchersOf(part), by, window);
      return [...sumOfRates(store, matchersOf(whole), by, window)].flatMap(([key, { labels, perSecond }]) => {
        const found = parts.get(key);
        if (!found || perSecond < LEAST_PER_SECOND) return [];
        const value = isGood ? 1 - found.perSecond / perSecond : found.perSecond / perSecond;
        return value > above ? [{ labels, value }] : [];
      });
    },
  };
}

const of = '{{ $labels.version }} of {{ $labels.service }}';
const inTheLast = `in the last ${WINDOW_MS / 1000} seconds`;

/** Each both in PromQL and in code: see AlertRule. */
export const alertRules: readonly AlertRule[] = [
  {
    name: 'ModelErrorRateHigh',
    ...shareAbove(failed, requests, ERRORS_ABOVE, false),
    forMs: FOR_MS,
    labels: { severity: 'critical' },
    annotations: {
      summary: `${of} fails {{ $value | humanizePercentage }} of its requests`,
      description: `More than ${ERRORS_ABOVE * 100} % of the requests to {{ $labels.version }} failed ${inTheLast}.`,
    },
  },
  {
    name: 'ModelSlow',
    ...shareAbove(fast, answers, SLOW_ABOVE, true),
    forMs: FOR_MS,
    labels: { severity: 'critical' },
    annotations: {
      summary: `${of} answers {{ $value | humanizePercentage }} of its requests too slowly`,
      description: `More than ${SLOW_ABOVE * 100} % of the requests to {{ $labels.version }} took longer than ${SLOW_SECONDS * 1000} ms ${inTheLast}.`,
    },
  },
  {
    name: 'ModelOftenWrong',
    ...shareAbove(wrong, judged, WRONG_ABOVE, false),
    forMs: FOR_MS,
    labels: { severity: 'critical' },
    annotations: {
      summary: `${of} is wrong about {{ $value | humanizePercentage }} of the payments of which the truth is known`,
      description: `More than ${WRONG_ABOVE * 100} % of the scores of {{ $labels.version }} were on the wrong side ${inTheLast}.`,
    },
  },
  {
    name: 'DriftHigh',
    expression: `max by (${byText}) (model_feature_psi{service="${SERVICE}"}) > ${DRIFT_ABOVE}`,
    evaluate: (store, atMs) => greatest(store, atMs).filter(({ value }) => value > DRIFT_ABOVE),
    forMs: FOR_MS,
    labels: { severity: 'warning' },
    annotations: {
      summary: `The payments that ${of} is given are not those it was trained with`,
      description: `The population stability index of the amounts given to {{ $labels.version }} is above ${DRIFT_ABOVE}. Its scores may still be right.`,
    },
  },
  {
    name: 'MetricsMissing',
    expression: `sum(up{job="${JOB}"}) == 0`,
    evaluate: (store, atMs) => nothingUp(store, atMs),
    forMs: MISSING_FOR_MS,
    labels: { severity: 'warning', service: SERVICE },
    annotations: {
      summary: `No model of ${SERVICE} can be measured`,
      description: 'Every scrape of the models fails: how they are doing is not known.',
    },
  },
];

function greatest(store: SampleStore, atMs: number): { labels: Record<string, string>; value: number }[] {
  return valuesOf(store, matchersOf({ metric: 'model_feature_psi' }), atMs).map(({ series, value }) => {
    const { service = '', version = '' } = series.labels;
    return { labels: { service, version }, value };
  });
}

function nothingUp(store: SampleStore, atMs: number): { labels: Record<string, string>; value: number }[] {
  const up = valuesOf(
    store,
    [
      { label: '__name__', operator: '=', value: 'up' },
      { label: 'job', operator: '=', value: JOB },
    ],
    atMs,
  );
  return up.length > 0 && up.every(({ value }) => value === 0) ? [{ labels: {}, value: 0 }] : [];
}

function valuesOf(
  store: SampleStore,
  matchers: readonly Matcher[],
  atMs: number,
): { series: StoredSeries; value: number }[] {
  return store.select(matchers).flatMap((series) => {
    const value = valueAt(series, atMs);
    return value === null ? [] : [{ series, value }];
  });
}
