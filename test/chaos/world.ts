import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PagerDutyStandIn } from '../../src/demo/lab/index.ts';
import type { Store } from '../../src/ports/store.ts';
import { openPostgresStore } from '../../src/runtime/postgres/open.ts';
import { openStore } from '../../src/runtime/store.ts';
import type { Workspace } from '../../src/workspace/index.ts';
import { AppProcess } from '../acceptance/support/app-process.ts';
import { CANDIDATE, hastyPolicy, SERVICE, startOutside } from '../acceptance/support/outside.ts';
import { BACKEND, type RunningHaproxy, startHaproxy, startRuntimeDoor } from '../support/haproxy.ts';
import { startPostgres } from '../support/postgres.ts';
import { freePort } from '../support/servers.ts';
import type { StoreKind } from './options.ts';

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
  const outside = begun(await startOutside());
  const { workspace, pagerDuty, directory } = outside;
  await writeFile(join(directory, `${SERVICE}.yaml`), policyYaml(door.node));
  const database = kind === 'postgres' ? await begun(await startPostgres()).database() : null;
  const app = started.adopt(
    new AppProcess({
      ...(database === null ? {} : { DATABASE_URL: database }),
      ...outside.environment,
      POLICY_DIR: directory,
      DATA_DIR: join(directory, 'data'),
      PORT: String(await freePort()),
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
    ill: (now) => outside.worsen(now ? 0.2 : null),
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
  const target = `target:
  kind: haproxy
  nodes: ["${node}"]
  backend: ${BACKEND}`;
  return hastyPolicy({
    target,
    steps: [`{ exposure: ${first}, soak: 10m, maxSoak: 20m }`, '{ exposure: 100 }'],
    phases,
    verify: '{ soak: 500ms, maxSoak: 4s }',
    deadlineS: DEADLINE_MS / 1000,
    stability: '1s',
    escalate: '{ after: 1s, repeat: 10m }',
  });
}
