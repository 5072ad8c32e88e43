import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createSlack } from '../../src/slack/index.ts';
import { SignatureCheck } from '../../src/slack/signature.ts';
import { sign } from '../../src/workspace/index.ts';
import { virtualClock } from '../support/clock.ts';
import { eventually, FakeApplication, listening, quietTelemetry, SECRET, stage, TOKEN } from './stage.ts';
import { NOON } from './states.ts';

const contracts = new URL('../../../shared/contracts/slack/', import.meta.url);
const exists = existsSync(contracts);
const named = (name: string) => (exists ? name : `${name} (skipped: ../shared is missing)`);

interface Vector {
  readonly name: string;
  readonly secret: string;
  readonly timestamp: string;
  readonly body: string;
  readonly signature: string;
  readonly valid_at_time?: number;
  readonly invalid_at_time?: number;
}
const vectors: Vector[] = exists
  ? JSON.parse(readFileSync(new URL('request-signature-vectors.json', contracts), 'utf8')).vectors
  : [];

const FORM = 'application/x-www-form-urlencoded';
const SECONDS = Math.floor(NOON / 1000);

interface Sent {
  readonly body?: string;
  readonly timestamp?: string;
  readonly signature?: string;
  readonly type?: string;
  readonly path?: string;
  readonly method?: string;
}

