import type { Matcher } from '../domain/policy.ts';
import type { AlertRule } from './prometheus/index.ts';
import { sumOfRates } from './prometheus/rates.ts';
import type { SampleStore } from './prometheus/samples.ts';

/** Who and what the story is about, in seconds instead of minutes. */

export const SERVICE = 'fraud-scorer';
/** The first serves, the others are candidates one after the other. */
export const VERSIONS = ['v41', 'v42', 'v43', 'v44', 'v45'] as const;
export const CHANNEL = 'ml-rollouts';
/** A gate needs some hundred requests of the candidate to know that it is well: at 10 % of this that is ten seconds. */
export const REQUESTS_PER_SECOND = 150;
/** What the candidate is made to do: that share of its requests fails. */
export const ERROR_SHARE = 0.3;
export const EXTRA_LATENCY_SECONDS = 0.8;
/** Slower than this counts as slow; a healthy model takes 2 to 60 ms, also where this machine stalls for a moment. */
export const SLOW_SECONDS = 0.5;

/** First in the list is who the visitor is. */
export const people = [
  { id: 'U01YOU', name: 'you', realName: 'You', color: '#1264a3' },
  { id: 'U02MAYA', name: 'maya', realName: 'Maya Lindqvist', color: '#7b4fc9' },
  { id: 'U03TOM', name: 'tom', realName: 'Tom Okafor', color: '#b7791f' },
] as const;
export const MAYA = people[1].id;

/** Label values of the alert rules' own window: long enough for some requests at 10 %, short enough to resolve in seconds. */
const RATE_WINDOW_MS = 6_000;
const ERROR_ALERT_ABOVE = 0.1;
const SLOW_ALERT_ABOVE = 0.2;

const of = (metric: string, ...more: Matcher[]): Matcher[] => [
  { label: '__name__', operator: '=', value: metric },
  { label: 'service', operator: '=', value: SERVICE },
  ...more,
];
const by = ['service', 'version'];

/** The share of two rates by version where it is above a limit; without requests there is no share. */
function sharesAbove(
  store: SampleStore,
  atMs: number,
  part: Matcher[],
  whole: Matcher[],
  share: (r: number) => number,
  limit: number,
) {
  const window = { atMs, lengthMs: RATE_WINDOW_MS };
  const parts = sumOfRates(store, part, by, window);
  return [...sumOfRates(store, whole, by, window)].flatMap(([key, { labels, perSecond }]) => {
    const value = share((parts.get(key)?.perSecond ?? 0) / perSecond);
    return perSecond > 0 && value > limit ? [{ labels, value }] : [];
  });
}

const selected = `{service="${SERVICE}"`;
const window = `[${RATE_WINDOW_MS / 1000}s]`;

/** Both in PromQL and in code: see AlertRule. */
export const alertRules: readonly AlertRule[] = [
  {
    name: 'ModelErrorRateHigh',
    expression: `sum by (service, version) (rate(http_requests_total${selected},code=~"5.."}${window})) / sum by (service, version) (rate(http_requests_total${selected}}${window})) > ${ERROR_ALERT_ABOVE}`,
    forMs: 2_000,
    labels: { severity: 'critical' },
    annotations: {
      summary: '{{ $labels.version }} of {{ $labels.service }} fails {{ $value | humanizePercentage }} of its requests',
      description: `More than ${ERROR_ALERT_ABOVE * 100} % of the requests to {{ $labels.version }} failed in the last ${RATE_WINDOW_MS / 1000} seconds.`,
    },
    evaluate: (store, atMs) =>
      sharesAbove(
        store,
        atMs,
        of('http_requests_total', { label: 'code', operator: '=~', value: '5..' }),
        of('http_requests_total'),
        (failed) => failed,
        ERROR_ALERT_ABOVE,
      ),
  },
  {
    name: 'ModelSlow',
    expression: `1 - sum by (service, version) (rate(http_request_duration_seconds_bucket${selected},le="${SLOW_SECONDS}"}${window})) / sum by (service, version) (rate(http_request_duration_seconds_count${selected}}${window})) > ${SLOW_ALERT_ABOVE}`,
    forMs: 2_000,
    labels: { severity: 'critical' },
    annotations: {
      summary: `{{ $labels.version }} of {{ $labels.service }} answers {{ $value | humanizePercentage }} of its requests too slowly`,
      description: `More than ${SLOW_ALERT_ABOVE * 100} % of the requests to {{ $labels.version }} took longer than ${SLOW_SECONDS * 1000} ms in the last ${RATE_WINDOW_MS / 1000} seconds.`,
    },
    evaluate: (store, atMs) =>
      sharesAbove(
        store,
        atMs,
        of('http_request_duration_seconds_bucket', { label: 'le', operator: '=', value: String(SLOW_SECONDS) }),
        of('http_request_duration_seconds_count'),
        (fast) => 1 - fast,
        SLOW_ALERT_ABOVE,
      ),
  },
];

