import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLab, createPagerDutyStandIn, type Lab, type PagerDutyStandIn } from '../../src/demo/lab/index.ts';
import { createWorkspace, type Workspace } from '../../src/workspace/index.ts';
import { startAlertmanager } from '../support/alertmanager.ts';
import { startPrometheus } from '../support/prometheus.ts';
import { freePort } from '../support/servers.ts';
import { AppProcess } from './support/app-process.ts';
import { type Checkpoint, startCheckpoint } from './support/checkpoint.ts';
import { eventually } from './support/eventually.ts';

export const CHANNEL = '#ml-rollouts';
export const SERVICE = 'fraud-scorer';
const WEBHOOK_TOKEN = 'acceptance-webhook-token';

/** Real Prometheus, real Alertmanager, models that serve real traffic, and the app as a process of its own between them. */
export interface RealWorld {
  readonly app: AppProcess;
  readonly lab: Lab;
  readonly workspace: Workspace;
  readonly pagerDuty: PagerDutyStandIn;
  /** What Alertmanager sends to the app. */
  readonly webhooks: Checkpoint;
  /** What the app asks of the splitter. */
  readonly splits: Checkpoint;
  /** From the start of the process to the first 200 of /readyz. */
  readonly readyAfterMs: number;
  until(what: string, isTrue: () => boolean, withinMs: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startRealWorld(): Promise<RealWorld> {
  await using started = new AsyncDisposableStack();
  const begun = <Part extends { stop(): Promise<unknown> }>(part: Part) =>
    started.adopt(part, async () => void (await part.stop()));
  const lab = begun(await createLab({ service: SERVICE, versions: ['v41', 'v42', 'v43'], ratePerSecond: 120 }));
  const splits = begun(await startCheckpoint(new URL(lab.splitUrl).origin));
  const pagerDuty = begun(await createPagerDutyStandIn());
  // As strict as Slack: a post a second in a channel.
  const workspace = begun(
    createWorkspace({
      signingSecret: 'acceptance-signing-secret',
      botToken: 'xoxb-acceptance-token',
      users: [
        { id: 'U0ANN', name: 'ann', realName: 'Ann Approver' },
        { id: 'U0BOB', name: 'bob', realName: 'Bob Approver' },
      ],
      channels: [{ id: 'C1', name: 'ml-rollouts' }],
      commands: [{ command: '/rollout', description: 'Roll out', usageHint: 'help' }],
    }),
  );
  const slack = await workspace.start();
  const port = await freePort();
  const webhooks = begun(await startCheckpoint(`http://127.0.0.1:${port}`));
  const alertmanager = begun(
    await startAlertmanager({
      webhookUrl: `${webhooks.url}/webhooks/alertmanager`,
      bearerToken: WEBHOOK_TOKEN,
      groupWaitMs: 200,
      groupIntervalMs: 1_000,
    }),
  );
  const prometheus = begun(
    await startPrometheus({
      scrapeTargets: lab.scrape,
      rules,
      alertmanagerUrl: alertmanager.url,
      scrapeIntervalMs: 250,
      evaluationIntervalMs: 500,
    }),
  );
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-real-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, `${SERVICE}.yaml`), policyYaml(`${splits.url}/split`));
  const app = begun(
    new AppProcess({
      SLACK_BOT_TOKEN: 'xoxb-acceptance-token',
      SLACK_SIGNING_SECRET: 'acceptance-signing-secret',
      SLACK_API_URL: slack.apiUrl,
      ALERTMANAGER_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
      PROMETHEUS_URL: prometheus.url,
      ALERTMANAGER_URL: alertmanager.url,
      PAGERDUTY_ROUTING_KEY: 'a'.repeat(32),
      PAGERDUTY_EVENTS_HOST: pagerDuty.eventsHost,
      POLICY_DIR: directory,
      DATA_DIR: join(directory, 'data'),
      HOST: '127.0.0.1',
      PORT: String(port),
      LOG_LEVEL: 'warn',
    }),
  );
  app.start();
  const readyAfterMs = await app.ready();
  workspace.connect(app.url);
  const running = started.move();
  return {
    app,
    lab,
    workspace,
    pagerDuty,
    webhooks,
    splits,
    readyAfterMs,
    until: (what, isTrue, withinMs) =>
      eventually(what, isTrue, {
        withinMs,
        told: () =>
          [
            `Split: ${JSON.stringify(lab.splitter.split())}`,
            ...workspace.messages(CHANNEL).flatMap(({ ts }) => workspace.thread(CHANNEL, ts).map(({ text }) => text)),
            app.said,
          ].join('\n'),
      }),
    stop: () => running.disposeAsync(),
  };
}

const of = `service="${SERVICE}"`;
const rules = {
  groups: [
    {
      name: 'models',
      rules: [
        {
          alert: 'ModelErrorRateHigh',
          expr: `sum by (service, version) (rate(http_requests_total{${of},code=~"5.."}[4s])) / sum by (service, version) (rate(http_requests_total{${of}}[4s])) > 0.1`,
          for: '1s',
          labels: { severity: 'critical' },
          annotations: {
            summary:
              '{{ $labels.version }} of {{ $labels.service }} fails {{ $value | humanizePercentage }} of its requests',
          },
        },
      ],
    },
  ],
};

function policyYaml(splitUrl: string): string {
  return `service: ${SERVICE}
description: Scores card payments
mode: enforce
channel: "${CHANNEL}"
target:
  kind: http
  observe:
    url: ${splitUrl}
    stable: /stable/version
    candidate: /candidate/version
    exposure: /candidate/percent
    ready: /versions/{{version}}/ready
    readyDetail: /versions/{{version}}/detail
    revision: /revision
  shift:
    method: PUT
    url: ${splitUrl}
    body:
      stable: { version: "{{stable.version}}", percent: "{{stable.percent}}" }
      candidate: { version: "{{candidate.version}}", percent: "{{candidate.percent}}" }
      revision: "{{revision}}"
steps:
  - { exposure: 10, soak: 20s, maxSoak: 60s }
  - { exposure: 70, soak: 2m, maxSoak: 5m }
  - { exposure: 100 }
rollback:
  phases:
    - { exposure: 50, soak: 3s, maxSoak: 6s }
    - { exposure: 10, soak: 3s, maxSoak: 6s }
    - { exposure: 0 }
  verify: { soak: 8s, maxSoak: 30s }
# The gate looks so seldom that the alert is there first.
comparison: { window: 1s, warmUp: 2s, every: 15s, minimumWindows: 3 }
metrics:
  - name: errors
    title: Error rate
    kind: proportion
    bad: 'http_requests_total{service="{{service}}",version="{{version}}",code=~"5.."}'
    total: 'http_requests_total{service="{{service}}",version="{{version}}"}'
    tolerance: { relative: 25%, absolute: 6%, healthy: 1.5 }
    minimum: 30
alerts:
  - match: ['service="${SERVICE}"', 'severity=~"warning|critical"']
approvers: { users: [U0ANN, U0BOB], quorum: 2 }
respond: { grace: 0s, deadline: 12s, criticalDeadline: 12s, stability: 5s }
escalate: { after: 4s, repeat: 5m }
`;
}
