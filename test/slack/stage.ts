import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer, Application, CommandRequest, Overview, Status } from '../../src/application/api.ts';
import { gatherOverview } from '../../src/application/overview.ts';
import type { JournalEntry } from '../../src/domain/effect.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Telemetry } from '../../src/ports/telemetry.ts';
import { createSlack, type Slack } from '../../src/slack/index.ts';
import { createWorkspace, type Workspace, type WorkspaceOptions } from '../../src/workspace/index.ts';
import { ada, bob, policy, state } from './states.ts';

export const TOKEN = 'xoxb-secret-token-1';
export const SECRET = 'signing-secret-1';
export const CHANNEL = '#ml-rollouts';

const accepted = (text: string): Answer => ({ ok: true, text, duplicate: false });

/** An application that remembers what it was asked, and answers what a test wants. */
export class FakeApplication implements Application {
  readonly checks: CommandRequest[] = [];
  readonly commands: CommandRequest[] = [];
  readonly starts: Parameters<Application['start']>[0][] = [];
  /** Of every command and start, what it is kept by also where it is refused; left out of those above. */
  readonly onces: (string | undefined)[] = [];
  onCheck: (request: CommandRequest) => Promise<Answer> | Answer = () => accepted('allowed');
  onCommand: (request: CommandRequest) => Promise<Answer> | Answer = () => accepted('Done.');
  onStart: () => Promise<Answer> | Answer = () => accepted('Started.');
  all: Status[] = [{ policy: policy(), state: state() }];
  journal: JournalEntry[] = [];

  async receiveAlerts(): Promise<never> {
    throw new Error('Slack brings no alerts');
  }
  async unmatched(): Promise<never> {
    throw new Error('Slack lists no unmatched alerts');
  }
  async deliver(): Promise<never> {
    throw new Error('Slack delivers commands only');
  }
  async check({ once: _once, ...request }: CommandRequest): Promise<Answer> {
    this.checks.push(request);
    return this.onCheck(request);
  }
  async command({ once, ...request }: CommandRequest): Promise<Answer> {
    this.commands.push(request);
    this.onces.push(once);
    return this.onCommand(request);
  }
  async start({ once, ...request }: Parameters<Application['start']>[0]): Promise<Answer> {
    this.starts.push(request);
    this.onces.push(once);
    return this.onStart();
  }
  policies(): readonly Policy[] {
    return this.all.map((one) => one.policy);
  }
  async status(service: string): Promise<Status | null> {
    return this.all.find((one) => one.policy.service === service) ?? null;
  }
  async overview(most: number): Promise<Overview> {
    return overviewOf(this.all, most);
  }
  async history(_service: string, limit: number) {
    return this.journal.slice(0, limit).map((entry, sequence) => ({ sequence, service: 'fraud-scorer', entry }));
  }
}

/** As the application gives it for App Home. */
export function overviewOf(statuses: readonly Status[], most = 25): Overview {
  const overview = gatherOverview(most);
  for (const status of statuses) overview.add(status);
  return overview.done();
}

export interface Problems extends Telemetry {
  readonly problems: string[];
}

export function quietTelemetry(): Problems {
  const problems: string[] = [];
  const nothing = () => undefined;
  return {
    problems,
    alertsReceived: nothing,
    alertUnmatched: nothing,
    decided: nothing,
    journalled: nothing,
    performed: nothing,
    rolloutEnded: nothing,
    problem: (where, error) => problems.push(`${where}: ${error instanceof Error ? error.message : String(error)}`),
  };
}

export const realClock: Clock = {
  now: () => Date.now(),
  sleepUntil: (atMs, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = setTimeout(resolve, Math.max(0, atMs - Date.now()));
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener('abort', wake, { once: true });
    }),
};

export interface Stage extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly slack: Slack;
  readonly application: FakeApplication;
  readonly telemetry: Problems;
  readonly url: string;
}

/** The local workspace, our Slack face behind an HTTP server, and a fake application, connected. */
export async function stage(options: Partial<WorkspaceOptions> & { clock?: Clock } = {}): Promise<Stage> {
  const { clock = realClock, ...workspaceOptions } = options;
  const workspace = createWorkspace({
    signingSecret: SECRET,
    botToken: TOKEN,
    botName: 'lastgood',
    users: [
      { id: ada.id, name: 'ada', realName: 'Ada' },
      { id: bob.id, name: 'bob', realName: 'Bob' },
    ],
    channels: [
      { id: 'C0ROLLOUT', name: 'ml-rollouts' },
      { id: 'C0PRIVATE', name: 'elsewhere', botIsMember: false },
    ],
    commands: [{ command: '/rollout', description: '', usageHint: '' }],
    postsPerSecondPerChannel: 1000,
    postBurst: 1000,
    ...workspaceOptions,
  });
  const { apiUrl } = await workspace.start();
  const application = new FakeApplication();
  const telemetry = quietTelemetry();
  const slack = createSlack({ botToken: TOKEN, signingSecret: SECRET, apiUrl, application, clock, telemetry });
  const server = createServer((req, res) => void slack.handle(req, res));
  const url = await listening(server);
  workspace.connect(url);
  return {
    workspace,
    slack,
    application,
    telemetry,
    url,
    async [Symbol.asyncDispose]() {
      await slack.stop();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await workspace.stop();
    },
  };
}

export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Looks again until it holds; for what no event announces. */
export async function eventually<T>(look: () => T | undefined | null | false, timeoutMs = 5000): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const found = look();
    if (found) return found;
    if (Date.now() > until) throw new Error(`It did not come about within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
