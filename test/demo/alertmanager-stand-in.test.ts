import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, describe, expect, it } from 'vitest';
import { parseWebhook } from '../../src/alerts/index.ts';
import { type HeldAlert, webhookBody } from '../../src/demo/alertmanager/message.ts';
import { startStandInAlertmanager } from '../../src/demo/alertmanager/stand-in.ts';
import { alertmanagerPath, startAlertmanager } from '../support/alertmanager.ts';
import { until } from './support.ts';

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

interface Delivery {
  readonly body: string;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly atMs: number;
}

/** A receiver that keeps what it gets; `answers` are its next statuses, then 200. */
async function receiver(answers: number[] = []) {
  const got: Delivery[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      got.push({ body, headers: request.headers, atMs: Date.now() });
      response.writeHead(answers.shift() ?? 200);
      response.end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  ended.push(
    () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  );
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook` };
}

const groupBy = ['alertname', 'service'];

async function standIn(webhookUrl: string, patch: { groupIntervalMs?: number; repeatIntervalMs?: number } = {}) {
  const problems: string[] = [];
  const running = await startStandInAlertmanager({
    receiver: { name: 'lastgood', webhookUrl, bearerToken: 'a-token-of-the-test' },
    groupBy,
    groupWaitMs: 100,
    groupIntervalMs: 100,
    repeatIntervalMs: 3_600_000,
    onProblem: (problem) => problems.push(problem),
    ...patch,
  });
  ended.push(running.stop);
  return { url: running.url, problems };
}

function alert(
  name: string,
  patch: Partial<{ startsAt: string; endsAt: string; labels: Record<string, string> }> = {},
) {
  return {
    labels: { alertname: name, service: 'fraud-scorer', severity: 'critical', ...patch.labels },
    annotations: { summary: 'errors > 5 % & <rising>' },
    startsAt: patch.startsAt ?? '2026-11-21T00:20:28.470Z',
    ...(patch.endsAt === undefined ? {} : { endsAt: patch.endsAt }),
    generatorURL: 'http://127.0.0.1:9090/graph?g0.expr=x+%3E+1&g0.tab=1',
  };
}

async function post(url: string, ...alerts: object[]) {
  const response = await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts),
  });
  return { status: response.status, body: await response.text() };
}

describe('the stand-in for Alertmanager', () => {
  it('tells of a firing alert once, and once more when it is over', async () => {
    const { got, url } = await receiver();
    const alertmanager = await standIn(url);
    expect(await post(alertmanager.url, alert('HighErrors'))).toEqual({ status: 200, body: '' });
    await until(() => got.length === 1);
    expect(got[0]?.headers).toMatchObject({
      authorization: 'Bearer a-token-of-the-test',
      'content-type': 'application/json',
    });
    // The same again is no news.
    await post(alertmanager.url, alert('HighErrors'));
    await post(alertmanager.url, alert('HighErrors', { endsAt: new Date().toISOString() }));
    await until(() => got.length === 2);
    const [firing, resolved] = got.map(({ body }) => parseWebhook(JSON.parse(body)).alerts[0]);
    expect(firing).toMatchObject({ name: 'HighErrors', status: 'firing', severity: 'critical', endsAtMs: null });
    expect(resolved).toMatchObject({ status: 'resolved', startsAtMs: firing?.startsAtMs });
    expect(resolved?.fingerprint).toBe(firing?.fingerprint);
  });

  it('gives an alert that fires anew a new beginning', async () => {
    const { got, url } = await receiver();
    const alertmanager = await standIn(url);
    await post(alertmanager.url, alert('HighErrors'));
    await until(() => got.length === 1);
    await post(alertmanager.url, alert('HighErrors', { endsAt: new Date().toISOString() }));
    await until(() => got.length === 2);
    await post(alertmanager.url, alert('HighErrors', { startsAt: new Date().toISOString() }));
    await until(() => got.length === 3);
    const starts = got.map(({ body }) => JSON.parse(body).alerts[0].startsAt);
    expect(starts[1]).toBe(starts[0]);
    expect(starts[2]).not.toBe(starts[0]);
    expect(JSON.parse(got[2]!.body).alerts).toHaveLength(1);
  });

  it('sends the same body again after 5xx, and gives 4xx the next interval', async () => {
    const { got, url } = await receiver([503, 500, 404]);
    const alertmanager = await standIn(url);
    await post(alertmanager.url, alert('HighErrors'));
    await until(() => got.length === 4);
    expect(new Set(got.map(({ body }) => body)).size).toBe(1);
    expect(got[1]!.atMs - got[0]!.atMs).toBeGreaterThan(300);
    expect(alertmanager.problems).toEqual([`${url} answered 404`]);
    const calm = got.length;
    await post(alertmanager.url, alert('Other'));
    await until(() => got.length > calm);
    expect(JSON.parse(got.at(-1)!.body).groupLabels.alertname).toBe('Other');
  });

  it('repeats what still fires when its time has come', async () => {
    const { got, url } = await receiver();
    const alertmanager = await standIn(url, { repeatIntervalMs: 300 });
    await post(alertmanager.url, alert('HighErrors'));
    await until(() => got.length >= 3);
    expect(got[2]!.body).toBe(got[0]!.body);
  });

  it('lists what fires, filtered as asked, and refuses what it cannot read', async () => {
    const { url } = await receiver();
    const alertmanager = await standIn(url);
    await post(alertmanager.url, alert('A'), alert('B', { labels: { severity: 'warning' } }));
    await post(alertmanager.url, alert('A', { endsAt: new Date(Date.now() - 1).toISOString() }));
    const list = async (query: string): Promise<{ status: number; body: { labels: object }[] }> => {
      const response = await fetch(`${alertmanager.url}/api/v2/alerts?${query}`);
      return { status: response.status, body: (await response.json()) as { labels: object }[] };
    };
    const filter = `filter=${encodeURIComponent('severity=~"warn.*"')}`;
    expect((await list(filter)).body.map((one) => one.labels)).toEqual([
      { alertname: 'B', service: 'fraud-scorer', severity: 'warning' },
    ]);
    expect((await list('')).body).toHaveLength(1);
    expect((await list('active=false')).body).toEqual([]);
    expect(await list(`filter=${encodeURIComponent('nothing at all')}`)).toMatchObject({ status: 400 });
    expect(await post(alertmanager.url, { labels: {} })).toMatchObject({ status: 400 });
    const noJson = await fetch(`${alertmanager.url}/api/v2/alerts`, { method: 'POST', body: '{' });
    expect(noJson.status).toBe(400);
  });
});

const contracts = new URL('../../../shared/contracts/alertmanager/', import.meta.url);
const hasContracts = existsSync(contracts);
const read = (path: string) => JSON.parse(readFileSync(new URL(path, contracts), 'utf8'));

describe.skipIf(!hasContracts)('against what Alertmanager 0.25 sent (skipped: ../shared is missing)', () => {
  const recorded = [
    'webhook.single-firing.json',
    'webhook.single-resolved.json',
    'webhook.group-of-3-firing.json',
    'webhook.partial-resolved-group-still-firing.json',
    'webhook.rest-of-group-resolved.json',
    'webhook.sent-by-prometheus-rule.json',
    'webhook.unicode-empty-generatorURL.json',
  ];
  it.each(recorded)('writes %s the same', (file) => {
    const message = read(`captured-0.25/${file}`);
    const nowMs = Date.parse('2026-11-21T01:00:00Z');
    const alerts: HeldAlert[] = message.alerts.map((one: Record<string, string> & { labels: object }) => ({
      ...one,
      startsAtMs: Date.parse(one.startsAt ?? ''),
      endsAtMs: one.status === 'resolved' ? Date.parse(one.endsAt ?? '') : nowMs + 60_000,
      updatedAtMs: nowMs,
    }));
    const { receiver: name, externalURL: externalUrl } = message;
    const body = webhookBody({ receiver: name, groupBy, externalUrl, alerts, nowMs });
    expect(JSON.parse(body)).toEqual(message);
    expect(Object.keys(JSON.parse(body))).toEqual(Object.keys(message));
    const raw = read('captured-0.25/raw-body.single-firing.txt.json');
    if (file === 'webhook.single-firing.json') expect(body).toBe(raw.body);
    if (file.startsWith('webhook.unicode')) expect(body).toBe(raw.unicode_body);
  });

  it('what is really sent is valid by the schema', async () => {
    const { got, url } = await receiver();
    const alertmanager = await standIn(url);
    await post(
      alertmanager.url,
      alert('A', { labels: { version: 'v42' } }),
      alert('A', { labels: { version: 'v41' } }),
    );
    await until(() => got.length === 1);
    const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } });
    const validate = ajv.compile(read('webhook-v4.schema.json'));
    expect(validate(JSON.parse(got[0]!.body)), JSON.stringify(validate.errors)).toBe(true);
    expect(JSON.parse(got[0]!.body).alerts).toHaveLength(2);
  });
});

describe.skipIf(alertmanagerPath === null)('beside a real Alertmanager (skipped: it is not installed)', () => {
  it('tells the receiver the same', { timeout: 60_000 }, async () => {
    const [fromReal, fromStandIn] = [await receiver(), await receiver()];
    const real = await startAlertmanager({
      webhookUrl: fromReal.url,
      bearerToken: 'a-token-of-the-test',
      groupWaitMs: 1000,
      groupIntervalMs: 1000,
    });
    ended.push(real.stop);
    const { url } = await standIn(fromStandIn.url, { groupIntervalMs: 1000 });
    const startsAt = new Date().toISOString();
    const alerts = [
      alert('A', { startsAt, labels: { version: 'v42' } }),
      alert('A', { startsAt, labels: { version: 'v41' } }),
    ];
    const both = [
      { url: real.url, got: fromReal.got },
      { url, got: fromStandIn.got },
    ];
    const endsAt = new Date(Date.now() + 60_000).toISOString();
    for (const one of both) await post(one.url, ...alerts.map((a) => ({ ...a, endsAt })));
    for (const one of both) await until(() => one.got.length === 1, 20_000);
    const over = new Date().toISOString();
    for (const one of both) await post(one.url, { ...alerts[0], endsAt: over });
    for (const one of both) await until(() => one.got.length === 2, 20_000);
    const plain = ({ body }: Delivery) => {
      const { externalURL: _, ...message } = JSON.parse(body);
      return message;
    };
    expect(fromStandIn.got.map(plain)).toEqual(fromReal.got.map(plain));
  });
});
