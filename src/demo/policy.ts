import { CHANNEL, people, SERVICE, SLOW_SECONDS } from './scenario.ts';

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
  - { exposure: 10, soak: 8s, maxSoak: 2m }
  - { exposure: 70, soak: 20s, maxSoak: 2m }
  - { exposure: 100 }
rollback:
  phases:
    - { exposure: 50, soak: 4s, maxSoak: 8s }
    - { exposure: 10, soak: 4s, maxSoak: 8s }
    - { exposure: 0 }
  verify: { soak: 5s, maxSoak: 1m }

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
  - name: accuracy
    title: Wrong scores
    kind: proportion
    bad: 'predictions_wrong_total{service="{{service}}",version="{{version}}"}'
    total: 'predictions_judged_total{service="{{service}}",version="{{version}}"}'
    tolerance: { relative: 25%, absolute: 10%, healthy: 1.5 }
    minimum: 30
    weight: 2

alerts:
  - match: ['service="${SERVICE}"', 'severity=~"warning|critical"']
approvers: { users: [${people.map(({ id }) => id).join(', ')}], quorum: 2 }
respond:
  grace: 0s
  deadline: 25s
  criticalDeadline: 25s
  default: rollback
  whenUnknown: hold
  acknowledge: 1m
  stability: 5s
  hold: 1m
escalate: { after: 10s, repeat: 30s, severity: critical }
lastGood: { after: 10s }
watch: 30s
`;
}
