import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWorkspace, type Message, type Workspace } from '../../src/workspace/index.ts';
import { startPrometheus } from '../support/prometheus.ts';
import { type Router, routerTarget, startRouter } from '../support/router.ts';
import { freePort } from '../support/servers.ts';
import { type Asked, startTraffic, type Traits } from './gates-traffic.ts';
import { AppProcess } from './support/app-process.ts';
import { eventually } from './support/eventually.ts';
import { cardOf, everything } from './support/slack-talk.ts';

/** A service of its own, with a router, a policy and a channel, so that several stories happen at the same time. */
export interface Story {
  readonly service: string;
  /** What its policy says beyond the target and the people. */
  readonly policy: string;
  readonly candidate: Partial<Traits>;
  readonly mirrors?: boolean;
  readonly really?: (share: number) => number;
}

export interface Told {
  readonly router: Router;
  /** The candidate answers like this from now on. */
  becomes(traits: Partial<Traits>): void;
  start(): Promise<void>;
  /** The candidate's shares at the router in order, repetitions left out. */
  exposures(): number[];
  /** Everything on the card as it stands now: its text and what its blocks hold. Empty: it is not there. */
  card(id: 'r1' | 'd1'): string;
  /** The same of every time it was posted or changed. */
  everOnCard(id: 'r1' | 'd1'): string;
  /** What stands in the channel, threads included. */
  said(): string;
  /** The journal, as a person is told it. */
  history(): Promise<string>;
  until(what: string, isTrue: () => boolean, withinMs: number): Promise<void>;
}

export interface GatesWorld {
  /** Resolves once Prometheus has scraped for so long. */
  hasPast(seconds: number): Promise<void>;
  of(service: string): Told;
  stop(): Promise<void>;
}

export const GOOD: Traits = { errors: 0.02, disagrees: 0.01, converts: 0.05, recall: 0.95, high: 0.1 };
const REQUESTS_PER_SECOND = 1_000;
const PERSON = 'U0ANN';

/** Real Prometheus, the app as a process of its own, the local Slack, and routers whose traffic is counted and not sent. */
export async function startGatesWorld(stories: readonly Story[]): Promise<GatesWorld> {
  await using started = new AsyncDisposableStack();
  const begun = <Part extends { stop(): Promise<unknown> }>(part: Part) =>
    started.adopt(part, async () => void (await part.stop()));
  const services: (Story & Asked & { readonly router: Router })[] = [];
  for (const story of stories) {
    const router = begun(await startRouter(Date.now));
    const traits = new Map([
      ['v41', GOOD],
      ['v42', { ...GOOD, ...story.candidate }],
    ]);
    services.push({
      mirrors: false,
      really: (share) => share,
      ...story,
      router,
      traits,
      perSecond: REQUESTS_PER_SECOND,
      weights: () => router.weights,
    });
  }
  const traffic = begun(await startTraffic(services));
  const prometheus = begun(
    await startPrometheus({
      scrapeTargets: [traffic.metricsUrl],
      scrapeIntervalMs: 250,
      evaluationIntervalMs: 1_000,
    }),
  );
  const workspace = begun(
    createWorkspace({
      signingSecret: 'acceptance-signing-secret',
      botToken: 'xoxb-acceptance-token',
      users: [{ id: PERSON, name: 'ann', realName: 'Ann Approver' }],
      channels: stories.map(({ service }, index) => ({ id: `C${index + 1}`, name: service })),
      commands: [{ command: '/rollout', description: 'Roll out', usageHint: 'help' }],
    }),
  );
  const slack = await workspace.start();
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-gates-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  for (const { service, router, policy } of services)
    await writeFile(join(directory, `${service}.yaml`), policyYaml(service, router.url, policy));
  const app = begun(
    new AppProcess({
      SLACK_BOT_TOKEN: 'xoxb-acceptance-token',
      SLACK_SIGNING_SECRET: 'acceptance-signing-secret',
      SLACK_API_URL: slack.apiUrl,
      ALERTMANAGER_WEBHOOK_TOKEN: 'acceptance-webhook-token',
      PROMETHEUS_URL: prometheus.url,
      POLICY_DIR: directory,
      DATA_DIR: join(directory, 'data'),
      HOST: '127.0.0.1',
      PORT: String(await freePort()),
      LOG_LEVEL: 'warn',
    }),
  );
  app.start();
  await app.ready();
  workspace.connect(app.url);
  const running = started.move();
  return {
    async hasPast(seconds) {
      const query = new URLSearchParams({ query: `sum(http_requests_total offset ${seconds}s)` });
      const isThere = async () => {
        const answer = await fetch(`${prometheus.url}/api/v1/query?${query}`);
        return ((await answer.json()) as { data: { result: unknown[] } }).data.result.length > 0;
      };
      await eventually(`Prometheus has a past of ${seconds} s`, isThere, { withinMs: 60_000, everyMs: 250 });
    },
    of(service) {
      const found = services.find((one) => one.service === service);
      if (!found) throw new Error(`There is no ${service}.`);
      return toldOf(found, workspace, app);
    },
    stop: () => running.disposeAsync(),
  };
}

