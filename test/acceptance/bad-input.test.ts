import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL, SIGNING_SECRET, startWorld, WEBHOOK_TOKEN, type World, webhook } from './world.ts';

/** What comes in wrong gets a clear refusal, changes nothing, loses nothing, notifies nobody and breaks nothing. */

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

interface Post {
  readonly body: string;
  readonly token?: string | null;
  readonly type?: string;
}

async function post({ body, token = WEBHOOK_TOKEN, type = 'application/json' }: Post) {
  const headers: Record<string, string> = { 'content-type': type };
  if (token !== null) headers.authorization = `Bearer ${token}`;
  const response = await fetch(`${world.url}/webhooks/alertmanager`, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

const now = () => world.clock.now();
const body = (patch: (w: ReturnType<typeof webhook>) => object) =>
  JSON.stringify(patch(webhook('ErrorsHigh', 'firing', 'critical', now(), now())));
const messages = () => world.workspace.messages(CHANNEL);
const jobs = async () => (await world.app.application.history('fraud-scorer', 100)).length;

describe('the webhook', () => {
  it.each([
    ['no token', { body: '{}', token: null }, 401],
    ['a wrong token', { body: '{}', token: `${WEBHOOK_TOKEN}x` }, 401],
    ['malformed JSON', { body: '{"alerts": [' }, 400],
    ['not an object', { body: '[]' }, 400],
    ['no alerts', { body: '{"version":"4"}' }, 400],
    ['alerts of another kind', { body: '{"version":"4","status":"firing","alerts":"many"}' }, 400],
    ['another content type', { body: 'a=b', type: 'application/x-www-form-urlencoded' }, 415],
    ['a body over the limit', { body: `{"x":"${'x'.repeat(5 * 1024 * 1024)}"}` }, 413],
  ] as const)('%s is refused and changes nothing', async (_, wrong, status) => {
    const before = [messages().length, await jobs()];
    const answer = await post(wrong);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain(WEBHOOK_TOKEN);
    expect(answer.text.length).toBeGreaterThan(10);
    await world.pass(1000);
    expect([messages().length, await jobs()]).toEqual(before);
  });

  it('says every field that is wrong', async () => {
    const answer = await post({
      body: body((w) => ({ ...w, alerts: [{ ...w.alerts[0], startsAt: 'yesterday', labels: 5 }] })),
    });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/startsAt/);
    expect(answer.text).toMatch(/labels/);
  });

  it('alerts of nobody are accepted, and nothing happens', async () => {
    const alerts = body((w) => ({
      ...w,
      alerts: w.alerts.map((a) => ({ ...a, labels: { alertname: 'Other', service: 'unknown' } })),
    }));
    expect((await post({ body: alerts })).status).toBe(200);
    await world.pass(1000);
    expect(messages()).toHaveLength(0);
  });

  it('500 alerts with markup, control characters and empty annotations: one card, nobody notified', async () => {
    const alerts = Array.from({ length: 500 }, (_, i) => ({
      ...webhook(`Alert${i}`, 'firing', i % 2 ? 'critical' : 'warning', now(), now()).alerts[0],
      annotations:
        i % 3 === 0
          ? {}
          : {
              summary: `<!channel> <!here> <@U0ANN> *bold* \u0000\u001b[31m\u202e <https://evil.example|click> ${i}`,
              description: 'x'.repeat(300),
            },
    }));
    const flood = body((w) => ({ ...w, alerts }));
    expect(flood.length).toBeGreaterThan(250_000);
    expect((await post({ body: flood })).status).toBe(200);
    await world.pass(20_000);
    expect(messages()).toHaveLength(1);
    expect(world.workspace.pings).toEqual([]);
    const shown = JSON.stringify([messages(), world.workspace.thread(CHANNEL, messages()[0]?.ts ?? '')]);
    expect(shown).not.toMatch(/<!channel>|<!here>|<https:\/\/evil/);
    expect(shown).not.toContain('\\u0000');
    expect(shown).not.toContain('\\u001b');
    // The same body once more, as Alertmanager repeats it, is nothing new.
    const before = await jobs();
    expect((await post({ body: flood })).status).toBe(200);
    expect(await jobs()).toBe(before);
  });
});

describe('Slack', () => {
  const form =
    'command=%2Frollout&text=freeze+fraud-scorer&user_id=U0ANN&user_name=ann&channel_id=C1&channel_name=ml-rollouts&team_id=T1&trigger_id=1.2.3&response_url=https%3A%2F%2Fhooks.slack.com%2Fx';
  async function send(timestampSeconds: number, secret: string, text = form) {
    const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestampSeconds}:${text}`).digest('hex')}`;
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': String(timestampSeconds),
      'x-slack-signature': signature,
    };
    return (await fetch(`${world.url}/slack/events`, { method: 'POST', headers, body: text })).status;
  }
  const frozen = async () => (await world.app.application.status('fraud-scorer'))?.state.freeze;

  it('forged, old and future signatures are refused; a replayed one does nothing twice', async () => {
    const seconds = Math.floor(now() / 1000);
    expect(await send(seconds, 'another-secret')).toBe(401);
    expect(await send(seconds - 301, SIGNING_SECRET)).toBe(401);
    expect(await send(seconds + 301, SIGNING_SECRET)).toBe(401);
    expect(await frozen()).toBeNull();
    expect(await send(seconds, SIGNING_SECRET)).toBe(200);
    await world.workspace.waitFor(() => true);
    await expect.poll(frozen).not.toBeNull();
    expect(await send(seconds, SIGNING_SECRET)).toBe(401);
  });

  it.each([
    ['/rollout strat fraud-scorer v42', /start/],
    ['/rollout status fraud-scorr', /fraud-scorer/],
    ['/rollout start fraud-scorer', /version|usage/i],
    ['/rollout extend fraud-scorer soon', /10m|minutes|how long/i],
    ['/rollout rollback fraud-scorer --too v41', /--to/],
    ['/rollout', /start/],
  ])('%s is answered with what was meant', async (typed, answer) => {
    const ann = world.workspace.user('U0ANN');
    const before = ann.ephemerals().length;
    expect((await ann.type(CHANNEL, typed)).ok).toBe(true);
    const said = await world.workspace.waitFor(() => ann.ephemerals()[before]);
    expect(`${said.text} ${JSON.stringify(said.blocks ?? '')}`).toMatch(answer);
  });
});

it('no secret is in what was said, in the log or in the database', async () => {
  const seen = [
    JSON.stringify(world.workspace.messages(CHANNEL)),
    world.log(),
    (await readFile(world.databasePath)).toString('latin1'),
  ].join('\n');
  for (const secret of world.secrets) expect(seen.includes(secret), 'a secret was found').toBe(false);
  expect(world.log().length).toBeGreaterThan(0);
});
