import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createModelServer, createPagerDutyStandIn, type ModelServer, seededRandom } from '../../src/demo/lab/index.ts';
import { createWorkspace, type Workspace } from '../../src/workspace/index.ts';
import { startAlertmanager } from '../support/alertmanager.ts';
import { BACKEND, type RunningHaproxy, startHaproxy } from '../support/haproxy.ts';
import { startPrometheus } from '../support/prometheus.ts';
import { freePort } from '../support/servers.ts';
import { AppProcess } from './support/app-process.ts';
import { eventually } from './support/eventually.ts';
import { startUsers, type Users } from './support/users.ts';

export const CHANNEL = '#ml-rollouts';
export const SERVICE = 'fraud-scorer';
export const USERS_PER_SECOND = 100;
const WEBHOOK_TOKEN = 'acceptance-webhook-token';

/** People, a real HAProxy, two models behind it, real Prometheus and Alertmanager, and the app as a process of its own. */
export interface HaproxyWorld {
  readonly app: AppProcess;
  readonly haproxy: RunningHaproxy;
  readonly users: Users;
  readonly workspace: Workspace;
  model(version: string): ModelServer;
  until(what: string, isTrue: () => boolean | Promise<boolean>, withinMs: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startHaproxyWorld(): Promise<HaproxyWorld> {
  await using started = new AsyncDisposableStack();
  const begun = <Part extends { stop(): Promise<unknown> }>(part: Part) =>
    started.adopt(part, async () => void (await part.stop()));
  const models = new Map<string, ModelServer>();
  for (const [index, version] of ['v41', 'v42'].entries()) {
    const random = seededRandom(index + 1);
    models.set(version, begun(await createModelServer({ service: SERVICE, version, random })));
  }
  const model = (version: string) => {
    const found = models.get(version);
    if (!found) throw new Error(`There is no ${version}.`);
    return found;
  };
  const haproxy = begun(
    await startHaproxy({
      servers: [...models].map(([name, { url }]) => {
        return { name, port: Number(new URL(url).port), weight: name === 'v41' ? 100 : 0 };
      }),
      checks: true,
    }),
  );
  const pagerDuty = begun(await createPagerDutyStandIn());
  const workspace = begun(
    createWorkspace({
      signingSecret: 'acceptance-signing-secret',
      botToken: 'xoxb-acceptance-token',
      users: [{ id: 'U0ANN', name: 'ann', realName: 'Ann Approver' }],
      channels: [{ id: 'C1', name: 'ml-rollouts' }],
      commands: [{ command: '/rollout', description: 'Roll out', usageHint: 'help' }],
    }),
  );
  const slack = await workspace.start();
  const port = await freePort();
  const alertmanager = begun(
    await startAlertmanager({
      webhookUrl: `http://127.0.0.1:${port}/webhooks/alertmanager`,
      bearerToken: WEBHOOK_TOKEN,
      groupWaitMs: 200,
      groupIntervalMs: 1_000,
    }),
  );
  const prometheus = begun(
    await startPrometheus({
      scrapeTargets: [...models.values()].map(({ url }) => `${url}/metrics`),
      rules,
      alertmanagerUrl: alertmanager.url,
      scrapeIntervalMs: 250,
      evaluationIntervalMs: 500,
    }),
  );
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-haproxy-app-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, `${SERVICE}.yaml`), policyYaml(haproxy.admin));
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
  await app.ready();
  workspace.connect(app.url);
  const users = begun(startUsers(`${haproxy.url}/score`, USERS_PER_SECOND));
  const running = started.move();
  return {
    app,
    haproxy,
    users,
    workspace,
    model,
    until: (what, isTrue, withinMs) =>
      eventually(what, isTrue, {
        withinMs,
        told: () =>
          [
            `Requests: ${users.endings.length}`,
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
          annotations: { summary: '{{ $labels.version }} fails {{ $value | humanizePercentage }} of its requests' },
        },
      ],
    },
  ],
};

function policyYaml(admin: string): string {
  return `service: ${SERVICE}
description: Scores card payments
mode: enforce
channel: "${CHANNEL}"
target:
  kind: haproxy
  nodes: [${admin}]
  backend: ${BACKEND}
steps:
  - { exposure: 10, soak: 5s, maxSoak: 60s }
  - { exposure: 70, soak: 2m, maxSoak: 5m }
  - { exposure: 100 }
rollback:
  phases:
    - { exposure: 50, soak: 3s, maxSoak: 5s }
    - { exposure: 10, soak: 3s, maxSoak: 5s }
    - { exposure: 0 }
  verify: { soak: 2s, maxSoak: 6s }
# The gate looks so seldom that the alert is there first.
comparison: { window: 1s, warmUp: 1s, every: 5s, minimumWindows: 3 }
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
approvers: { users: [U0ANN], quorum: 1 }
respond: { grace: 0s, deadline: 6s, criticalDeadline: 6s, stability: 5s }
escalate: { after: 3s, repeat: 5m }
`;
}
