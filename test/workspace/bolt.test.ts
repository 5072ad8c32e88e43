import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { App, HTTPReceiver, LogLevel } from '@slack/bolt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fields } from '../../src/workspace/fields.ts';
import { createWorkspace, type Workspace, type WorkspaceOptions } from '../../src/workspace/index.ts';
import { degradationCard, rollbackModal } from './card.ts';
import {
  ada,
  button,
  call,
  channel,
  errorOf,
  grace,
  handClock,
  mrkdwn,
  ok,
  plain,
  secret,
  section,
  token,
  workspaceOptions,
} from './support.ts';

let workspace: Workspace;
let options: WorkspaceOptions;
let app: App;
let server: Server;
const clock = handClock();
/** What the app was sent, as Bolt understood it. */
let seen: Fields[];

beforeEach(async () => {
  seen = [];
  options = workspaceOptions({ now: clock.now });
  workspace = createWorkspace(options);
  const { apiUrl } = await workspace.start();
  const receiver = new HTTPReceiver({ signingSecret: secret, logLevel: LogLevel.ERROR });
  app = new App({
    receiver,
    logLevel: LogLevel.ERROR,
    clientOptions: { slackApiUrl: apiUrl, retryConfig: { retries: 0 } },
    authorize: async () => ({ botToken: token, botId: 'B0000000001', botUserId: 'U0000000BOT' }),
  });
  server = createServer((request, response) => receiver.requestListener(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  workspace.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await workspace.stop();
});

const post = async (blocks: Fields[]): Promise<string> =>
  String((await ok(workspace, 'chat.postMessage', { channel, text: 'card', blocks })).ts);

describe('a real Bolt app', () => {
  test('command → modal → submission → message updated', async () => {
    app.command('/rollout', async ({ ack, client, command, body }) => {
      seen.push({ text: command.text, channel: command.channel_id });
      await client.views.open({ trigger_id: body.trigger_id, view: rollbackModal as never });
      await ack();
    });
    let ts = '';
    app.view('rollback', async ({ ack, view, client, body }) => {
      const reason = view.state.values.why?.reason?.value ?? '';
      if (reason.length < 10) return ack({ response_action: 'errors', errors: { why: 'Say a little more.' } });
      await ack();
      seen.push({
        version: view.state.values.target?.version?.selected_option?.value,
        metadata: view.private_metadata,
      });
      await client.chat.update({ channel, ts, text: `Rolled back by <@${body.user.id}>: ${reason}` });
    });
    ts = await post(degradationCard(clock.ms));
    const person = workspace.user(ada);

    expect(await person.type('#ml-rollouts', '/rollout rollback fraud-scorer @grace a<b')).toMatchObject({ ok: true });
    expect(seen).toEqual([{ text: `rollback fraud-scorer <@${grace}|grace> a&lt;b`, channel }]);
    const [view] = person.openViews();
    expect(view).toMatchObject({ title: 'Roll back', callbackId: 'rollback' });

    const id = view?.id ?? '';
    expect(await person.submit(id, {})).toMatchObject({
      ok: false,
      errors: { why: 'Please complete this required field.' },
    });
    expect(await person.submit(id, { Reason: 'short' })).toMatchObject({
      action: 'errors',
      errors: { why: 'Say a little more.' },
    });
    expect(workspace.deliveries.filter((one) => one.kind === 'view_submission')).toHaveLength(1);
    expect(person.openViews()).toHaveLength(1);

    expect(await person.submit(id, { why: 'error rate tripled', version: 'v40' })).toMatchObject({
      ok: true,
      action: 'close',
    });
    expect(person.openViews()).toEqual([]);
    await workspace.waitFor(() => workspace.messages(channel).find((one) => one.text.includes('error rate tripled')));
    expect(seen.at(-1)).toEqual({ version: 'v40', metadata: '{"service":"fraud-scorer"}' });
    expect(workspace.messages(channel)[0]?.blocks).toBeUndefined();
  });

  test('a button: payload, trigger, answer for the presser alone', async () => {
    app.action('rollback', async ({ ack, body, action, respond }) => {
      seen.push({ body, action });
      await ack();
      await respond({ text: 'You may not.', response_type: 'ephemeral' });
    });
    const ts = await post(degradationCard(clock.ms));
    expect(await workspace.user(ada).press(ts, 'Roll back')).toMatchObject({ ok: true, status: 200 });
    expect(seen[0]).toMatchObject({
      action: { action_id: 'rollback', value: 'b1', type: 'button', action_ts: expect.any(String) },
      body: {
        container: { message_ts: ts, channel_id: channel, is_ephemeral: false },
        message: { ts },
        user: { id: ada },
      },
    });
    await workspace.waitFor(() =>
      workspace
        .user(ada)
        .ephemerals()
        .find((one) => one.text === 'You may not.'),
    );
    expect(workspace.user(grace).ephemerals()).toEqual([]);
    expect(workspace.messages(channel)).toHaveLength(1);
  });

  test('selects, overflow and checkboxes say what was chosen, and the message remembers it', async () => {
    app.action(/.*/, async ({ ack, action, body }) => {
      await ack();
      seen.push({ action, state: (body as unknown as Fields).state });
    });
    const option = (value: string) => ({ text: plain(value.toUpperCase()), value });
    const ts = await post([
      {
        type: 'actions',
        block_id: 'b',
        elements: [
          { type: 'static_select', action_id: 's', options: [option('a'), option('b')] },
          { type: 'users_select', action_id: 'u' },
          { type: 'overflow', action_id: 'o', options: [option('x')] },
          { type: 'checkboxes', action_id: 'c', options: [option('p'), option('q')] },
        ],
      },
    ]);
    const person = workspace.user(ada);
    await person.choose(ts, 's', 'B');
    await person.choose(ts, 'u', 'grace');
    await person.choose(ts, 'o', 'x');
    await person.choose(ts, 'c', ['p', 'q']);
    expect(seen.map((one) => one.action)).toMatchObject([
      { type: 'static_select', selected_option: { value: 'b' } },
      { type: 'users_select', selected_user: grace },
      { type: 'overflow', selected_option: { value: 'x' } },
      { type: 'checkboxes', selected_options: [{ value: 'p' }, { value: 'q' }] },
    ]);
    expect(seen.at(-1)?.state).toMatchObject({
      values: { b: { s: { selected_option: { value: 'b' } }, u: { selected_user: grace } } },
    });
    await expect(person.choose(ts, 's', 'z')).rejects.toThrow('There is no option "z" in s; there are: a, b');
    await expect(person.press(ts, 'Nope')).rejects.toThrow(/There is no "Nope" in .*; there are: s, u, o, c/);
  });

  test('a late press shows what the person saw', async () => {
    app.action('rollback', async ({ ack, action }) => {
      await ack();
      seen.push(action as unknown as Fields);
    });
    const ts = await post(degradationCard(clock.ms));
    const [asSeen] = workspace.messages(channel);
    await ok(workspace, 'chat.update', { channel, ts, text: 'over' });
    await expect(workspace.user(ada).press(ts, 'Roll back')).rejects.toThrow('no elements');
    await workspace.user(ada).press(ts, 'Roll back', { asSeen });
    expect(seen).toMatchObject([{ action_id: 'rollback', value: 'b1' }]);
  });

  test('a press from the page reaches the app though the message was drawn anew while it was on its way', async () => {
    app.action('rollback', async ({ ack, action }) => {
      await ack();
      seen.push(action as unknown as Fields);
    });
    const ts = await post(degradationCard(clock.ms));
    const block = workspace.messages(channel)[0]?.blocks?.find((one) => one.type === 'actions');
    await ok(workspace, 'chat.update', { channel, ts, text: 'over' });
    const press = (blockId: unknown) =>
      fetch(`${workspace.url}/client/act`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: workspace.url },
        body: JSON.stringify({ user: ada, action: 'use', target: ts, channel, blockId, actionId: 'rollback' }),
      });
    expect(await (await press(block?.block_id)).json()).toMatchObject({ ok: true });
    expect(seen).toMatchObject([{ action_id: 'rollback', value: 'b1', block_id: block?.block_id }]);
    expect((await press('never-there')).status).toBe(409);
  });

  test('an ephemeral message has no message in its payload, and is replaced by response_url', async () => {
    app.action('a', async ({ ack, body, respond }) => {
      await ack();
      seen.push(body as unknown as Fields);
      await respond({ replace_original: true, text: 'done' });
    });
    const answer = await ok(workspace, 'chat.postEphemeral', {
      channel,
      user: ada,
      text: 'x',
      blocks: [{ type: 'actions', elements: [button()] }],
    });
    await workspace.user(ada).press(String(answer.message_ts), 'Go');
    await workspace.waitFor(() =>
      workspace
        .user(ada)
        .ephemerals()
        .some((one) => one.text === 'done'),
    );
    expect(workspace.user(ada).ephemerals()).toHaveLength(1);
    expect(seen[0]).not.toHaveProperty('message');
    expect(seen[0]).toMatchObject({ container: { is_ephemeral: true } });
  });

  test('what is acknowledged in a command’s body is an ephemeral message', async () => {
    app.command('/rollout', async ({ ack, command }) => {
      await ack(command.text === 'public' ? { response_type: 'in_channel', text: 'all' } : 'just you');
    });
    await workspace.user(ada).type(channel, '/rollout');
    await workspace.user(ada).type(channel, '/rollout public');
    expect(workspace.user(ada).ephemerals()).toMatchObject([{ text: 'just you', from: 'app' }]);
    expect(workspace.messages(channel)).toMatchObject([{ text: 'all' }]);
  });

  test('no acknowledgement in time is told to the person', async () => {
    options.ackTimeoutMs = 200;
    app.command('/rollout', async () => new Promise(() => undefined));
    expect(await workspace.user(ada).type(channel, '/rollout status')).toMatchObject({
      ok: false,
      error: 'operation_timeout',
    });
    expect(workspace.user(ada).ephemerals()).toMatchObject([
      { from: 'slackbot', text: '/rollout failed with the error "operation_timeout"' },
    ]);
    expect(await workspace.user(ada).type(channel, '/nope')).toMatchObject({ error: 'not_a_command' });
  });

  test('the Home tab is opened, published and used; url_verification is answered', async () => {
    app.event('app_home_opened', async ({ event, client }) => {
      const blocks = [section('Home'), { type: 'actions', elements: [button()] }];
      await client.views.publish({ user_id: event.user, view: { type: 'home', blocks } as never });
    });
    app.action('a', async ({ ack, body }) => {
      await ack();
      seen.push(body as unknown as Fields);
    });
    const person = workspace.user(ada);
    expect(await person.openHome()).toMatchObject({ ok: true });
    const home = await workspace.waitFor(() => person.home());
    await person.press(home.id, 'Go');
    expect(seen).toMatchObject([{ container: { type: 'view', view_id: home.id }, view: { type: 'home' } }]);
    expect(await workspace.verifyUrl()).toBe(true);
    expect(
      await errorOf(workspace, 'views.publish', { user_id: ada, hash: 'old', view: { type: 'home', blocks: [] } }),
    ).toBe('hash_conflict');
  });

  test('closing is told where the view asked for it', async () => {
    app.command('/rollout', async ({ ack, client, body }) => {
      await client.views.open({ trigger_id: body.trigger_id, view: rollbackModal as never });
      await ack();
    });
    app.view({ callback_id: 'rollback', type: 'view_closed' }, async ({ ack, body }) => {
      await ack();
      seen.push(body as unknown as Fields);
    });
    const person = workspace.user(ada);
    await person.type(channel, '/rollout');
    expect(await person.close(person.openViews()[0]?.id ?? '')).toMatchObject({ ok: true });
    expect(seen).toMatchObject([{ type: 'view_closed', is_cleared: false }]);
    expect(person.openViews()).toEqual([]);
  });
});

