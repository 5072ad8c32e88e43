import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../../src/app.ts';
import type { Config } from '../../src/config.ts';
import type { Page } from '../../src/ports/pager.ts';
import { createWorkspace, type Message, type Workspace } from '../../src/workspace/index.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';
import { type Router, routerTarget, startRouter } from '../support/router.ts';
import { type ScriptedPrometheus, startScriptedPrometheus } from '../support/scripted-prometheus.ts';

export const SIGNING_SECRET = 'acceptance-signing-secret';
export const WEBHOOK_TOKEN = 'acceptance-webhook-token';
export const CHANNEL = '#ml-rollouts';
export const START = Date.parse('2026-11-21T03:00:00Z');

/** The whole app with the strict local Slack, a router and scripted numbers around it, on a clock that we move. */
export interface World {
  readonly clock: VirtualClock;
  readonly workspace: Workspace;
  readonly router: Router;
  readonly prometheus: ScriptedPrometheus;
  readonly pages: readonly Page[];
  /** What could be seen, in order: the story. */
  readonly transcript: string[];
  app: App;
  readonly url: string;
  readonly databasePath: string;
  /** Everything that must never be seen. */
  readonly secrets: readonly string[];
  /** What was logged, at the most talkative level. */
  log(): string;
  /** Time passes; whatever comes due happens. */
  pass(ms: number): Promise<void>;
  /** Until something is true, looking every second of the virtual clock. */
  until(what: string, isTrue: () => boolean, withinMs: number): Promise<void>;
  alert(
    name: string,
    patch?: Partial<{ status: 'firing' | 'resolved'; severity: string; startsAt: number }>,
  ): Promise<void>;
  /** Where it began to be bad; the errors of v42 rise then. */
  degrade(version: string, share: number): void;
  heal(version: string): void;
  card(): Message;
  /** Edits the policy file, as its owner would, and lets it be read. */
  edit(change: (yaml: string) => string): Promise<void>;
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorld(edit: (yaml: string) => string = (yaml) => yaml): Promise<World> {
  const clock = virtualClock(START - 3_600_000);
  const router = await startRouter(() => clock.now());
  const errors = new Map<string, { atMs: number; share: number }[]>();
  const prometheus = await startScriptedPrometheus(
    {
      requestsPerSecond: (version, atMs) => 1000 * router.shareOf(version, atMs),
      errorShare: (version, atMs) => errors.get(version)?.findLast((e) => e.atMs <= atMs)?.share ?? 0.02,
    },
    START - 3_600_000,
  );
  const signingSecret = SIGNING_SECRET;
  const botToken = 'xoxb-acceptance-token';
  const routingKey = 'acceptance0routing0key0000000000';
  const workspace = createWorkspace({
    signingSecret,
    botToken,
    users: [
      { id: 'U0ANN', name: 'ann', realName: 'Ann Approver' },
      { id: 'U0BOB', name: 'bob', realName: 'Bob Approver' },
      { id: 'U0EVE', name: 'eve', realName: 'Eve Onlooker' },
    ],
    channels: [{ id: 'C1', name: 'ml-rollouts' }],
    commands: [{ command: '/rollout', description: 'Roll out', usageHint: 'help' }],
    now: () => clock.now(),
    signatureNow: () => clock.now(),
    postsPerSecondPerChannel: 1000,
    postBurst: 1000,
  });
  const slack = await workspace.start();
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-acceptance-'));
  const policyFile = join(directory, 'fraud-scorer.yaml');
  await writeFile(policyFile, edit(policyYaml(router.url)));
  const config: Config = {
    host: '127.0.0.1',
    port: 0,
    publicUrl: null,
    dataDir: join(directory, 'data'),
    policyDir: directory,
    logLevel: 'trace',
    slack: { botToken, signingSecret, apiUrl: slack.apiUrl },
    alertmanager: { webhookTokens: [WEBHOOK_TOKEN], url: null },
    prometheusUrl: prometheus.url,
    defaultChannel: null,
    operationsChannel: null,
    pagerduty: { routingKey, eventsHost: null },
    policySecrets: {},
  };
  const logged: string[] = [];
  const pages: Page[] = [];
  const startedAt = new Map<string, number>();
  const transcript: string[] = [];
  const tell = (line: string) => transcript.push(`${new Date(clock.now()).toISOString().slice(11, 19)}  ${line}`);
  const pager = {
    send: async (page: Page) => {
      pages.push(page);
      tell(`PagerDuty: ${page.action} ${page.dedupKey.replace(/^.*\//, '')}: ${page.summary}`);
    },
  };
  const watcher = new Watcher(workspace, router, tell);
  const begin = async () => {
    const app = await createApp(config, {
      clock,
      pager,
      logDestination: { write: (line: string) => void logged.push(line) },
    });
    const { url } = await app.start();
    workspace.connect(url);
    return { app, url };
  };
  let running = await begin();
  const settled = async () => {
    await running.app.settled();
    watcher.look();
  };
  const world: World = {
    clock,
    workspace,
    router,
    prometheus,
    pages,
    transcript,
    app: running.app,
    get url() {
      return running.url;
    },
    databasePath: join(directory, 'data', 'lastgood.db'),
    secrets: [botToken, signingSecret, WEBHOOK_TOKEN, routingKey],
    log: () => logged.join(''),
    pass: (ms) => clock.advance(ms, settled),
    async until(what, isTrue, withinMs) {
      const endMs = clock.now() + withinMs;
      await settled();
      while (!isTrue()) {
        if (clock.now() >= endMs) throw new Error(`Not within ${withinMs / 1000} s: ${what}\n${transcript.join('\n')}`);
        await clock.advance(1000, settled);
      }
    },
    async alert(name, patch = {}) {
      const { status = 'firing', severity = 'critical' } = patch;
      const startsAt = patch.startsAt ?? (status === 'firing' ? clock.now() : (startedAt.get(name) ?? clock.now()));
      startedAt.set(name, startsAt);
      tell(`Alertmanager: ${name} ${status}`);
      const response = await fetch(`${running.url}/webhooks/alertmanager`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${WEBHOOK_TOKEN}` },
        body: JSON.stringify(webhook(name, status, severity, startsAt, clock.now())),
      });
      if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
      await settled();
    },
    degrade(version, share) {
      errors.set(version, [...(errors.get(version) ?? []), { atMs: clock.now(), share }]);
      tell(`(${version} fails ${share * 100} % of its requests from now on)`);
    },
    heal(version) {
      errors.set(version, [...(errors.get(version) ?? []), { atMs: clock.now(), share: 0.02 }]);
    },
    card() {
      const card = workspace.messages(CHANNEL).at(-1);
      if (!card) throw new Error('There is no card.');
      return card;
    },
    async edit(change) {
      await writeFile(policyFile, change(await readFile(policyFile, 'utf8')));
      await running.app.reloadPolicies();
      await settled();
    },
    async restart(meanwhile = async () => undefined) {
      await running.app.stop();
      await meanwhile();
      running = await begin();
      world.app = running.app;
      await settled();
    },
    async stop() {
      await running.app.stop();
      await Promise.all([workspace.stop(), router.stop(), prometheus.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
  // Slack's own auth.test has no part in the story, but what comes after it waits for it.
  await workspace.waitFor(() => workspace.calls.some((call) => call.method === 'auth.test'));
  await clock.advanceTo(START, settled);
  return world;
}

/** Writes down what changed in what people can see, and where traffic went. */
class Watcher {
  readonly #workspace: Workspace;
  readonly #router: Router;
  readonly #tell: (line: string) => void;
  readonly #seen = new Map<string, string>();
  readonly #ephemerals = new Map<string, number>();
  #changes = 1;

  constructor(workspace: Workspace, router: Router, tell: (line: string) => void) {
    this.#workspace = workspace;
    this.#router = router;
    this.#tell = tell;
  }

  look(): void {
    for (const { weights } of this.#router.changes.slice(this.#changes))
      this.#tell(
        `Router: ${weights.candidate.version} gets ${weights.candidate.percent} %, ${weights.stable.version} ${weights.stable.percent} %`,
      );
    this.#changes = this.#router.changes.length;
    for (const message of this.#workspace.messages(CHANNEL)) {
      this.#show(message, this.#seen.has(message.ts) ? 'card changes' : 'new card');
      for (const reply of this.#workspace.thread(CHANNEL, message.ts).slice(1)) this.#show(reply, '   thread');
    }
    for (const id of ['U0ANN', 'U0BOB', 'U0EVE']) {
      const all = this.#workspace.user(id).ephemerals();
      for (const one of all.slice(this.#ephemerals.get(id) ?? 0)) this.#tell(`only ${id} sees: ${plain(one.text)}`);
      this.#ephemerals.set(id, all.length);
    }
  }

  #show(message: Message, how: string): void {
    const text = plain(message.text);
    // Every look brings new numbers; the story is told where the words change.
    const words = text.replace(/[\d.]+/g, '#');
    if (this.#seen.get(message.ts) === words) return;
    this.#seen.set(message.ts, words);
    this.#tell(`${how}: ${text}`);
  }
}

/** Slack's dates as the clock says them, everything on one line. */
function plain(text: string): string {
  return text
    .replace(/<!date\^(\d+)\^[^|>]*\|[^>]*>/g, (_, seconds: string) =>
      new Date(Number(seconds) * 1000).toISOString().slice(11, 19),
    )
    .replace(/@[0-9a-f]{12}\b/g, '@revision')
    .replace(/\s*\n\s*/g, ' / ');
}

export function webhook(name: string, status: string, severity: string, startsAt: number, now: number) {
  const labels = { alertname: name, service: 'fraud-scorer', severity };
  const annotations = {
    summary: '5xx above 5 % for 1 min',
    description: 'The candidate answers with errors.',
  };
  const iso = (ms: number) => new Date(ms).toISOString();
  const alert = {
    status,
    labels,
    annotations,
    startsAt: iso(startsAt),
    endsAt: status === 'resolved' ? iso(now) : '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus/graph?g0.expr=errors',
    fingerprint: `f0-${name}`,
  };
  return {
    version: '4',
    groupKey: '{}:{service="fraud-scorer"}',
    truncatedAlerts: 0,
    status,
    receiver: 'lastgood',
    groupLabels: { service: 'fraud-scorer' },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: 'http://alertmanager',
    alerts: [alert],
  };
}

function policyYaml(routerUrl: string): string {
  return `service: fraud-scorer
description: Scores card payments
mode: enforce
channel: "${CHANNEL}"
runbook: https://runbooks.example.com/fraud-scorer
${routerTarget(routerUrl)}
steps:
  - { exposure: 10, soak: 5m, maxSoak: 20m }
  - { exposure: 70, soak: 5m, maxSoak: 20m }
  - { exposure: 100 }
rollback:
  phases: [{ exposure: 50, soak: 2m, maxSoak: 5m }, { exposure: 10, soak: 2m, maxSoak: 5m }, { exposure: 0 }]
  verify: { soak: 2m, maxSoak: 10m }
comparison: { window: 15s, warmUp: 30s, every: 15s }
metrics:
  - name: errors
    title: Error rate
    kind: proportion
    bad: 'http_requests_total{service="fraud-scorer",version="{{version}}",code=~"5.."}'
    total: 'http_requests_total{service="fraud-scorer",version="{{version}}"}'
    tolerance: { relative: 25% }
    minimum: 100
    critical: 60%
alerts:
  - match: ['service="fraud-scorer"', 'severity=~"warning|critical"']
approvers: { users: [U0ANN, U0BOB], quorum: 2 }
respond: { grace: 0s, deadline: 15m, criticalDeadline: 10m, stability: 2m }
escalate: { after: 5m, repeat: 15m }
`;
}
