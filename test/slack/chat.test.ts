import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { ChatMessage } from '../../src/ports/chat.ts';
import { PortError } from '../../src/ports/failure.ts';
import { createSlack } from '../../src/slack/index.ts';
import { virtualClock } from '../support/clock.ts';
import { buttons } from './reading.ts';
import {
  CHANNEL,
  eventually,
  FakeApplication,
  listening,
  quietTelemetry,
  realClock,
  SECRET,
  stage,
  TOKEN,
} from './stage.ts';
import { entry, view } from './states.ts';

const never = () => new AbortController().signal;

const cardMessage = (patch: Partial<ChatMessage> = {}): ChatMessage => ({
  id: 'card/fraud-scorer-d5',
  channel: CHANNEL,
  thread: null,
  content: { kind: 'card', view: view('degradation') },
  ...patch,
});

async function failure(work: Promise<unknown>): Promise<PortError> {
  try {
    await work;
  } catch (error) {
    expect(error).toBeInstanceOf(PortError);
    const { message, stack, cause } = error as PortError;
    expect(`${message}${stack}${JSON.stringify(cause ?? null)}`).not.toContain(TOKEN);
    return error as PortError;
  }
  throw new Error('It did not fail');
}

describe('posting', () => {
  it('posts a card once, with our id in its metadata, and says where it stands', async () => {
    await using scene = await stage();
    const address = await scene.slack.chat.post(cardMessage(), never());
    const [message] = scene.workspace.messages(CHANNEL);
    expect(address).toEqual({ channel: 'C0ROLLOUT', ts: message?.ts });
    expect(message?.metadata).toEqual({
      event_type: 'lastgood_message',
      event_payload: { id: 'card/fraud-scorer-d5' },
    });
    expect(message?.blocks?.[0]).toMatchObject({ type: 'header' });
    expect(message?.text).toContain('fraud-scorer v42');
    expect(scene.workspace.pings).toEqual([]);
  });

  it('posts a thread line under its card', async () => {
    await using scene = await stage();
    const parent = await scene.slack.chat.post(cardMessage(), never());
    const line: ChatMessage = {
      id: 'say/1',
      channel: CHANNEL,
      thread: parent,
      content: { kind: 'entry', entry: entry() },
    };
    await scene.slack.chat.post(line, never());
    expect(scene.workspace.thread(CHANNEL, parent.ts).map((m) => m.text)[1]).toContain('takes fraud-scorer back');
    expect(scene.workspace.messages(CHANNEL)).toHaveLength(1);
  });

  it('brings a card to a new state with text and blocks together, and fresh block ids', async () => {
    await using scene = await stage();
    const address = await scene.slack.chat.post(cardMessage(), never());
    const before = scene.workspace.messages(CHANNEL)[0]?.blocks ?? [];
    const later = view('degradation', { degradation: { stage: { name: 'ended', atMs: 1, outcome: 'recovered' } } });
    await scene.slack.chat.update(address, cardMessage({ content: { kind: 'card', view: later } }), never());
    const [message] = scene.workspace.messages(CHANNEL);
    expect(message?.text).toContain('Recovered');
    expect(buttons((message?.blocks ?? []) as never)).toEqual([]);
    expect(message?.metadata?.event_payload).toEqual({ id: 'card/fraud-scorer-d5' });
    const ids = before.map((b) => b.block_id);
    expect(message?.blocks?.filter((b) => ids.includes(b.block_id))).toEqual([]);
  });
});

