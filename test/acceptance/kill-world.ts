import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PagerDutyStandIn } from '../../src/demo/lab/index.ts';
import type { Workspace } from '../../src/workspace/index.ts';
import { type Router, routerTarget, startRouter } from '../support/router.ts';
import { freePort } from '../support/servers.ts';
import { AppProcess } from './support/app-process.ts';
import { type Checkpoint, type Crossing, type Fate, startCheckpoint } from './support/checkpoint.ts';
import { eventually } from './support/eventually.ts';
import { Alerts, deliver, hastyPolicy, SERVICE, startOutside } from './support/outside.ts';

/** Whom the app speaks to. */
export type Place = 'slack' | 'router' | 'prometheus' | 'pagerduty';

/** A moment of the story at which the app is killed: when this request arrives, before or after it did its work. */
export interface Death {
  readonly what: string;
  readonly at: Place;
  matches(crossing: Crossing): boolean;
  readonly request: 'lost' | 'unanswered';
}

/** The app as a process of its own, everybody it speaks to, and death waiting at the doors. */
export interface KillWorld {
  readonly app: AppProcess;
  readonly workspace: Workspace;
  readonly router: Router;
  readonly pagerDuty: PagerDutyStandIn;
  readonly crossings: Readonly<Record<Place, readonly Crossing[]>>;
  readonly databasePath: string;
  /** What the app died of so far, in order. */
  readonly died: readonly string[];
  /** Sends again to the router what a dead process had sent: the network took its time. */
  arriveLate(crossing: Crossing): Promise<void>;
  /** Kills the app now and starts it again at once. */
  die(what: string): Promise<void>;
  /** Deaths that have not happened, in the order in which they are met. */
  readonly waiting: Death[];
  worsen(share: number): void;
  /** Delivered as Alertmanager does: again and again until it is acknowledged. Resolves with that moment. */
  alert(name: string, status?: 'firing' | 'resolved'): Promise<number>;
  until(what: string, isTrue: () => boolean, withinMs: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startKillWorld(): Promise<KillWorld> {
  const router = await startRouter(() => Date.now());
  const outside = await startOutside({
    requestsPerSecond: (version, atMs) => 4_000 * router.shareOf(version, atMs),
  });
  const { workspace, pagerDuty, directory } = outside;

  const died: string[] = [];
  const waiting: Death[] = [];
  let dying: Promise<void> | null = null;
  const die = (what: string): Promise<void> => {
    died.push(what);
    dying ??= app.kill().then(() => {
      app.start();
      dying = null;
    });
    return dying;
  };
  const doorOf =
    (place: Place) =>
    (crossing: Crossing): Fate => {
      // What a dead process had sent before is nobody's death any more; but a shift, which is not sent again where it is in force.
      const isOver = dying !== null && place !== 'router';
      const index = isOver ? -1 : waiting.findIndex((death) => death.at === place && death.matches(crossing));
      const death = index === -1 ? undefined : waiting.splice(index, 1)[0];
      return death ? { is: death.request, meanwhile: () => die(death.what) } : { is: 'passes' };
    };
  const doors: Record<Place, Checkpoint> = {
    slack: await startCheckpoint(outside.slackUrl, doorOf('slack')),
    router: await startCheckpoint(router.url, doorOf('router')),
    prometheus: await startCheckpoint(outside.prometheusUrl, doorOf('prometheus')),
    pagerduty: await startCheckpoint(pagerDuty.eventsHost, doorOf('pagerduty')),
  };

  await writeFile(join(directory, `${SERVICE}.yaml`), policyYaml(doors.router.url));
  const app = new AppProcess({
    ...outside.environment,
    SLACK_API_URL: `${doors.slack.url}/api/`,
    PROMETHEUS_URL: doors.prometheus.url,
    PAGERDUTY_EVENTS_HOST: doors.pagerduty.url,
    POLICY_DIR: directory,
    DATA_DIR: join(directory, 'data'),
    PORT: String(await freePort()),
  });
  app.start();
  await app.ready();
  workspace.connect(app.url);

  const alerts = new Alerts();
  return {
    app,
    workspace,
    router,
    pagerDuty,
    crossings: {
      slack: doors.slack.crossings,
      router: doors.router.crossings,
      prometheus: doors.prometheus.crossings,
      pagerduty: doors.pagerduty.crossings,
    },
    databasePath: join(directory, 'data', 'lastgood.db'),
    died,
    async arriveLate({ path, method, body }) {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${router.url}${path}`, { method, headers, body });
      if (!answer.ok) throw new Error(`The router refused it: ${await answer.text()}`);
    },
    die,
    waiting,
    worsen: outside.worsen,
    async alert(name, status) {
      const body = alerts.body(name, status);
      const acknowledged = async () => (await deliver(app.url, body)) === 200;
      await eventually(`${name} is acknowledged`, acknowledged, { withinMs: 20_000, told: () => app.said });
      return Date.now();
    },
    until: (what, isTrue, withinMs) =>
      eventually(what, isTrue, {
        withinMs,
        told: () =>
          [
            `Died of: ${died.join('; ')}`,
            `Still waiting: ${waiting.map((death) => death.what).join('; ')}`,
            `Router: ${JSON.stringify(router.changes.map(({ weights }) => weights.candidate.percent))}`,
            app.said,
          ].join('\n'),
      }),
    async stop() {
      waiting.length = 0;
      await dying;
      await app.kill();
      await Promise.all(Object.values(doors).map((door) => door.stop()));
      await Promise.all([router.stop(), outside.stop()]);
    },
  };
}

/** From the question to the default action. */
export const DEADLINE_MS = 12_000;

export function policyYaml(routerUrl: string): string {
  return hastyPolicy({
    target: routerTarget(routerUrl),
    steps: [
      '{ exposure: 10, soak: 2s, maxSoak: 60s }',
      '{ exposure: 70, soak: 60s, maxSoak: 120s }',
      '{ exposure: 100 }',
    ],
    phases: ['{ exposure: 50, soak: 1s, maxSoak: 4s }', '{ exposure: 10, soak: 1s, maxSoak: 4s }', '{ exposure: 0 }'],
    verify: '{ soak: 2s, maxSoak: 20s }',
    deadlineS: DEADLINE_MS / 1000,
    stability: '2s',
    escalate: '{ after: 4s, repeat: 5m }',
  });
}
