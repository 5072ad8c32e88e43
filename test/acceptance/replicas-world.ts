import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PagerDutyStandIn } from '../../src/demo/lab/index.ts';
import type { Workspace } from '../../src/workspace/index.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type Router, startRouter } from '../support/router.ts';
import { freePort } from '../support/servers.ts';
import { policyYaml } from './kill-world.ts';
import { AppProcess } from './support/app-process.ts';
import { startBalancer } from './support/balancer.ts';
import { type Crossing, type Fate, startCheckpoint } from './support/checkpoint.ts';
import { eventually } from './support/eventually.ts';
import { Alerts, deliver, SERVICE, startOutside } from './support/outside.ts';

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
  const outside = await startOutside({
    requestsPerSecond: (version, atMs) => 4_000 * router.shareOf(version, atMs),
  });
  const { workspace, pagerDuty, directory } = outside;
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
  await writeFile(join(directory, `${SERVICE}.yaml`), policyYaml(door.url));
  for (let n = 0; n < 3; n += 1) {
    replicas.push(
      new AppProcess({
        ...outside.environment,
        DATABASE_URL: databaseUrl,
        POLICY_DIR: directory,
        DATA_DIR: join(directory, `data-${n}`),
        PORT: String(await freePort()),
      }),
    );
  }
  // All at once: one of them makes the tables.
  for (const replica of replicas) replica.start();
  await Promise.all(replicas.map((replica) => replica.ready(60_000)));
  const balancer = await startBalancer(replicas.map(({ url }) => url));
  workspace.connect(balancer.url);

  const alerts = new Alerts();
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
    worsen: outside.worsen,
    async alert(name, status) {
      const body = alerts.body(name, status);
      const acknowledged = async () => (await deliver(balancer.url, body)) === 200;
      await Promise.all([
        eventually(`${name} is acknowledged`, acknowledged, { withinMs: 60_000, told: said }),
        ...replicas.map(({ url }) => deliver(url, body)),
      ]);
    },
    until: (what, isTrue, withinMs) =>
      eventually(what, isTrue, { withinMs, told: () => `Asked of the router:${told}\n${said()}` }),
    async stop() {
      for (const replica of replicas) replica.thaw();
      await Promise.all(replicas.map((replica) => replica.kill()));
      await Promise.all([door.stop(), balancer.stop(), router.stop(), outside.stop()]);
      await postgres.stop();
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