function toldOf(
  { service, router, traits }: Asked & { readonly router: Router },
  workspace: Workspace,
  app: AppProcess,
): Told {
  const channel = `#${service}`;
  const person = workspace.user(PERSON);
  const types = async (line: string) => {
    const { ok } = await person.type(channel, line);
    if (!ok) throw new Error(`${line} was not taken.`);
  };
  const exposures = () =>
    router.changes.map(({ weights }) => weights.candidate.percent).filter((p, i, all) => p !== all[i - 1]);
  const said = () =>
    everything(workspace, channel)
      .map(({ text }) => text)
      .join('\n');
  const until: Told['until'] = (what, isTrue, withinMs) =>
    eventually(`${service}: ${what}`, isTrue, {
      withinMs,
      everyMs: 50,
      told: () =>
        [
          JSON.stringify(exposures()),
          said(),
          JSON.stringify(workspace.messages(channel).map(({ blocks }) => blocks)),
          app.said,
        ].join('\n'),
    });
  return {
    router,
    exposures,
    said,
    until,
    becomes: (changed) => void traits.set('v42', { ...GOOD, ...traits.get('v42'), ...changed }),
    start: () => types(`/rollout start ${service} v42`),
    card(id) {
      const message = cardOf(workspace, channel, `card/${service}-${id}`);
      return message ? onIt(message) : '';
    },
    everOnCard: (id) =>
      workspace.calls
        .filter(({ arguments: given }) => JSON.stringify(given.metadata ?? '').includes(`card/${service}-${id}`))
        .map(({ arguments: given }) => `${given.text}\n${JSON.stringify(given.blocks)}`)
        .join('\n'),
    async history() {
      const before = person.ephemerals(channel).length;
      await types(`/rollout history ${service}`);
      await until('the history is told', () => person.ephemerals(channel).length > before, 20_000);
      return person
        .ephemerals(channel)
        .slice(before)
        .map((message) => onIt(message))
        .join('\n');
    },
  };
}

function onIt({ text, blocks }: Pick<Message, 'text' | 'blocks'>): string {
  return `${text}\n${JSON.stringify(blocks ?? [])}`;
}

function policyYaml(service: string, routerUrl: string, rest: string): string {
  return `service: ${service}
mode: enforce
channel: "#${service}"
${routerTarget(routerUrl)}
rollback:
  phases: [{ exposure: 0 }]
  verify: { soak: 3s, maxSoak: 15s }
comparison: { window: 1s, warmUp: 2s, every: 1s, minimumWindows: 3 }
alerts: []
approvers: { users: [${PERSON}] }
respond: { grace: 0s, deadline: 5s, stability: 3s }
${rest}`;
}