describe('a post whose answer is lost', () => {
  it('is ambiguous, is found by our id, and need not be sent again', async () => {
    await using scene = await stage();
    scene.workspace.fault({ method: 'chat.postMessage', mode: 'accept-then-drop' });
    expect((await failure(scene.slack.chat.post(cardMessage(), never()))).failure).toBe('ambiguous');
    const found = await scene.slack.chat.find(cardMessage(), never());
    expect(found).toEqual({ channel: 'C0ROLLOUT', ts: scene.workspace.messages(CHANNEL)[0]?.ts });
    expect(scene.workspace.calls.filter((call) => call.method === 'chat.postMessage')).toHaveLength(1);
  });

  it('is found in its thread', async () => {
    await using scene = await stage();
    const parent = await scene.slack.chat.post(cardMessage(), never());
    const line: ChatMessage = {
      id: 'say/1',
      channel: CHANNEL,
      thread: parent,
      content: { kind: 'entry', entry: entry() },
    };
    expect(await scene.slack.chat.find(line, never())).toBeNull();
    scene.workspace.fault({ method: 'chat.postMessage', mode: 'accept-then-drop' });
    await failure(scene.slack.chat.post(line, never()));
    expect(await scene.slack.chat.find(line, never())).toEqual({
      channel: 'C0ROLLOUT',
      ts: scene.workspace.thread(CHANNEL, parent.ts)[1]?.ts,
    });
  });

  it('is found among many other messages, page by page', async () => {
    await using scene = await stage();
    await scene.slack.chat.post(cardMessage(), never());
    for (let i = 0; i < 250; i += 1) {
      await scene.slack.chat.post(
        { id: `say/${i}`, channel: CHANNEL, thread: null, content: { kind: 'entry', entry: entry() } },
        never(),
      );
    }
    expect((await scene.slack.chat.find(cardMessage(), never()))?.ts).toBe(scene.workspace.messages(CHANNEL)[0]?.ts);
    expect(await scene.slack.chat.find(cardMessage({ id: 'card/other' }), never())).toBeNull();
  });

  it('an update whose answer is lost may simply be repeated', async () => {
    await using scene = await stage();
    const address = await scene.slack.chat.post(cardMessage(), never());
    scene.workspace.fault({ method: 'chat.update', mode: 'accept-then-drop' });
    expect((await failure(scene.slack.chat.update(address, cardMessage(), never()))).failure).toBe('retryable');
    await scene.slack.chat.update(address, cardMessage(), never());
  });

  it('a post that Slack answers with 500 is ambiguous too', async () => {
    await using scene = await stage();
    scene.workspace.fault({ method: 'chat.postMessage', mode: '500' });
    expect((await failure(scene.slack.chat.post(cardMessage(), never()))).failure).toBe('ambiguous');
  });

  it('a post that is given up on the way is ambiguous; one given up before was not sent', async () => {
    await using scene = await stage();
    scene.workspace.fault({ method: 'chat.postMessage', mode: 'hang' });
    const stop = new AbortController();
    const posting = failure(scene.slack.chat.post(cardMessage(), stop.signal));
    stop.abort();
    expect((await posting).failure).toBe('ambiguous');
    expect((await failure(scene.slack.chat.post(cardMessage(), stop.signal))).failure).toBe('retryable');
  });
});

