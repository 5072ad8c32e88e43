import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import type { Answer } from '../../src/application/api.ts';
import { createSlack } from '../../src/slack/index.ts';
import { sign } from '../../src/workspace/index.ts';
import { virtualClock } from '../support/clock.ts';
import { FakeApplication, listening, quietTelemetry, SECRET, TOKEN } from './stage.ts';
import { NOON } from './states.ts';

it('a flood of commands is refused with 503 beyond what may be under way; what was begun is answered, and strangers count for nothing', async () => {
  const application = new FakeApplication();
  const slow = Promise.withResolvers<Answer>();
  application.onCommand = () => slow.promise;
  const slack = createSlack({
    botToken: TOKEN,
    signingSecret: SECRET,
    apiUrl: 'http://127.0.0.1:9/api/',
    application,
    clock: virtualClock(NOON),
    telemetry: quietTelemetry(),
    mostAtOnce: 5,
  });
  const server = createServer((req, res) => void slack.handle(req, res));
  const url = await listening(server);
  let count = 0;
  const send = (secret = SECRET) => {
    count += 1;
    const fields = { command: '/rollout', text: 'ack', user_id: 'U1', trigger_id: `1.2.${count}` };
    const body = new URLSearchParams(fields).toString();
    const timestamp = String(Math.floor(NOON / 1000));
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': sign(secret, timestamp, body),
    };
    return fetch(`${url}/slack/events`, { method: 'POST', headers, body });
  };
  try {
    const begun = Array.from({ length: 5 }, () => send());
    await expect.poll(() => application.commands.length).toBe(5);
    const flood = await Promise.all(Array.from({ length: 50 }, () => send()));
    expect(new Set(flood.map(({ status }) => status))).toEqual(new Set([503]));
    expect((await send('not-the-secret')).status).toBe(401);
    expect(application.commands).toHaveLength(5);
    slow.resolve({ ok: true, text: 'Done.', duplicate: false });
    expect((await Promise.all(begun)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    await expect.poll(async () => (await send()).status).toBe(200);
  } finally {
    await slack.stop();
    server.closeAllConnections();
    server.close();
  }
});