/** The demo's policy: the one of policies/fraud-scorer.yaml, hurried up. */
export function policyYaml(splitUrl: string): string {
  return `# The demo's policy: minutes are seconds here. A real one is in policies/fraud-scorer.yaml.
service: ${SERVICE}
description: Scores card payments
mode: enforce
channel: "#${CHANNEL}"

target:
  kind: http
  timeout: 5s
  observe:
    url: ${splitUrl}
    headers: { Authorization: "Bearer \${LASTGOOD_SECRET_ROUTER}" }
    stable: /stable/version
    candidate: /candidate/version
    exposure: /candidate/percent
    ready: /versions/{{version}}/ready
    readyDetail: /versions/{{version}}/detail
    revision: /revision
  shift:
    method: PUT
    url: ${splitUrl}
    headers: { Authorization: "Bearer \${LASTGOOD_SECRET_ROUTER}" }
    body:
      stable: { version: "{{stable.version}}", percent: "{{stable.percent}}" }
      candidate: { version: "{{candidate.version}}", percent: "{{candidate.percent}}" }
      revision: "{{revision}}"

steps:
  - { exposure: 10, soak: 8s, maxSoak: 30s }
  - { exposure: 70, soak: 14s, maxSoak: 40s }
  - { exposure: 100 }
rollback:
  phases:
    - { exposure: 50, soak: 4s, maxSoak: 8s }
    - { exposure: 10, soak: 4s, maxSoak: 8s }
    - { exposure: 0 }
  verify: { soak: 5s, maxSoak: 30s }

comparison: { window: 1s, warmUp: 2s, every: 1s, minimumWindows: 3, lastWeek: 1m }
metrics:
  - name: errors
    title: Error rate
    kind: proportion
    bad: 'http_requests_total{service="{{service}}",version="{{version}}",code=~"5.."}'
    total: 'http_requests_total{service="{{service}}",version="{{version}}"}'
    tolerance: { relative: 25%, absolute: 6%, healthy: 1.5 }
    minimum: 30
    weight: 3
  - name: latency
    title: Slow answers
    kind: latency
    unit: s
    buckets: 'http_request_duration_seconds_bucket{service="{{service}}",version="{{version}}"}'
    bounds: [${SLOW_SECONDS}]
    tolerance: { relative: 25%, absolute: 10%, healthy: 1.5 }
    minimum: 30
    weight: 2

alerts:
  - match: ['service="${SERVICE}"', 'severity=~"warning|critical"']
approvers: { users: [${people.map(({ id }) => id).join(', ')}], quorum: 2 }
respond:
  grace: 0s
  deadline: 30s
  criticalDeadline: 30s
  default: rollback
  whenUnknown: hold
  acknowledge: 1m
  stability: 5s
  hold: 1m
escalate: { after: 12s, repeat: 30s, severity: critical }
lastGood: { after: 10s }
watch: 30s
`;
}
