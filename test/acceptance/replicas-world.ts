import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPagerDutyStandIn, type PagerDutyStandIn } from '../../src/demo/lab/index.ts';
import { createWorkspace, type Workspace } from '../../src/workspace/index.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type Router, startRouter } from '../support/router.ts';
import { startScriptedPrometheus } from '../support/scripted-prometheus.ts';
import { freePort } from '../support/servers.ts';
import { policyYaml, SERVICE } from './kill-world.ts';
import { AppProcess } from './support/app-process.ts';
import { startBalancer } from './support/balancer.ts';
import { type Crossing, type Fate, startCheckpoint } from './support/checkpoint.ts';
import { eventually } from './support/eventually.ts';
import { WEBHOOK_TOKEN, webhook } from './world.ts';

/** A request to the router, with the replica that made it (0, 1, 2; null: it is gone already). */
export interface Asked extends Crossing {
  readonly by: number | null;
}

/** Three replicas on one PostgreSQL, everybody they speak to, and somebody who decides at the router's door what becomes of them. */
export interface ReplicasWorld {
  readonly replicas: readonly AppProcess[];
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
  readonly workspace: Workspace;
  readonly router: Router;
  readonly pagerDuty: PagerDutyStandIn;
  readonly asked: readonly Asked[];
  /** Called for every request to the router before it is passed on. */
  atRouter: (asked: Asked) => Fate | Promise<Fate>;
  worsen(share: number): void;
  /** Delivered through the balancer until it is acknowledged; and once to each replica straight, as an Alertmanager in pairs does. */
  alert(name: string, status?: 'firing' | 'resolved'): Promise<void>;
  until(what: string, isTrue: () => boolean | Promise<boolean>, withinMs: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startReplicasWorld(): Promise<ReplicasWorld> {
  const postgres = await startPostgres();
  const databaseUrl = await postgres.database();
  const router = await startRouter(() => Date.now());
  let errors: { atMs: number; share: number }[] = [];
  const prometheus = await startScriptedPrometheus(
    {
      requestsPerSecond: (version, atMs) => 4000 * router.shareOf(version, atMs),
      errorShare: (version, atMs) => (version === 'v42' ? errors.findLast((e) => e.atMs <= atMs)?.share : null) ?? 0.02,
    },
    Date.now() - 600_000,
  );
  const pagerDuty = await createPagerDutyStandIn();
  const workspace = createWorkspace({
    signingSecret: 'acceptance-signing-secret',
    botToken: 'xoxb-acceptance-token',
    users: [{ id: 'U0ANN', name: 'ann', realName: 'Ann Approver' }],
    channels: [{ id: 'C1', name: 'ml-rollouts' }],
    commands: [{ command: '/rollout', description: 'Roll out', usageHint: 'help' }],
    postsPerSecondPerChannel: 20,
    postBurst: 20,
  });
  const slack = await workspace.start();
  const replicas: AppProcess[] = [];
  const asked: Asked[] = [];
  let told = '';
  const door = await startCheckpoint(router.url, async (crossing) => {
    const by = await askerAt(crossing.fromPort, replicas);
    const one = Object.assign(crossing, { by });
    asked.push(one);
    if (crossing.method === 'PUT') told += ` ${by}:${JSON.parse(crossing.body).candidate.percent}`;
    return world.atRouter(one);
  });
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-replicas-'));
  await writeFile(join(directory, `${SERVICE}.yaml`), policyYaml(door.url));
  for (let n = 0; n < 3; n += 1) {
    replicas.push(
      new AppProcess({
        SLACK_BOT_TOKEN: 'xoxb-acceptance-token',
        SLACK_SIGNING_SECRET: 'acceptance-signing-secret',
        SLACK_API_URL: `${slack.url}/api/`,
        ALERTMANAGER_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
        PROMETHEUS_URL: prometheus.url,
        PAGERDUTY_ROUTING_KEY: 'a'.repeat(32),
        PAGERDUTY_EVENTS_HOST: pagerDuty.eventsHost,
        DATABASE_URL: databaseUrl,
        POLICY_DIR: directory,
        DATA_DIR: join(directory, `data-${n}`),
        HOST: '127.0.0.1',
        PORT: String(await freePort()),
        LOG_LEVEL: 'warn',
      }),
    );
  }
  // All at once: one of them makes the tables.
  for (const replica of replicas) replica.start();
  await Promise.all(replicas.map((replica) => replica.ready(60_000)));
  const balancer = await startBalancer(replicas.map(({ url }) => url));
  workspace.connect(balancer.url);

  const startedAt = new Map<string, number>();
  const deliver = async (url: string, body: string): Promise<boolean> => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${WEBHOOK_TOKEN}` };
    const sent = fetch(`${url}/webhooks/alertmanager`, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(10_000),
    });
    return (await sent.catch(() => null))?.status === 200;
  };
  const said = () => replicas.map((replica, n) => `Replica ${n}: ${replica.said.slice(-3_000)}`).join('\n');
  const world: ReplicasWorld = {
    replicas,
    postgres,
    databaseUrl,
    workspace,
    router,
    pagerDuty,
    asked,
    atRouter: () => ({ is: 'passes' }),
    worsen(share) {
      errors = [{ atMs: Date.now(), share }];
    },
    async alert(name, status = 'firing') {
      const startsAt = startedAt.get(name) ?? Date.now();
      startedAt.set(name, startsAt);
      const body = JSON.stringify(webhook(name, status, 'critical', startsAt, Date.now()));
      await Promise.all([
        eventually(`${name} is acknowledged`, () => deliver(balancer.url, body), { withinMs: 60_000, told: said }),
        ...replicas.map(({ url }) => deliver(url, body)),
      ]);
    },
    until: (what, isTrue, withinMs) =>
      eventually(what, isTrue, { withinMs, told: () => `Asked of the router:${told}\n${said()}` }),
    async stop() {
      for (const replica of replicas) replica.thaw();
      await Promise.all(replicas.map((replica) => replica.kill()));
      await Promise.all([
        door.stop(),
        balancer.stop(),
        workspace.stop(),
        router.stop(),
        prometheus.stop(),
        pagerDuty.stop(),
      ]);
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return world;
}

/** The system's list of connections is not one of a single moment: one that is not found is looked for again. */
async function askerAt(port: number, replicas: readonly AppProcess[]): Promise<number | null> {
  for (let looks = 0; looks < 5; looks += 1) {
    const found = processAt(port, replicas);
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return null;
}

/** Which of the replicas has the connection that comes from this port. */
function processAt(port: number, replicas: readonly AppProcess[]): number | null {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  const line = lines.find((text) => new RegExp(`^\\s*\\d+: [0-9A-F]{8}:${hex} `).test(text));
  const inode = line?.trim().split(/\s+/)[9];
  const found = replicas.findIndex(({ pid }) => pid !== null && hasSocket(pid, `socket:[${inode}]`));
  return found === -1 ? null : found;
}

function hasSocket(pid: number, link: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === link);
  } catch {
    // It ended meanwhile.
    return false;
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    // Closed meanwhile.
    return null;
  }
}
