import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceState } from '../../src/domain/state.ts';
import {
  alertmanagerPath,
  type PostedAlert,
  postAlerts,
  type RunningAlertmanager,
  silenceByHand,
  silencesOf,
  startAlertmanager,
} from '../support/alertmanager.ts';
import { eventually } from './support/eventually.ts';
import { CHANNEL, START, startWorld, WEBHOOK_TOKEN, type World } from './world.ts';

const MINUTE = 60_000;
const SERVICE = 'fraud-scorer';
const WITHIN = { withinMs: 30_000 };

const missing = alertmanagerPath === null;
const skipped = missing ? ' (skipped: prometheus-alertmanager is not installed)' : '';

let alertmanager: RunningAlertmanager;
let world: World;
let relay: Relay;
let front: Front;

/** Between Alertmanager and us: may take what is sent, say thank you and lose it. */
interface Relay {
  readonly url: string;
  swallows: boolean;
  readonly swallowed: string[];
  to: () => string;
  stop(): Promise<void>;
}

/** Between us and Alertmanager's API: may be down. Says that Alertmanager has run for long, by the clock we move. */
interface Front {
  readonly url: string;
  down: boolean;
  refused: number;
  answered: number;
  stop(): Promise<void>;
}

describe.skipIf(missing)(`what Alertmanager's webhook does not tell${skipped}`, { timeout: 60_000 }, () => {
  beforeEach(begin);
  afterEach(end);

  it('is found after a start: it fired while Lastgood was down, and its webhook is lost', async () => {
    await world.app.stop();
    relay.swallows = true;
    world.degrade('v42', 0.12);
    world.clock.jump(MINUTE);
    await fire('ErrorsHigh');
    await eventually('the webhook is lost', () => lost('ErrorsHigh', 'firing'), WITHIN);
    await world.restart();
    await world.pass(0);
    expect((await state()).degradation?.stage.name).toBe('asking');
    expect(await journal()).toContain(
      'ErrorsHigh fires. Its webhook had not told us: it was found by asking Alertmanager.',
    );
    // One question, one card, however often it is asked and told.
    relay.swallows = false;
    await fire('ErrorsHigh');
    await world.pass(3 * MINUTE);
    expect((await state()).counts.degradations).toBe(1);
    expect(world.workspace.messages(CHANNEL)).toHaveLength(2);
  });

  it('is not concluded from its being unreachable: the question stays open, and it is told once', async () => {
    await ask('ErrorsHigh');
    front.down = true;
    await world.pass(2 * MINUTE);
    expect(front.refused).toBeGreaterThan(0);
    expect(stage(await state())).toBe('asking');
    expect(firing(await state())).toEqual(['ErrorsHigh']);
    expect(count('Nothing is taken for resolved meanwhile')).toBe(1);
    // It comes back and still holds the alert.
    front.down = false;
    // Who did not answer for long is left alone for some seconds of real time, whatever our clock says.
    const answers = async () => {
      await world.pass(15_000);
      return count('Alertmanager answers') === 2;
    };
    await eventually('it answers again', answers, { withinMs: 30_000, everyMs: 1_000 });
    expect(count('Nothing is taken for resolved meanwhile')).toBe(1);
    expect([stage(await state()), firing(await state())]).toEqual(['asking', ['ErrorsHigh']]);
  });

  it('is not concluded from its having come up just now with nothing in it', async () => {
    await ask('ErrorsHigh');
    relay.swallows = true;
    await alertmanager.stop();
    alertmanager = await startAlertmanager({
      webhookUrl: relay.url,
      bearerToken: WEBHOOK_TOKEN,
      groupWaitMs: 50,
      groupIntervalMs: 500,
    });
    await front.stop();
    // At the same address: for the policy it is the one that was there before.
    front = await startFront(alertmanager.url, { port: Number(new URL(front.url).port), upSinceMs: world.clock.now() });
    await world.pass(2 * MINUTE);
    expect(front.answered).toBeGreaterThan(3);
    expect([stage(await state()), firing(await state())]).toEqual(['asking', ['ErrorsHigh']]);
    // By now Prometheus would have sent it again.
    await world.pass(2 * MINUTE);
    expect(firing(await state())).toEqual([]);
  });

  it('is found when it is over: asked by its webhook, resolved without one', async () => {
    await ask('ErrorsHigh');
    world.heal('v42');
    relay.swallows = true;
    await resolve('ErrorsHigh');
    await eventually('the webhook is lost', () => lost('ErrorsHigh', 'resolved'), WITHIN);
    await world.pass(MINUTE);
    expect(firing(await state())).toEqual([]);
    expect(await journal()).toContain('ErrorsHigh is resolved. Its webhook had not told us');
    await world.until('it has recovered', () => /recovered/i.test(world.card().text), 10 * MINUTE);
    // The webhook that comes after all is no news.
    const before = (await state()).alerts;
    relay.swallows = false;
    for (const body of relay.swallowed) await forward(relay.to(), body);
    await world.pass(MINUTE);
    expect((await state()).alerts).toEqual(before);
    expect((await state()).counts.degradations).toBe(1);
  });

  it('is never asked about where it came and went unheard', async () => {
    relay.swallows = true;
    await fire('Blip');
    await eventually('the webhook is lost', () => lost('Blip', 'firing'), WITHIN);
    await resolve('Blip');
    await world.pass(11 * MINUTE);
    expect(front.answered).toBeGreaterThan(1);
    expect((await state()).degradation).toBeNull();
    expect(world.workspace.messages(CHANNEL)).toHaveLength(1);
  });

  it('is no recovery where a person silences it while the question is open', async () => {
    await ask('ErrorsHigh');
    await silenceByHand(alertmanager.url, 'service', SERVICE);
    await fire('Another');
    await world.pass(3 * MINUTE);
    expect([stage(await state()), firing(await state())]).toEqual(['asking', ['ErrorsHigh']]);
    expect(await journal()).not.toContain('resolved');
  });
});

