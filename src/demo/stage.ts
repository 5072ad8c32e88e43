import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { createWorkspace, type Workspace } from '../workspace/index.ts';
import { rolloutCompletion } from './completion.ts';
import { createControls } from './controls.ts';
import { type Janitor, startJanitor } from './janitor.ts';
import { createLab, createPagerDutyStandIn, type Incident, type Lab, startPages } from './lab/index.ts';
import { type Monitoring, startMonitoring } from './monitoring.ts';
import type { Narrator } from './narrator.ts';
import { policyYaml } from './policy.ts';
import { CHANNEL, people, REQUESTS_PER_SECOND, SERVICE, VERSIONS } from './scenario.ts';
import { snapshot } from './snapshot.ts';
import type { DemoClock } from './time/demo-clock.ts';
import { createWatch, type Watch } from './watch.ts';
import { takeReadings } from './world/readings.ts';
import { startWorld } from './world/server.ts';
import type { Source, WorldSnapshot } from './world/types.ts';

export interface StageOptions {
  readonly port: number;
  readonly standIns: boolean;
  readonly narrator: Narrator;
  /** Of Lastgood, the workspace and everything that is shown. */
  readonly clock: DemoClock;
  /** The page can be opened: called once, before all of it runs. */
  readonly onAddress: (url: string) => void;
}

/** Why it cannot start, for whoever started it. */
export class StageProblem extends Error {
  override readonly name = 'StageProblem';
}

/** Everything the story needs, running. Disposing of it ends all of it, in the opposite order. */
export interface Stage extends AsyncDisposable {
  readonly lab: Lab;
  readonly workspace: Workspace;
  readonly watch: Watch;
  /** Which Prometheus and Alertmanager are in use. */
  readonly sources: readonly Source[];
  readonly clock: DemoClock;
  readonly incidents: () => readonly Incident[];
  /** What the page beside the channel shows, and where it is. */
  readonly world: { readonly url: string; readonly snapshot: () => Promise<WorldSnapshot> };
  readonly numbersAreIn: Monitoring['numbersAreIn'];
}

/** Events API keys are 32 letters and digits; this one is known to nobody but the stand-in. */
const ROUTING_KEY = 'demo0demo0demo0demo0demo0demo000';

/** What begins is ended by the stack, in the opposite order. */
type Ends = <T>(thing: T, end: () => Promise<void>) => T;

/**
 * Starts everything, on free ports of loopback, with all files in one temporary directory. Ends what it began where it fails.
 * @throws {StageProblem} for what a person can do something about.
 */
