import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import type { Fields } from '../../src/workspace/fields.ts';
import type { Workspace, WorkspaceOptions } from '../../src/workspace/index.ts';
import {
  ada,
  button,
  call,
  channel,
  errorOf,
  handClock,
  mrkdwn,
  ok,
  section,
  startWorkspace,
  token,
} from './support.ts';

let workspace: Workspace;
const start = async (more: Partial<WorkspaceOptions> = {}): Promise<Workspace> => {
  workspace = await startWorkspace(more);
  return workspace;
};
afterEach(() => workspace.stop());

const post = (more: Fields = {}) => ok(workspace, 'chat.postMessage', { channel, text: 'hello', ...more });

describe('who may call', () => {
  test('a token is needed, the right one, and not a revoked one', async () => {
    await start();
    expect((await call(workspace, 'auth.test', {}, null)).body).toEqual({ ok: false, error: 'not_authed' });
    expect((await call(workspace, 'auth.test', {}, 'Bearer xoxb-other')).body.error).toBe('invalid_auth');
    expect((await call(workspace, 'auth.test', { token }, null)).body).toMatchObject({
      ok: true,
      bot_id: 'B0000000001',
    });
    workspace.revokeToken();
    const revoked = await call(workspace, 'auth.test');
    expect([revoked.status, revoked.body.error]).toEqual([200, 'token_revoked']);
    workspace.restoreToken();
    expect((await call(workspace, 'auth.test')).body.ok).toBe(true);
  });

  test('api.test needs none; unknown methods are named', async () => {
    await start();
    expect((await call(workspace, 'api.test', { foo: 'bar' }, null)).body).toEqual({ ok: true, args: { foo: 'bar' } });
    expect(await errorOf(workspace, 'chat.shout')).toBe('unknown_method');
  });

  test('JSON bodies are taken like forms, and broken ones are refused', async () => {
    await start();
    const send = async (contentType: string, body: string) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': contentType };
      const response = await fetch(`${workspace.url}/api/chat.postMessage`, { method: 'POST', headers, body });
      return (await response.json()) as Fields;
    };
    const json = JSON.stringify({ channel, text: 'x', blocks: [section()] });
    expect(await send('application/json; charset=utf-8', json)).toMatchObject({ ok: true, channel });
    expect((await send('application/json', '{')).error).toBe('invalid_json');
    expect((await send('text/plain', 'x')).error).toBe('invalid_post_type');
  });

  test('the log names no token', async () => {
    await start();
    await call(workspace, 'auth.test', { token }, null);
    expect(workspace.calls).toMatchObject([{ method: 'auth.test', ok: true, status: 200 }]);
    expect(JSON.stringify(workspace.calls)).not.toContain(token);
  });
});