describe('what Slack refuses', () => {
  it('too many posts: retryable after the time it says', async () => {
    await using scene = await stage();
    scene.workspace.fault({ method: 'chat.postMessage', mode: '429', retryAfterSeconds: 7 });
    expect(await failure(scene.slack.chat.post(cardMessage(), never()))).toMatchObject({
      failure: 'retryable',
      retryAfterMs: 7000,
    });
  });

  it('too many posts: a card that waits goes before the lines of threads', async () => {
    const clock = virtualClock();
    await using scene = await stage({ clock, now: () => clock.now(), postsPerSecondPerChannel: 1, postBurst: 1 });
    const thread = await scene.slack.chat.post(cardMessage(), never());
    const later = cardMessage({ id: 'card/fraud-scorer-d6' });
    const line: ChatMessage = { id: 'say/1', channel: CHANNEL, thread, content: { kind: 'entry', entry: entry() } };
    expect(await failure(scene.slack.chat.post(later, never()))).toMatchObject({ retryAfterMs: 1000 });
    clock.jump(1000);
    // Slack would take it now, and the card would be refused again.
    expect(await failure(scene.slack.chat.post(line, never()))).toMatchObject({
      failure: 'retryable',
      retryAfterMs: 1000,
    });
    await scene.slack.chat.post(later, never());
    clock.jump(1000);
    await scene.slack.chat.post(line, never());
    expect(scene.workspace.calls.filter(({ method }) => method === 'chat.postMessage').map(({ ok }) => ok)).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  it('too many posts: lines know how long they would wait, from the first that was refused on', async () => {
    const clock = virtualClock();
    await using scene = await stage({ clock, now: () => clock.now(), postsPerSecondPerChannel: 1, postBurst: 1 });
    const { chat } = scene.slack;
    const waitMs = (message: ChatMessage) => chat.waitMs?.(message);
    const thread = await chat.post(cardMessage(), never());
    const line: ChatMessage = { id: 'say/1', channel: CHANNEL, thread, content: { kind: 'entry', entry: entry() } };
    // It may be that Slack takes more.
    expect(waitMs(line)).toBe(0);
    expect(await failure(chat.post(line, never()))).toMatchObject({ retryAfterMs: 1000 });
    expect(waitMs(line)).toBe(1000);
    expect(waitMs(cardMessage())).toBe(0);
    clock.jump(1000);
    expect(waitMs(line)).toBe(0);
    await chat.post(line, never());
    expect(waitMs(line)).toBe(1000);
    clock.jump(-5000);
    expect(waitMs(line)).toBe(0);
  });

  it('a rate limit on posts holds up nothing else', async () => {
    await using scene = await stage();
    scene.workspace.fault({ method: 'chat.postMessage', mode: '429', retryAfterSeconds: 30 });
    const posted = await scene.slack.chat.post(cardMessage({ id: 'x' }), never()).catch(() => null);
    expect(posted).toBeNull();
    const startedAt = Date.now();
    await scene.slack.chat.post(cardMessage(), never());
    expect(Date.now() - startedAt).toBeLessThan(5000);
  });

  it.each([
    ['#elsewhere', 'permanent', 'invite @lastgood'],
    ['#nowhere', 'permanent', 'Check `channel` in the policy'],
  ])('%s: says what to do', async (channel, kind, advice) => {
    await using scene = await stage();
    scene.slack.start();
    await eventually(() => scene.slack.readiness().ok);
    const refused = await failure(scene.slack.chat.post(cardMessage({ channel }), never()));
    expect(refused.failure).toBe(kind);
    expect(refused.message).toContain(advice);
    expect(refused.message).toContain(channel);
  });

  it('an archived channel: says so', async () => {
    await using scene = await stage();
    scene.workspace.archive(CHANNEL);
    expect((await failure(scene.slack.chat.post(cardMessage(), never()))).message).toContain('archived');
  });

  it('a revoked token: permanent, and no longer ready until it works again', async () => {
    await using scene = await stage();
    scene.slack.start();
    await eventually(() => scene.slack.readiness().ok);
    scene.workspace.revokeToken();
    const refused = await failure(scene.slack.chat.post(cardMessage(), never()));
    expect(refused).toMatchObject({ failure: 'permanent' });
    expect(refused.message).toContain('SLACK_BOT_TOKEN');
    expect(scene.slack.readiness()).toMatchObject({ ok: false });
    scene.workspace.restoreToken();
    await eventually(() => scene.slack.readiness().ok);
  });

  it('newer blocks: the message comes in plainer ones, with its buttons', async () => {
    const requests: { text: string; blocks: { type: string }[] }[] = [];
    const server = createServer(async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const message = JSON.parse(Buffer.concat(chunks).toString()) as (typeof requests)[number];
      const { text, blocks } = message;
      requests.push({ text, blocks });
      const old = blocks.every((b) => ['header', 'section', 'context', 'actions', 'divider'].includes(b.type));
      res.setHeader('content-type', 'application/json');
      res.end(
        JSON.stringify(
          old
            ? { ok: true, channel: 'C1', ts: '1.1' }
            : { ok: false, error: 'invalid_blocks', errors: ['unsupported type: table [json-pointer:/blocks/2/type]'] },
        ),
      );
    });
    const url = await listening(server);
    const telemetry = quietTelemetry();
    const options = { botToken: TOKEN, signingSecret: SECRET, apiUrl: `${url}/api/`, clock: realClock, telemetry };
    const slack = createSlack({ ...options, application: new FakeApplication() });
    try {
      expect(await slack.chat.post(cardMessage(), never())).toEqual({ channel: 'C1', ts: '1.1' });
      expect(requests).toHaveLength(2);
      expect(requests[0]?.blocks.map((b) => b.type)).toContain('table');
      expect(buttons(requests[1]?.blocks as never).map((b) => b.label)).toContain('Roll back');
      expect(telemetry.problems.join()).toContain('json-pointer:/blocks/2/type');
    } finally {
      await slack.stop();
      server.closeAllConnections();
      server.close();
    }
  });

  it("a proxy's page instead of an answer is not repeated to anybody", async () => {
    const server = createServer((_req, res) => res.end('<html>login with secret=42</html>'));
    const url = await listening(server);
    const options = { botToken: TOKEN, signingSecret: SECRET, apiUrl: `${url}/api/`, clock: realClock };
    const slack = createSlack({ ...options, telemetry: quietTelemetry(), application: new FakeApplication() });
    try {
      const refused = await failure(slack.chat.post(cardMessage(), never()));
      expect(refused.failure).toBe('ambiguous');
      expect(refused.message).not.toContain('secret=42');
    } finally {
      await slack.stop();
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('Slack being down', () => {
  it('start does not throw, readiness says what is wrong, posts were not sent, and it heals by itself', async () => {
    const server = createServer();
    const url = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const telemetry = quietTelemetry();
    const options = { botToken: TOKEN, signingSecret: SECRET, apiUrl: `${url}/api/`, clock: realClock, telemetry };
    const slack = createSlack({ ...options, application: new FakeApplication() });
    slack.start();
    await eventually(() => telemetry.problems.length > 0);
    expect(slack.readiness()).toEqual({
      ok: false,
      detail: 'Slack could not be reached for auth.test (ECONNREFUSED).',
    });
    expect((await failure(slack.chat.post(cardMessage(), never()))).failure).toBe('retryable');
    const up = createServer((_req, res) => {
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ ok: true, user: 'lastgood', user_id: 'U1', bot_id: 'B1', team: 'Acme', team_id: 'T1' }));
    });
    await new Promise<void>((resolve) => up.listen(Number(new URL(url).port), '127.0.0.1', resolve));
    try {
      await eventually(() => slack.readiness().ok);
      expect(slack.readiness().detail).toBe('connected to Acme as @lastgood');
    } finally {
      await slack.stop();
      up.closeAllConnections();
      up.close();
    }
  });
});