describe('triggers, stacks, hashes and response_urls', () => {
  const view = (title = 'One', more: Fields = {}): Fields => ({
    type: 'modal',
    title: plain(title),
    blocks: [section()],
    ...more,
  });
  /** A fresh trigger, as a command carries it. */
  const trigger = async (): Promise<string> => {
    await workspace.user(ada).type(channel, '/rollout');
    return String(workspace.deliveries.at(-1)?.payload.trigger_id);
  };
  beforeEach(() => {
    app.command('/rollout', async ({ ack }) => ack());
  });

  test('a trigger works once, within 3 s', async () => {
    const first = await trigger();
    await ok(workspace, 'views.open', { trigger_id: first, view: view() });
    expect(await errorOf(workspace, 'views.open', { trigger_id: first, view: view() })).toBe('exchanged_trigger_id');
    const second = await trigger();
    clock.advance(3001);
    expect(await errorOf(workspace, 'views.open', { trigger_id: second, view: view() })).toBe('expired_trigger_id');
    expect(await errorOf(workspace, 'views.open', { trigger_id: '1.2.3', view: view() })).toBe('invalid_trigger_id');
  });

  test('modals stack three deep', async () => {
    const root = (await ok(workspace, 'views.open', { trigger_id: await trigger(), view: view('One') })).view as Fields;
    await ok(workspace, 'views.push', { trigger_id: await trigger(), view: view('Two') });
    const third = (await ok(workspace, 'views.push', { trigger_id: await trigger(), view: view('Three') }))
      .view as Fields;
    expect(await errorOf(workspace, 'views.push', { trigger_id: await trigger(), view: view('Four') })).toBe(
      'push_limit_reached',
    );
    expect(third.root_view_id).toBe(root.id);
    const person = workspace.user(ada);
    expect(person.openViews().map((one) => one.title)).toEqual(['One', 'Two', 'Three']);
    await person.close(String(third.id));
    expect(person.openViews().map((one) => one.title)).toEqual(['One', 'Two']);
  });

  test('an update with an old hash is a conflict; what was typed stays', async () => {
    const input = {
      type: 'input',
      block_id: 'i',
      label: plain('Why'),
      element: { type: 'plain_text_input', action_id: 'w' },
    };
    const form = (title: string) => view(title, { submit: plain('Go'), blocks: [input] });
    const opened = (await ok(workspace, 'views.open', { trigger_id: await trigger(), view: form('One') }))
      .view as Fields;
    const person = workspace.user(ada);
    await person.choose(String(opened.id), 'w', 'because');
    const updated = (await ok(workspace, 'views.update', { view_id: opened.id, hash: opened.hash, view: form('Two') }))
      .view as Fields;
    expect(updated.state).toEqual({ values: { i: { w: { type: 'plain_text_input', value: 'because' } } } });
    expect(
      await errorOf(workspace, 'views.update', { view_id: opened.id, hash: opened.hash, view: form('Three') }),
    ).toBe('hash_conflict');
    expect(await errorOf(workspace, 'views.update', { view_id: 'V1', view: form('Three') })).toBe('not_found');
    const bad = await call(workspace, 'views.update', { view_id: opened.id, view: view('x'.repeat(25)) });
    expect(bad.body).toEqual({
      ok: false,
      error: 'invalid_arguments',
      response_metadata: { messages: ['[ERROR] must be less than 25 characters [json-pointer:/view/title/text]'] },
    });
  });

  test('a response_url works five times in thirty minutes', async () => {
    const fresh = async () => {
      await trigger();
      return String(workspace.deliveries.at(-1)?.payload.response_url);
    };
    const send = async (url: string, body: Fields) => {
      const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
      return [response.status, await response.text()];
    };
    const url = await fresh();
    for (let use = 1; use <= 5; use += 1) expect(await send(url, { text: `use ${use}` })).toEqual([200, 'ok']);
    expect(await send(url, { text: 'six' })).toEqual([404, '{"ok":false,"error":"used_url"}']);
    const late = await fresh();
    clock.advance(30 * 60_000 + 1);
    expect(await send(late, { text: 'late' })).toEqual([404, '{"ok":false,"error":"expired_url"}']);
    const bad = await fresh();
    expect((await send(bad, { blocks: [{ type: 'header', text: mrkdwn('x') }] }))[0]).toBe(400);
    expect(workspace.user(ada).ephemerals()).toHaveLength(5);
  });

  test('a submission may update, push or clear; a wrong answer leaves the modal open', async () => {
    const answers: Fields[] = [
      { response_action: 'update', view: view('Updated', { submit: plain('Go'), callback_id: 'f' }) },
      { response_action: 'errors', errors: { nowhere: 'x' } },
      { response_action: 'push', view: view('Pushed', { submit: plain('Go'), callback_id: 'f' }) },
      { response_action: 'clear' },
    ];
    app.view('f', async ({ ack }) => ack(answers.shift() as never));
    const form = view('First', { submit: plain('Go'), callback_id: 'f' });
    const person = workspace.user(ada);
    await ok(workspace, 'views.open', { trigger_id: await trigger(), view: form });
    const top = () => person.openViews().at(-1)?.id ?? '';
    const titles = () => person.openViews().map((one) => one.title);
    expect([(await person.submit(top())).action, titles()]).toEqual(['update', ['Updated']]);
    expect(await person.submit(top())).toMatchObject({ ok: false, error: 'dispatch_failed', action: 'none' });
    expect([(await person.submit(top())).action, titles()]).toEqual(['push', ['Updated', 'Pushed']]);
    expect([(await person.submit(top())).action, titles()]).toEqual(['clear', []]);
  });
});
