import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import type { Chat, ChatMessage } from '../../src/ports/chat.ts';
import { PortError } from '../../src/ports/failure.ts';
import { createSlack } from '../../src/slack/index.ts';
import { createWorkspace } from '../../src/workspace/index.ts';
import { eventually, FakeApplication, listening, quietTelemetry, realClock, SECRET, TOKEN } from './stage.ts';
import { ada } from './states.ts';

/** The local Slack behind a proxy that loses what is said of posts, and counts them. */
async function stand() {
  const workspace = createWorkspace({
    signingSecret: SECRET,
    botToken: TOKEN,
    users: [{ id: ada.id, name: 'ada', realName: 'Ada' }],
    channels: [{ id: 'C0ROLLOUT', name: 'ml-rollouts' }],
    commands: [{ command: '/rollout', description: '', usageHint: '' }],
  });
  const { apiUrl } = await workspace.start();
  const at = { losesPosts: true, posts: 0, passedMs: 0 };
  const proxy = createServer(async (request, response) => {
    if (request.url?.endsWith('/chat.postMessage')) {
      at.posts += 1;
      if (at.losesPosts) return request.socket.destroy();
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const url = apiUrl.replace(/\/api\/$/, request.url ?? '');
    const answer = await fetch(url, {
      method: 'POST',
      headers: { authorization, 'content-type': type },
      body: Buffer.concat(chunks),
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  // Stands still but for what the test lets pass: nothing here depends on how fast the machine is.
  const beganMs = Date.now();
  const clock = { ...realClock, now: () => beganMs + at.passedMs };
  const application = new FakeApplication();
  const slack = createSlack({
    botToken: TOKEN,
    signingSecret: SECRET,
    apiUrl: `${await listening(proxy)}/api/`,
    application,
    clock,
    telemetry: quietTelemetry(),
  });
  const door = createServer((request, response) => void slack.handle(request, response));
  workspace.connect(await listening(door));
  return {
    at,
    slack,
    workspace,
    async [Symbol.asyncDispose]() {
      await slack.stop();
      for (const server of [door, proxy]) {
        server.closeAllConnections();
        server.close();
      }
      await workspace.stop();
    },
  };
}

async function failure(chat: Chat, message: ChatMessage): Promise<PortError> {
  try {
    await chat.post(message, new AbortController().signal);
  } catch (error) {
    if (error instanceof PortError) return error;
    throw error;
  }
  throw new Error('it was posted');
}

const note = (text: string): ChatMessage => ({
  id: `note/${text}`,
  channel: '#ml-rollouts',
  thread: null,
  content: { kind: 'note', text },
});

it('messages leave a Slack alone that does not answer; what a person waits for is asked of it all the same', async () => {
  await using scene = await stand();
  const { at, slack, workspace } = scene;
  for (let i = 0; i < 5; i += 1) {
    expect((await failure(slack.chat, note(String(i)))).failure).toBe('ambiguous');
    at.passedMs += 1_000;
  }
  const left = await failure(slack.chat, note('6'));
  expect(left.failure).toBe('retryable');
  expect(left.message).toMatch(/^Slack has not answered 5 times in a row \(last: The connection to Slack was lost/);
  expect([at.posts, slack.circuit().state]).toEqual([5, 'open']);

  await workspace.user(ada.id).openHome();
  await eventually(() => workspace.user(ada.id).home());

  at.losesPosts = false;
  at.passedMs += 60_000;
  await slack.chat.post(note('7'), new AbortController().signal);
  expect(slack.circuit().state).toBe('closed');
  expect(workspace.messages('#ml-rollouts').map(({ text }) => text)).toEqual(['7']);
});