describe('posting', () => {
  test('by id or name; not where the app is not, nor where nobody can', async () => {
    await start();
    expect(await post({ channel: '#ml-rollouts' })).toMatchObject({ channel });
    expect(await errorOf(workspace, 'chat.postMessage', { channel: '#nowhere', text: 'x' })).toBe('channel_not_found');
    expect(await errorOf(workspace, 'chat.postMessage', { channel: '#general', text: 'x' })).toBe('not_in_channel');
    expect(await errorOf(workspace, 'chat.postMessage', { channel: '#old', text: 'x' })).toBe('is_archived');
    await ok(workspace, 'conversations.join', { channel: 'C0000000002' });
    expect(await post({ channel: 'C0000000002' })).toMatchObject({ ok: true });
    workspace.archive('#ml-rollouts');
    expect(await errorOf(workspace, 'chat.postMessage', { channel, text: 'x' })).toBe('is_archived');
  });

  test('nothing to say, too much to say, and blocks that are none', async () => {
    await start();
    const error = (args: Fields) => errorOf(workspace, 'chat.postMessage', { channel, ...args });
    expect(await error({})).toBe('no_text');
    expect(await error({ text: 'x'.repeat(40_001) })).toBe('msg_too_long');
    expect(await error({ blocks: 'not json' })).toBe('invalid_blocks_format');
    expect(await error({ text: 'x', blocks: { type: 'section' } })).toBe('invalid_blocks_format');
    expect(await error({ text: 'x', thread_ts: '1.2' })).toBe('thread_not_found');
    const refused = await call(workspace, 'chat.postMessage', { channel, blocks: [section('x'.repeat(3001))] });
    expect(refused.status).toBe(200);
    const what = 'must be less than 3001 characters [json-pointer:/blocks/0/text/text]';
    expect(refused.body).toEqual({
      ok: false,
      error: 'invalid_blocks',
      errors: [what],
      response_metadata: { messages: [`[ERROR] ${what}`] },
    });
    expect(workspace.messages(channel)).toEqual([]);
  });

  test('metadata is checked, kept, and shown when asked for', async () => {
    await start();
    const error = (metadata: unknown) => errorOf(workspace, 'chat.postMessage', { channel, text: 'x', metadata });
    expect(await error('{')).toBe('invalid_metadata_format');
    expect(await error({ event_type: 'x' })).toBe('invalid_metadata_schema');
    expect(await error({ event_type: 'x', event_payload: { a: 'y'.repeat(8000) } })).toBe('metadata_too_large');
    const metadata = { event_type: 'lastgood_card', event_payload: { id: 'd-1' } };
    const { ts } = await post({ metadata });
    const read = async (args: Fields) => {
      const { messages } = await ok(workspace, 'conversations.history', { channel, ...args });
      return (messages as Fields[])[0];
    };
    expect((await read({ include_all_metadata: true }))?.metadata).toEqual(metadata);
    expect((await read({}))?.metadata).toBeUndefined();
    await ok(workspace, 'chat.update', { channel, ts, text: 'y' });
    expect((await read({ include_all_metadata: true }))?.metadata).toEqual(metadata);
    await ok(workspace, 'chat.update', { channel, ts, text: 'y', metadata: {} });
    expect((await read({ include_all_metadata: true }))?.metadata).toBeUndefined();
  });

  test('one post a second a channel, then 429 with Retry-After', async () => {
    const clock = handClock();
    await start({ now: clock.now, postsPerSecondPerChannel: 1, postBurst: 1 });
    await post();
    const limited = await call(workspace, 'chat.postMessage', { channel, text: 'again' });
    expect([limited.status, limited.headers.get('retry-after'), limited.body]).toEqual([
      429,
      '1',
      { ok: false, error: 'ratelimited' },
    ]);
    expect(await post({ channel: `D${ada.slice(1)}` })).toMatchObject({ ok: true });
    clock.advance(1000);
    await post();
    expect(workspace.messages(channel)).toHaveLength(2);
  });

  test('times are unique, rising strings, though the clock stands still', async () => {
    const clock = handClock(1_795_000_000_123);
    await start({ now: clock.now });
    const all = [await post(), await post(), await post()].map((one) => one.ts);
    expect(all).toEqual(['1795000000.123000', '1795000000.123001', '1795000000.123002']);
  });
});

