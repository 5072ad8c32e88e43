import type { Fields } from '../../src/workspace/fields.ts';
import { createWorkspace, type Workspace, type WorkspaceOptions } from '../../src/workspace/index.ts';

export const token = 'xoxb-test-token';
export const secret = '8f742231b10e8888abcd99yyyzzz85a5';

/** A clock that moves only when it is told to. */
export function handClock(start = 1_795_000_000_000) {
  const clock = {
    ms: start,
    now: () => clock.ms,
    advance: (ms: number) => {
      clock.ms += ms;
    },
  };
  return clock;
}

export function workspaceOptions(more: Partial<WorkspaceOptions> = {}): WorkspaceOptions {
  return {
    signingSecret: secret,
    botToken: token,
    botName: 'Lastgood',
    users: [
      { id: 'U024BE7LH', name: 'ada', realName: 'Ada Lovelace' },
      { id: 'U024BE7LJ', name: 'grace', realName: 'Grace Hopper' },
    ],
    channels: [
      { id: 'C0000000001', name: 'ml-rollouts', topic: 'Rollouts' },
      { id: 'C0000000002', name: 'general', botIsMember: false },
      { id: 'C0000000003', name: 'old', archived: true },
    ],
    commands: [{ command: '/rollout', description: 'Rollouts', usageHint: '[start|status|help] <service>' }],
    usergroups: [{ id: 'S0000000001', handle: 'ml-oncall', name: 'ML on call', users: ['U024BE7LH'] }],
    postsPerSecondPerChannel: 1000,
    postBurst: 1000,
    ...more,
  };
}

export async function startWorkspace(more: Partial<WorkspaceOptions> = {}): Promise<Workspace> {
  const workspace = createWorkspace(workspaceOptions(more));
  await workspace.start();
  return workspace;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Fields;
}

/** Calls the Web API as a form with JSON-stringified fields, as Slack's own client does. */
export async function call(
  workspace: Workspace,
  method: string,
  args: Fields = {},
  authorization: string | null = `Bearer ${token}`,
): Promise<Answer> {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(args)) {
    form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const response = await fetch(`${workspace.url}/api/${method}`, {
    method: 'POST',
    headers: authorization === null ? {} : { authorization },
    body: form,
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Fields };
}

/** The same, expecting `ok`. */
export async function ok(workspace: Workspace, method: string, args: Fields = {}): Promise<Fields> {
  const answer = await call(workspace, method, args);
  if (answer.body.ok !== true) throw new Error(`${method}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export async function errorOf(workspace: Workspace, method: string, args: Fields = {}): Promise<unknown> {
  return (await call(workspace, method, args)).body.error;
}

export const channel = 'C0000000001';
export const ada = 'U024BE7LH';
export const grace = 'U024BE7LJ';
export const plain = (text: string): Fields => ({ type: 'plain_text', text });
export const mrkdwn = (text: string): Fields => ({ type: 'mrkdwn', text });
export const button = (more: Fields = {}): Fields => ({ type: 'button', action_id: 'a', text: plain('Go'), ...more });
export const section = (text = 'x'): Fields => ({ type: 'section', text: mrkdwn(text) });
