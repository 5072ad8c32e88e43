import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWorkspace, type Workspace } from '../../../src/workspace/index.ts';
import { AppProcess } from '../../acceptance/support/app-process.ts';
import { freePort } from '../../support/servers.ts';
import { type Child, startChild } from './child.ts';
import { type Door, openDoor } from './door.ts';
import { type PolicyKind, plainKind, serviceName, writePolicies } from './policies.ts';

export const TOKEN = 'bench-webhook-token';
export const SECRET = 'bench-signing-secret';
/** Where the app's processor profiles go (`--profile DIR`). */
export const PROFILE = 'LASTGOOD_BENCH_PROFILE';
export const BOT_TOKEN = 'xoxb-bench-token';

/** The app as its own process, the strict local Slack behind a door that writes down when calls begin, router and Prometheus. */
export interface Stage {
  readonly directory: string;
  readonly app: AppProcess;
  readonly workspace: Workspace;
  readonly door: Door;
  readonly stubs: Child;
  stop(): Promise<void>;
}

export async function setStage(options: { services: number; kind?: PolicyKind; start?: boolean }): Promise<Stage> {
  const { services, kind = plainKind, start = true } = options;
  const profile = process.env[PROFILE];
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-bench-'));
  const stubs = await startChild('world/stubs.ts');
  const workspace = createWorkspace({
    signingSecret: SECRET,
    botToken: BOT_TOKEN,
    users: [{ id: 'U0ANN', name: 'ann', realName: 'Ann Approver' }],
    channels: Array.from({ length: Math.max(services, 1) }, (_, i) => ({ id: `C${1000 + i}`, name: serviceName(i) })),
    commands: [{ command: '/rollout', description: 'Roll out', usageHint: 'help' }],
  });
  const slack = await workspace.start();
  const door = await openDoor(slack.url);
  await writePolicies(join(directory, 'policies'), services, stubs.url, kind);
  const app = new AppProcess({
    SLACK_BOT_TOKEN: BOT_TOKEN,
    SLACK_SIGNING_SECRET: SECRET,
    SLACK_API_URL: `${door.url}/api/`,
    ALERTMANAGER_WEBHOOK_TOKEN: TOKEN,
    PROMETHEUS_URL: stubs.url,
    POLICY_DIR: join(directory, 'policies'),
    DATA_DIR: join(directory, 'data'),
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    ...(profile ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` } : {}),
  });
  if (start) {
    app.start();
    await app.ready(60_000);
  }
  workspace.connect(app.url);
  return {
    directory,
    app,
    workspace,
    door,
    stubs,
    async stop() {
      // A profile is written at an end in order.
      await (profile ? app.stop() : app.kill());
      await Promise.all([door.stop(), workspace.stop(), stubs.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