describe('changing', () => {
  test('text without blocks takes the blocks away; blocks get fresh ids only where they have none', async () => {
    await start();
    const { ts } = await post({ blocks: [{ ...section(), block_id: 'mine' }, section()] });
    const [message] = workspace.messages(channel);
    expect(message?.blocks?.[0]?.block_id).toBe('mine');
    expect(message?.blocks?.[1]?.block_id).toEqual(expect.any(String));
    const answer = await ok(workspace, 'chat.update', { channel, ts, text: 'only text' });
    expect(answer).toMatchObject({ channel, ts, text: 'only text' });
    expect(workspace.messages(channel)[0]?.blocks).toBeUndefined();
    expect(workspace.messages(channel)[0]?.edited).toBeDefined();
  });

  test('only its own messages, that are there, by channel id', async () => {
    await start();
    await workspace.user(ada).type(channel, 'mine');
    const [theirs] = workspace.messages(channel);
    const error = (args: Fields, method = 'chat.update') => errorOf(workspace, method, { channel, text: 'x', ...args });
    expect(await error({ ts: theirs?.ts })).toBe('cant_update_message');
    expect(await error({ ts: theirs?.ts }, 'chat.delete')).toBe('cant_delete_message');
    expect(await error({ ts: '1.000000' })).toBe('message_not_found');
    expect(await error({ ts: theirs?.ts, channel: '#ml-rollouts' })).toBe('channel_not_found');
    const { ts } = await post();
    expect(await error({ ts, text: 'x'.repeat(4001) })).toBe('msg_too_long');
    await ok(workspace, 'chat.delete', { channel, ts });
    expect(await error({ ts })).toBe('message_not_found');
  });

  test('an ephemeral message cannot be reached by chat.update', async () => {
    await start();
    const { message_ts: ts } = await ok(workspace, 'chat.postEphemeral', { channel, user: ada, text: 'psst' });
    expect(workspace.user(ada).ephemerals(channel)).toMatchObject([{ text: 'psst', from: 'app' }]);
    expect(workspace.user('U024BE7LJ').ephemerals()).toEqual([]);
    expect(await errorOf(workspace, 'chat.update', { channel, ts, text: 'x' })).toBe('message_not_found');
    expect(await errorOf(workspace, 'chat.postEphemeral', { channel, user: 'U1', text: 'x' })).toBe(
      'user_not_in_channel',
    );
  });

  test('a deleted parent leaves a stone while it has replies', async () => {
    await start();
    const { ts } = await post();
    const reply = await post({ thread_ts: ts });
    expect(workspace.thread(channel, String(ts))[0]).toMatchObject({
      reply_count: 1,
      reply_users_count: 1,
      latest_reply: reply.ts,
    });
    await ok(workspace, 'chat.delete', { channel, ts });
    expect(workspace.messages(channel)).toMatchObject([{ subtype: 'tombstone' }]);
    expect(await errorOf(workspace, 'chat.postMessage', { channel, text: 'x', thread_ts: reply.ts })).toBe(
      'cannot_reply_to_message',
    );
  });

  test('reactions and permalinks', async () => {
    await start();
    const { ts } = await post();
    await ok(workspace, 'reactions.add', { channel, timestamp: ts, name: 'eyes' });
    expect(await errorOf(workspace, 'reactions.add', { channel, timestamp: ts, name: 'eyes' })).toBe('already_reacted');
    expect(workspace.messages(channel)[0]?.reactions).toEqual([{ name: 'eyes', users: ['U0000000BOT'], count: 1 }]);
    const { permalink } = await ok(workspace, 'chat.getPermalink', { channel, message_ts: ts });
    expect(permalink).toBe(`${workspace.url}/archives/${channel}/p${String(ts).replace('.', '')}`);
  });
});

describe('reading', () => {
  test('history: newest first, no replies, pages, and a window', async () => {
    await start();
    const sent: string[] = [];
    for (let index = 0; index < 5; index += 1) sent.push(String((await post({ text: `m${index}` })).ts));
    await post({ text: 'reply', thread_ts: sent[0] });
    const texts = async (args: Fields) => {
      const answer = await ok(workspace, 'conversations.history', { channel, ...args });
      return { all: (answer.messages as Fields[]).map((one) => one.text), answer };
    };
    expect((await texts({})).all).toEqual(['m4', 'm3', 'm2', 'm1', 'm0']);
    const first = await texts({ limit: 2 });
    expect([first.all, first.answer.has_more]).toEqual([['m4', 'm3'], true]);
    const { next_cursor: cursor } = first.answer.response_metadata as Fields;
    expect((await texts({ limit: 2, cursor })).all).toEqual(['m2', 'm1']);
    expect(await errorOf(workspace, 'conversations.history', { channel, cursor: 'x' })).toBe('invalid_cursor');
    expect((await texts({ oldest: sent[1], latest: sent[3] })).all).toEqual(['m2']);
    expect((await texts({ oldest: sent[1], latest: sent[3], inclusive: true })).all).toEqual(['m3', 'm2', 'm1']);
    const thread = await ok(workspace, 'conversations.replies', { channel, ts: sent[0] });
    expect((thread.messages as Fields[]).map((one) => one.text)).toEqual(['m0', 'reply']);
    expect(await errorOf(workspace, 'conversations.replies', { channel, ts: '1.0' })).toBe('thread_not_found');
  });

  test('channels, people, groups', async () => {
    await start();
    const { channels } = await ok(workspace, 'conversations.list', { exclude_archived: true });
    expect((channels as Fields[]).map((one) => one.name)).toEqual(['ml-rollouts', 'general']);
    expect((await ok(workspace, 'users.info', { user: ada })).user).toMatchObject({ name: 'ada', is_bot: false });
    expect(await errorOf(workspace, 'users.info', { user: 'U1' })).toBe('user_not_found');
    expect((await ok(workspace, 'usergroups.users.list', { usergroup: 'S0000000001' })).users).toEqual([ada]);
  });
});