describe.skipIf(missing)(`a rollback that silences its alerts${skipped}`, { timeout: 120_000 }, () => {
  beforeEach(begin);
  afterEach(end);

  it('silences them with comment and end, hears from Alertmanager itself how they fare, and lifts it afterwards', async () => {
    await world.edit((yaml) => `${yaml}silence: { for: 30m }\n`);
    await ask('ErrorsHigh');
    expect(await silencesOf(alertmanager.url)).toEqual([]);
    await world.until('it rolls back', () => world.router.weights.candidate.percent === 50, 15 * MINUTE);
    await world.pass(0);
    const [silence, ...more] = await silencesOf(alertmanager.url);
    expect(more).toEqual([]);
    expect(silence?.status.state).toMatch(/active|pending/);
    expect(silence?.comment).toMatch(/fraud-scorer is being rolled back by Lastgood \(fraud-scorer-d1\)/);
    await world.until('all traffic is back', () => world.router.weights.candidate.percent === 0, 30 * MINUTE);
    await resolve('ErrorsHigh');
    await world.until('it is over', () => world.pages.some(({ action }) => action === 'resolve'), 30 * MINUTE);
    await world.pass(MINUTE);
    expect((await state()).rollout?.phase.name).toBe('rolled_back');
    expect((await silencesOf(alertmanager.url)).map(({ status }) => status.state)).toEqual(['expired']);
    expect(await journal()).toMatch(/are silenced in Alertmanager/);
    expect(await journal()).toMatch(/are heard again/);
  });
});

async function begin(): Promise<void> {
  relay = await startRelay();
  alertmanager = await startAlertmanager({
    webhookUrl: relay.url,
    bearerToken: WEBHOOK_TOKEN,
    groupWaitMs: 50,
    groupIntervalMs: 500,
  });
  front = await startFront(alertmanager.url);
  world = await startWorld((yaml) => `${yaml}alertmanager: { url: "${front.url}" }\n`);
  relay.to = () => `${world.url}/webhooks/alertmanager`;
  await rollOut();
}

async function end(): Promise<void> {
  await world?.stop();
  await alertmanager?.stop();
  await Promise.all([relay?.stop(), front?.stop()]);
}

async function rollOut(): Promise<void> {
  await world.workspace.user('U0ANN').type(CHANNEL, `/rollout start ${SERVICE} v42 --reason "weekly retraining"`);
  await world.until('v42 gets 70 %', () => world.router.weights.candidate.percent === 70, 30 * MINUTE);
  await world.pass(3 * MINUTE);
}

/** It degrades, and its webhook tells us. */
async function ask(name: string): Promise<void> {
  world.degrade('v42', 0.12);
  await world.pass(MINUTE);
  await fire(name);
  await eventually('the webhook told us', async () => firing(await state()).includes(name), WITHIN);
  await world.pass(0);
  expect(stage(await state())).toBe('asking');
}

