import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPagerDutyStandIn, type PagerDutyStandIn } from '../../src/demo/lab/index.ts';
import type { Store } from '../../src/ports/store.ts';
import { openPostgresStore } from '../../src/runtime/postgres/open.ts';
import { openStore } from '../../src/runtime/store.ts';
import { createWorkspace, type Workspace } from '../../src/workspace/index.ts';
import { AppProcess } from '../acceptance/support/app-process.ts';
import { WEBHOOK_TOKEN } from '../acceptance/world.ts';
import { BACKEND, type RunningHaproxy, startHaproxy, startRuntimeDoor } from '../support/haproxy.ts';
import { startPostgres } from '../support/postgres.ts';
import { startScriptedPrometheus } from '../support/scripted-prometheus.ts';
import { freePort } from '../support/servers.ts';
import type { StoreKind } from './options.ts';

export const CHANNEL = '#ml-rollouts';
export const SERVICE = 'fraud-scorer';
export const CANDIDATE = 'v42';
/** From the question to the default action. */
export const DEADLINE_MS = 2_000;
/** What v42 is to get, in order: the first step, then the way back. */
export const PATH = [70, 50, 10, 0] as const;

/** A real HAProxy, the strict local Slack, PagerDuty, numbers from a script, a store, and the app as a process of its own. */
export interface ChaosWorld {
  readonly app: AppProcess;
  readonly workspace: Workspace;
  readonly haproxy: RunningHaproxy;
  readonly pagerDuty: PagerDutyStandIn;
  /** Every `set weight` that reached HAProxy, in order. */
  readonly sets: readonly string[];
  /** v42 fails every fifth request from now on, or is as good as v41 again. */
  ill(isIll: boolean): void;
  /** What the app wrote down; only while it does not run. */
  openStore(): Promise<Store>;
  stop(): Promise<void>;
}

export async function startChaosWorld(kind: StoreKind): Promise<ChaosWorld> {
  await using started = new AsyncDisposableStack();
  const begun = <Part extends { stop(): Promise<unknown> }>(part: Part) =>
    started.adopt(part, async () => void (await part.stop()));
  const servers = ['v41', CANDIDATE].map(async (name, index) => {
    return { name, port: await freePort(), weight: index === 0 ? 100 : 0 };
  });
  const haproxy = begun(await startHaproxy({ servers: await Promise.all(servers) }));
  const door = begun(await startRuntimeDoor(haproxy.admin, () => 'passes'));
  const spells: { atMs: number; isIll: boolean }[] = [];
  const isIll = (atMs: number) => spells.findLast((spell) => spell.atMs <= atMs)?.isIll ?? false;
  const prometheus = begun(
    await startScriptedPrometheus(
      {
        requestsPerSecond: () => 1_000,
        errorShare: (version, atMs) => (version === CANDIDATE && isIll(atMs) ? 0.2 : 0.02),
      },
      Date.now() - 600_000,
    ),
  );
  const pagerDuty = begun(await createPagerDutyStandIn());
  const workspace = begun(
    createWorkspace({
      signingSecret: 'chaos-signing-secret',
      botToken: 'xoxb-chaos-token',
      users: [{ id: 'U0ANN', name: 'ann', realName: 'Ann Approver' }],
      channels: [{ id: 'C1', name: CHANNEL.slice(1) }],
      commands: [{ command: '/rollout', description: 'Roll out', usageHint: 'help' }],
      // Several rollbacks a minute say more than a channel takes of one a day.
      postsPerSecondPerChannel: 20,
      postBurst: 20,
    }),
  );
  const slack = await workspace.start();
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-chaos-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, `${SERVICE}.yaml`), policyYaml(door.node));
  const database = kind === 'postgres' ? await begun(await startPostgres()).database() : null;
  const app = started.adopt(
    new AppProcess({
      ...(database === null ? {} : { DATABASE_URL: database }),
      SLACK_BOT_TOKEN: 'xoxb-chaos-token',
      SLACK_SIGNING_SECRET: 'chaos-signing-secret',
      SLACK_API_URL: slack.apiUrl,
      ALERTMANAGER_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
      PROMETHEUS_URL: prometheus.url,
      PAGERDUTY_ROUTING_KEY: 'a'.repeat(32),
      PAGERDUTY_EVENTS_HOST: pagerDuty.eventsHost,
      POLICY_DIR: directory,
      DATA_DIR: join(directory, 'data'),
      HOST: '127.0.0.1',
      PORT: String(await freePort()),
      LOG_LEVEL: 'warn',
    }),
    (running) => running.kill(),
  );
  workspace.connect(app.url);
  const all = started.move();
  return {
    app,
    workspace,
    haproxy,
    pagerDuty,
    sets: door.sets,
    ill: (now) => void spells.push({ atMs: Date.now(), isIll: now }),
    openStore: async () => {
      if (database === null) return openStore(join(directory, 'data', 'lastgood.db'));
      return (await openPostgresStore(database, { onProblem: () => undefined })).store;
    },
    stop: () => all.disposeAsync(),
  };
}

function policyYaml(node: string): string {
  const [first, ...back] = PATH;
  const phases = back.map((exposure) => `{ exposure: ${exposure}${exposure > 0 ? ', soak: 500ms, maxSoak: 2s' : ''} }`);
  return `service: ${SERVICE}
mode: enforce
channel: "${CHANNEL}"
target:
  kind: haproxy
  nodes: ["${node}"]
  backend: ${BACKEND}
steps:
  - { exposure: ${first}, soak: 10m, maxSoak: 20m }
  - { exposure: 100 }
rollback:
  phases: [${phases.join(', ')}]
  verify: { soak: 500ms, maxSoak: 4s }
comparison: { window: 1s, warmUp: 1s, every: 500ms, minimumWindows: 3 }
metrics:
  - name: errors
    title: Error rate
    kind: proportion
    bad: 'http_requests_total{service="${SERVICE}",version="{{version}}",code=~"5.."}'
    total: 'http_requests_total{service="${SERVICE}",version="{{version}}"}'
    tolerance: { relative: 25%, absolute: 6%, healthy: 1.5 }
    minimum: 100
alerts:
  - match: ['service="${SERVICE}"', 'severity=~"warning|critical"']
approvers: { users: [U0ANN], quorum: 1 }
respond: { grace: 0s, deadline: ${DEADLINE_MS / 1000}s, criticalDeadline: ${DEADLINE_MS / 1000}s, stability: 1s }
escalate: { after: 1s, repeat: 10m }
`;
}