describe('files', () => {
  test('get an address, upload, complete, wait until it can be used', async () => {
    const clock = handClock();
    await start({ now: clock.now, fileReadyAfterMs: 2000 });
    const bytes = Buffer.from('89504e47', 'hex');
    const upload = await ok(workspace, 'files.getUploadURLExternal', {
      filename: 'chart.png',
      length: String(bytes.length),
    });
    const send = (body: Buffer) => fetch(String(upload.upload_url), { method: 'POST', body: new Uint8Array(body) });
    expect(await errorOf(workspace, 'files.completeUploadExternal', { files: [{ id: upload.file_id }] })).toBe(
      'file_not_found',
    );
    expect((await send(Buffer.from('too long'))).status).toBe(400);
    expect((await send(bytes)).status).toBe(200);
    await ok(workspace, 'files.completeUploadExternal', { files: [{ id: upload.file_id, title: 'Chart' }] });
    const blocks = [{ type: 'image', slack_file: { id: upload.file_id }, alt_text: 'a chart' }];
    expect(await errorOf(workspace, 'chat.postMessage', { channel, text: 'x', blocks })).toBe('invalid_blocks');
    expect((await ok(workspace, 'files.info', { file: upload.file_id })).file).toMatchObject({ mimetype: '' });
    clock.advance(2000);
    expect((await ok(workspace, 'files.info', { file: upload.file_id })).file).toMatchObject({ mimetype: 'image/png' });
    await post({ blocks });
  });
});

describe('mentions', () => {
  test('unescaped ones are notifications, escaped ones are not', async () => {
    await start();
    await post({ text: 'annotation says &lt;!channel&gt; and &lt;@U024BE7LH&gt;', blocks: [section('&lt;!here&gt;')] });
    expect(workspace.pings).toEqual([]);
    const { ts } = await post({
      text: `<!channel> <@${ada}>`,
      blocks: [section(`<!here> <@${ada}> <!subteam^S0000000001>`)],
    });
    expect(workspace.pings.map((ping) => ping.target)).toEqual(['channel', ada, 'here', 'S0000000001']);
    expect(workspace.pings[0]).toEqual({ target: 'channel', channel, ts, by: 'U0000000BOT', via: 'post' });
    await ok(workspace, 'chat.update', {
      channel,
      ts,
      text: 'x',
      blocks: [{ type: 'context', elements: [mrkdwn('<!here>')] }],
    });
    expect(workspace.pings.at(-1)).toMatchObject({ target: 'here', via: 'update' });
  });

  test('plain text and buttons do not notify', async () => {
    await start();
    await post({
      text: 'x',
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: '<!channel>' } },
        { type: 'actions', elements: [button({ value: '<!here>' })] },
      ],
    });
    expect(workspace.pings).toEqual([]);
  });
});