export async function buildStage(options: StageOptions): Promise<Stage> {
  await using begun = new AsyncDisposableStack();
  const ends: Ends = (thing, end) => begun.adopt(thing, end);
  const janitor = startJanitor();
  ends(janitor, () => janitor.dismiss());
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-demo-'));
  janitor.own(directory);
  ends(directory, () => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const front = await openFront(options, ends);
  const { numbersAreIn } = await openBack(options, { ...front, janitor, directory }, ends);
  const { lab, workspace, watch, sources, incidents, world } = front;
  const running = begun.move();
  const end = () => running.disposeAsync();
  const { clock } = options;
  return { lab, workspace, watch, sources, clock, incidents, world, numbersAreIn, [Symbol.asyncDispose]: end };
}

interface Front {
  readonly lab: Lab;
  readonly pagerDutyHost: string;
  readonly workspace: Workspace;
  readonly slackApiUrl: string;
  readonly watch: Watch;
  readonly sources: Source[];
  readonly progress: { measured: boolean; prometheusUrl: string | null };
  readonly incidents: () => readonly Incident[];
  readonly world: Stage['world'];
  readonly secrets: Secrets;
}

interface Secrets {
  readonly router: string;
  readonly webhook: string;
  readonly botToken: string;
  readonly signing: string;
}

/** What the visitor sees first: the models with their traffic, and the page. */
async function openFront({ port, narrator, clock, onAddress }: StageOptions, ends: Ends): Promise<Front> {
  const secret = () => randomBytes(24).toString('hex');
  const secrets = { router: secret(), webhook: secret(), botToken: `xoxb-${secret()}`, signing: secret() };
  const lab = await createLab({
    service: SERVICE,
    versions: [...VERSIONS],
    withoutCandidate: true,
    ratePerSecond: REQUESTS_PER_SECOND * clock.factor,
    token: secrets.router,
  });
  ends(lab, () => lab.stop());
  // As many requests a second of the demo, so that a second is worth as much whatever the speed.
  clock.listen((factor) => lab.traffic.setRate(REQUESTS_PER_SECOND * factor));
  const pagerDuty = await createPagerDutyStandIn({ routingKey: ROUTING_KEY });
  ends(pagerDuty, () => pagerDuty.stop());
  const world = await startWorld();
  ends(world, () => world.stop());
  const workspace = createWorkspace({
    port,
    signingSecret: secrets.signing,
    botToken: secrets.botToken,
    botName: 'Lastgood',
    teamName: 'Lastgood demo',
    users: people,
    channels: [{ id: 'C01ROLLOUTS', name: CHANNEL, topic: 'Rollouts of models and what became of them' }],
    commands: [
      {
        command: '/rollout',
        description: 'Roll out, hold, promote or roll back',
        usageHint: 'start|status|promote|rollback|hold|…|help',
        completion: rolloutCompletion,
      },
    ],
    // Everything happens in seconds here: Slack's one message a second would let the threads lag behind.
    postsPerSecondPerChannel: 10,
    postBurst: 20,
    panel: { title: 'The world', url: world.url },
    now: () => clock.now(),
    signatureNow: () => clock.now(),
    // A modal is opened by a machine, which is no faster when the demo is.
    lifetimeNow: () => Date.now(),
  });
  const readings = takeReadings(lab.scrape, clock);
  ends(readings, () => readings.stop());
  const watch = createWatch(narrator);
  const sources: Source[] = [];
  const progress: Front['progress'] = { measured: false, prometheusUrl: null };
  const controls = createControls({ lab, workspace, watch, narrator, clock, measured: () => progress.measured });
  const { incidents } = pagerDuty;
  const parts = { lab, watch, readings, narrator, controls, clock, incidents, sources: () => sources };
  const shown = () => snapshot({ ...parts, prometheusUrl: () => progress.prometheusUrl });
  world.show({ snapshot: shown, act: (action) => controls.press(action) });
  narrator.listen(() => world.changed());
  clock.listen(() => world.changed());
  const { url, apiUrl } = await opened(workspace, port);
  ends(workspace, () => workspace.stop());
  onAddress(url);
  return {
    lab,
    pagerDutyHost: pagerDuty.eventsHost,
    workspace,
    slackApiUrl: apiUrl,
    watch,
    sources,
    progress,
    incidents,
    world: { url: world.url, snapshot: shown },
    secrets,
  };
}

/** @throws {StageProblem} where the port that was asked for is taken. */
async function opened(workspace: Workspace, port: number): Promise<{ url: string; apiUrl: string }> {
  try {
    return await workspace.start();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw new StageProblem(
      `The port ${port} is taken by another program: end that, give another --port, or none for any free one.`,
    );
  }
}

/** What works behind the page: Lastgood itself, Prometheus and Alertmanager. */
async function openBack(
  { standIns, narrator, clock }: StageOptions,
  parts: Front & { readonly janitor: Janitor; readonly directory: string },
  ends: Ends,
): Promise<Monitoring> {
  const { lab, workspace, watch, directory, janitor, secrets } = parts;
  const pages = await startPages(VERSIONS.map((version) => lab.model(version)));
  ends(pages, () => pages.stop());
  const monitoring = await startMonitoring({
    standIns,
    directory,
    janitor,
    scrapeUrls: pages.urls,
    webhookToken: secrets.webhook,
    clock,
    onProblem: (problem) => narrator.tell('note', problem),
  });
  ends(monitoring, () => monitoring.stop());
  parts.sources.push(...monitoring.sources);
  parts.progress.prometheusUrl = monitoring.prometheusUrl;
  const policyDir = join(directory, 'policies');
  await mkdir(policyDir);
  await writeFile(join(policyDir, `${SERVICE}.yaml`), policyYaml(lab.splitUrl));
  // Loaded only now: the page is open already.
  const { createApp } = await import('../app.ts');
  const app = await createApp(configOf(parts, policyDir, monitoring), {
    clock,
    logDestination: { write: (line) => tellProblem(narrator, line) },
  });
  ends(app, () => app.stop());
  const { url } = await app.start();
  workspace.connect(url);
  watch.begin(app.application);
  ends(watch, () => watch.stop());
  const ending = new AbortController();
  ends(ending, async () => ending.abort());
  monitoring.connect(url);
  void monitoring.numbersAreIn(ending.signal).then((measured) => {
    parts.progress.measured = measured;
  });
  return monitoring;
}

function configOf(
  { slackApiUrl, pagerDutyHost, secrets, directory }: Front & { readonly directory: string },
  policyDir: string,
  monitoring: Monitoring,
): Config {
  return {
    host: '127.0.0.1',
    port: 0,
    publicUrl: null,
    dataDir: join(directory, 'data'),
    policyDir,
    logLevel: 'error',
    slack: { botToken: secrets.botToken, signingSecret: secrets.signing, apiUrl: slackApiUrl },
    alertmanager: { webhookTokens: [secrets.webhook], url: monitoring.alertmanagerUrl },
    prometheusUrl: monitoring.prometheusUrl,
    defaultChannel: null,
    operationsChannel: null,
    pagerduty: { routingKey: ROUTING_KEY, eventsHost: pagerDutyHost },
    policySecrets: { LASTGOOD_SECRET_ROUTER: secrets.router },
  };
}

/** The instance's log has one JSON object a line; only errors are written. */
function tellProblem(narrator: Narrator, line: string): void {
  const { msg, error } = JSON.parse(line) as { msg?: string; error?: { message?: string } };
  narrator.tell('note', [msg, error?.message].filter(Boolean).join(': '));
}