/** The handler behind a server, at a time of its own, and a way to send it requests as Slack would. */
async function receiver(options: { secret?: string; atSeconds?: number } = {}) {
  const { secret = SECRET, atSeconds = SECONDS } = options;
  const clock = virtualClock(atSeconds * 1000);
  const application = new FakeApplication();
  const telemetry = quietTelemetry();
  const apiUrl = 'http://127.0.0.1:9/api/';
  const slack = createSlack({ botToken: TOKEN, signingSecret: secret, apiUrl, application, clock, telemetry });
  const server = createServer((req, res) => void slack.handle(req, res));
  const url = await listening(server);
  return {
    application,
    clock,
    telemetry,
    send: ({
      body = command(),
      timestamp = String(SECONDS),
      signature,
      type = FORM,
      path,
      method = 'POST',
    }: Sent = {}) =>
      fetch(`${url}${path ?? '/slack/events'}`, {
        method,
        headers: {
          'content-type': type,
          'x-slack-request-timestamp': timestamp,
          'x-slack-signature': signature ?? sign(secret, timestamp, body),
        },
        ...(method === 'POST' ? { body } : {}),
      }),
    async [Symbol.asyncDispose]() {
      await slack.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let count = 0;
function command(text = 'ack'): string {
  count += 1;
  return new URLSearchParams({ command: '/rollout', text, user_id: 'U1', trigger_id: `1.2.${count}` }).toString();
}

describe.skipIf(!exists)(named('the published signature vectors'), () => {
  it.each(vectors.map((v) => [v.name, v] as const))('%s', async (_name, vector) => {
    const good = vector.valid_at_time !== undefined;
    const atSeconds = vector.valid_at_time ?? vector.invalid_at_time ?? 0;
    await using receiving = await receiver({ secret: vector.secret, atSeconds });
    const { body, timestamp, signature } = vector;
    expect((await receiving.send({ body, timestamp, signature })).status).toBe(good ? 200 : 401);
  });
});

describe('a request', () => {
  it('that Slack signed is answered', async () => {
    await using receiving = await receiver();
    const answer = await receiving.send();
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ response_type: 'ephemeral', text: '✅ Done.' });
  });

  it('with a charset that a proxy added is the same', async () => {
    await using receiving = await receiver();
    expect((await receiving.send({ type: `${FORM}; charset=utf-8` })).status).toBe(200);
    expect(receiving.application.commands).toHaveLength(1);
  });

  it.each([
    ['unsigned', { signature: '' }],
    ['signed by somebody else', { signature: sign('other', String(SECONDS), 'x') }],
    ['signed without its version', { signature: 'v1=00' }],
    ['dated in words', { timestamp: 'now' }],
    ['dated in the future', { timestamp: String(SECONDS + 61) }],
    ['dated long ago', { timestamp: String(SECONDS - 301) }],
    ['dated with infinity', { timestamp: '9'.repeat(400) }],
  ])('%s is refused, told to the operator, and changes nothing', async (_name, sent) => {
    await using receiving = await receiver();
    expect((await receiving.send(sent)).status).toBe(401);
    expect(receiving.application.commands).toEqual([]);
    expect(receiving.telemetry.problems[0]).toMatch(/was refused: its signature|was refused: it is not signed/);
    expect(receiving.telemetry.problems.join()).not.toContain(SECRET);
  });

  it('is taken once: the same again is refused', async () => {
    await using receiving = await receiver();
    const body = command();
    expect((await receiving.send({ body })).status).toBe(200);
    expect((await receiving.send({ body })).status).toBe(401);
    await receiving.clock.advance(299_000);
    expect((await receiving.send({ body })).status).toBe(401);
    await receiving.clock.advance(2_000);
    expect((await receiving.send({ body })).status).toBe(401);
    expect(receiving.application.commands).toHaveLength(1);
  });

  it('dated a little ahead by another clock is taken, and cannot be replayed when our clock is there', async () => {
    await using receiving = await receiver();
    const sent = { body: command(), timestamp: String(SECONDS + 60) };
    expect((await receiving.send(sent)).status).toBe(200);
    for (let i = 0; i < 5; i += 1) {
      await receiving.clock.advance(100_000);
      expect((await receiving.send(sent)).status).toBe(401);
    }
  });

  it('of an organisation, without a team, is answered like any other', async () => {
    await using receiving = await receiver();
    const press = {
      type: 'block_actions',
      team: null,
      enterprise: { id: 'E1', name: 'Acme' },
      is_enterprise_install: true,
      user: { id: 'U1', username: 'ada', team_id: 'T9' },
      trigger_id: '1.2.x',
      channel: { id: 'C1' },
      actions: [
        {
          type: 'button',
          action_id: 'rollout:acknowledge',
          action_ts: '1.1',
          value: JSON.stringify({ service: 'fraud-scorer', binding: 'b' }),
        },
      ],
    };
    expect((await receiving.send({ body: `payload=${encodeURIComponent(JSON.stringify(press))}` })).status).toBe(200);
    await eventually(() => receiving.application.commands.length === 1);
    expect(receiving.application.commands[0]).toMatchObject({ actor: { id: 'U1', name: 'ada' }, binding: 'b' });
  });

  it('larger than a megabyte is refused', async () => {
    await using receiving = await receiver();
    expect((await receiving.send({ body: `text=${'x'.repeat(1_100_000)}` })).status).toBe(413);
  });

  it.each([
    ['no JSON', '{', 'application/json', 400],
    ['an unknown kind', '{"type":"something_new"}', 'application/json', 200],
    ['a press without an action', `payload=${encodeURIComponent('{"type":"block_actions","actions":[]}')}`, FORM, 200],
    ['null', 'null', 'application/json', 400],
    ['a payload of null', 'payload=null', FORM, 400],
    ['a payload that is no JSON', 'payload={', FORM, 400],
    ['an event of nothing', '{"event":null}', 'application/json', 200],
    ['a challenge', '{"type":"url_verification","challenge":"c1"}', 'application/json', 200],
  ])('that is signed and is %s gets an answer', async (_name, body, type, status) => {
    await using receiving = await receiver();
    expect((await receiving.send({ body, type })).status).toBe(status);
  });

  it('to another path or with another method is 404', async () => {
    await using receiving = await receiver();
    expect((await receiving.send({ path: '/slack/other' })).status).toBe(404);
    expect((await receiving.send({ method: 'GET', signature: sign(SECRET, String(SECONDS), '') })).status).toBe(404);
  });

  it('that only checks our certificate may be unsigned, and reaches nobody', async () => {
    await using receiving = await receiver();
    const answer = await receiving.send({ body: `ssl_check=1&${command()}`, signature: 'v0=00' });
    expect(answer.status).toBe(401);
    const server = await stage();
    try {
      const unsigned = await fetch(`${server.url}/slack/events`, {
        method: 'POST',
        headers: { 'content-type': FORM },
        body: `ssl_check=1&${command()}`,
      });
      expect(unsigned.status).toBe(200);
      expect(server.application.commands).toEqual([]);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
});

describe('remembered signatures', () => {
  it('are forgotten when they can no longer be replayed', () => {
    let nowMs = NOON;
    const check = new SignatureCheck(SECRET, () => nowMs);
    for (let i = 0; i < 1000; i += 1) {
      const timestamp = String(Math.floor(nowMs / 1000));
      const body = Buffer.from(`n=${i}`);
      expect(check.verify({ signature: sign(SECRET, timestamp, `n=${i}`), timestamp }, body).ok).toBe(true);
      nowMs += 1000;
    }
    expect((check as unknown as { seen: Map<string, number> }).seen.size).toBeLessThanOrEqual(302);
  });
});

const SAMPLES = exists
  ? readdirSync(new URL('payload-samples-bolt/', contracts)).filter((f) => f.endsWith('.json'))
  : [];
const JAVA = exists ? readdirSync(new URL('interactive-samples-java-sdk/', contracts)) : [];

describe.skipIf(!exists)(named('payloads as Slack sends them'), () => {
  it.each([
    ...SAMPLES.map((file) => `payload-samples-bolt/${file}`),
    ...JAVA.map((file) => `interactive-samples-java-sdk/${file}`),
  ])('%s is answered and breaks nothing', async (file) => {
    const sample = JSON.parse(readFileSync(new URL(file, contracts), 'utf8'));
    await using receiving = await receiver();
    const event = sample.event !== undefined || sample.type === 'url_verification';
    const body = event
      ? JSON.stringify(sample)
      : typeof sample.body === 'string'
        ? sample.body
        : `payload=${encodeURIComponent(JSON.stringify(sample))}`;
    const answer = await receiving.send({ body, type: event ? 'application/json' : FORM });
    expect(answer.status).toBe(200);
    expect(receiving.application.commands).toEqual([]);
    expect(receiving.telemetry.problems).toEqual([]);
  });
});