describe('faults on demand', () => {
  test('accept-then-drop: the message is there, the answer is not', async () => {
    await start();
    workspace.fault({ method: 'chat.postMessage', mode: 'accept-then-drop' });
    await expect(post()).rejects.toThrow();
    expect(workspace.messages(channel)).toHaveLength(1);
    await post();
    expect(workspace.messages(channel)).toHaveLength(2);
  });

  test('500 and 429, as often as said; other methods are well', async () => {
    await start();
    workspace.fault({ method: 'chat.update', mode: '500', times: 2 });
    workspace.fault({ method: 'chat.postMessage', mode: '429', retryAfterSeconds: 7 });
    expect((await call(workspace, 'auth.test')).status).toBe(200);
    const statuses = [];
    for (let index = 0; index < 3; index += 1)
      statuses.push((await call(workspace, 'chat.update', { channel })).status);
    expect(statuses).toEqual([500, 500, 200]);
    expect((await call(workspace, 'chat.postMessage', { channel, text: 'x' })).headers.get('retry-after')).toBe('7');
    expect(workspace.messages(channel)).toEqual([]);
  });

  test('hang: no answer, nothing done', async () => {
    await start();
    workspace.fault({ method: '*', mode: 'hang' });
    const body = new URLSearchParams({ channel, text: 'x', token });
    const hung = fetch(`${workspace.url}/api/chat.postMessage`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(300),
    });
    await expect(hung).rejects.toThrow(/timeout/i);
    expect(workspace.messages(channel)).toEqual([]);
    expect(workspace.calls).toMatchObject([{ ok: false, error: 'hang' }]);
  });
});

describe('waiting', () => {
  test('gives what came, and says what there was when nothing does', async () => {
    await start();
    const waiting = workspace.waitFor(() => workspace.messages(channel).find((one) => one.text === 'late'));
    await post({ text: 'early' });
    await post({ text: 'late' });
    expect(await waiting).toMatchObject({ text: 'late' });
    await expect(workspace.waitFor(() => false, 50)).rejects.toThrow(/Nothing came within 50 ms[\s\S]*: late/);
  });
});

/** A request with headers that fetch does not let one set. */
function raw(path: string, method: string, headers: Record<string, string>, body = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    const sending = request(new URL(path, workspace.url), { method, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sending.on('error', reject);
    sending.end(body);
  });
}

describe('the page belongs to its own origin', () => {
  test('a rebound name is refused, for the page and for what it asks', async () => {
    await start();
    const host = new URL(workspace.url).host;
    for (const path of ['/', '/client/boot', `/client/events?user=${ada}`, '/app.js']) {
      expect(await raw(path, 'GET', { host: 'evil.example:80' })).toBe(403);
    }
    expect(await raw('/client/boot', 'GET', { host })).toBe(200);
    expect(await raw('/client/boot', 'GET', { host, 'sec-fetch-site': 'cross-site' })).toBe(403);
  });

  test('another origin, or none, cannot act', async () => {
    await start();
    const host = new URL(workspace.url).host;
    const body = JSON.stringify({ user: ada, action: 'type', channel, text: 'hi' });
    const json = { host, 'content-type': 'application/json' };
    expect(await raw('/client/act', 'POST', { ...json, origin: 'https://evil.example' }, body)).toBe(403);
    expect(await raw('/client/act', 'POST', { ...json, origin: 'null' }, body)).toBe(403);
    expect(await raw('/client/act', 'POST', json, body)).toBe(403);
    expect(
      await raw('/client/act', 'POST', { ...json, 'content-type': 'text/plain', origin: workspace.url }, body),
    ).toBe(403);
    expect(workspace.messages(channel)).toEqual([]);
    expect(await raw('/client/act', 'POST', { ...json, origin: workspace.url }, body)).toBe(200);
    expect(workspace.messages(channel)).toHaveLength(1);
  });

  test('no file outside the page can be read', async () => {
    await start();
    const host = new URL(workspace.url).host;
    for (const path of ['/../index.ts', '/%2e%2e/index.ts', '/..%2findex.ts', '/page/app.js', '/package.json']) {
      expect(await raw(path, 'GET', { host })).toBe(404);
    }
  });
});