const begun = new Map<string, string>();

function alertOf(name: string): PostedAlert {
  // Not in the future by Alertmanager's clock, which is the real one, and so long ago by ours that its webhook should have come.
  const startsAt = begun.get(name) ?? new Date(Math.min(Date.now(), world.clock.now()) - 2 * MINUTE).toISOString();
  begun.set(name, startsAt);
  const labels = { alertname: name, service: SERVICE, severity: 'critical' };
  return { labels, annotations: { summary: '5xx above 5 %' }, startsAt };
}

async function fire(name: string): Promise<void> {
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  await postAlerts(alertmanager.url, [{ ...alertOf(name), endsAt }]);
}

async function resolve(name: string): Promise<void> {
  await postAlerts(alertmanager.url, [{ ...alertOf(name), endsAt: new Date().toISOString() }]);
  begun.delete(name);
  const isHeld = async () =>
    ((await (await fetch(`${alertmanager.url}/api/v2/alerts`)).json()) as PostedAlert[]).some(
      ({ labels }) => labels.alertname === name,
    );
  await eventually(`${name} is over`, async () => !(await isHeld()), WITHIN);
}

function lost(name: string, status: string): boolean {
  return relay.swallowed.some((body) => body.includes(`"${name}"`) && body.includes(`"status":"${status}"`));
}

async function state(): Promise<ServiceState> {
  const status = await world.app.application.status(SERVICE);
  if (!status) throw new Error(`${SERVICE} has no status.`);
  return status.state;
}

const stage = ({ degradation }: ServiceState) => degradation?.stage.name;
const firing = ({ alerts }: ServiceState) => alerts.filter(({ status }) => status === 'firing').map(({ name }) => name);
/** Lines of the log that say it. */
const count = (text: string) =>
  world
    .log()
    .split('\n')
    .filter((line) => line.includes(text)).length;

async function journal(): Promise<string> {
  return (await world.app.application.history(SERVICE, 100)).map(({ entry }) => entry.text).join('\n');
}

async function startRelay(): Promise<Relay> {
  const swallowed: string[] = [];
  const server = await listening(async (request, response) => {
    const body = await bodyOf(request);
    if (relay.swallows) swallowed.push(body);
    const status = relay.swallows ? 200 : await forward(relay.to(), body).catch(() => 503);
    response.writeHead(status).end();
  });
  return {
    url: addressOf(server),
    swallows: false,
    swallowed,
    to: () => 'http://127.0.0.1:9/',
    stop: () => closed(server),
  };
}

async function forward(url: string, body: string): Promise<number> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${WEBHOOK_TOKEN}` };
  return (await fetch(url, { method: 'POST', headers, body })).status;
}

async function startFront(upstream: string, { port = 0, upSinceMs = START - 3_600_000 } = {}): Promise<Front> {
  const server = await listening(async (request, response) => {
    if (front.down) {
      front.refused += 1;
      request.socket.destroy();
      return;
    }
    const { method = 'GET', headers } = request;
    const sent = method === 'POST' ? inTimeOf('theirs', await bodyOf(request)) : undefined;
    const type = { 'content-type': headers['content-type'] ?? 'application/json' };
    const answer = await fetch(`${upstream}${request.url}`, { method, headers: type, body: sent });
    const told = await answer.text();
    const body = request.url?.includes('/silence') ? inTimeOf('ours', told) : told;
    const isStatus = request.url?.startsWith('/api/v2/status');
    const uptime = new Date(upSinceMs).toISOString();
    response.sendDate = false;
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(isStatus ? JSON.stringify({ ...(JSON.parse(body) as object), uptime }) : body);
    front.answered += 1;
  }, port);
  return { url: addressOf(server), down: false, refused: 0, answered: 0, stop: () => closed(server) };
}

/** A silence's times are Alertmanager's, which are real: moved to and fro between its clock and the one we move. */
function inTimeOf(whose: 'theirs' | 'ours', json: string): string {
  const byMs = (Date.now() - world.clock.now()) * (whose === 'theirs' ? 1 : -1);
  return json.replace(/"(startsAt|endsAt|updatedAt)":\s*"([^"]+)"/g, (_, name: string, time: string) => {
    return `"${name}":"${new Date(Date.parse(time) + byMs).toISOString()}"`;
  });
}

async function listening(handle: (...of: Parameters<RequestListener>) => Promise<void>, port = 0): Promise<Server> {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
