import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { secretVariables } from '../../src/config/variables.ts';
import { loadConfig, secretsOf } from '../../src/config.ts';
import { createWorkspace } from '../../src/workspace/index.ts';
import { bodyOf, serve } from '../outbound/loopback.ts';
import { eventually } from '../slack/stage.ts';

const canary = (name: string) => `canary-${name}-3f9c1e77`;
const key = (letter: string) => `canary${letter}`.padEnd(32, '7');
const secrets = {
  SLACK_BOT_TOKEN: `xoxb-${canary('bot')}`,
  SLACK_SIGNING_SECRET: canary('signing'),
  ALERTMANAGER_WEBHOOK_TOKEN: `${canary('webhook-old')},${canary('webhook-new')}`,
  PAGERDUTY_ROUTING_KEY: key('own'),
  LASTGOOD_SECRET_ROUTER: canary('router "quoted"/+'),
  LASTGOOD_SECRET_BODY: canary('body'),
  LASTGOOD_SECRET_PROM: canary('prometheus'),
  LASTGOOD_SECRET_ALERTMANAGER: canary('alertmanager'),
  LASTGOOD_SECRET_PAGERDUTY: key('policy'),
  LASTGOOD_SECRET_QUERY: canary('query'),
  LASTGOOD_SECRET_HEADER: canary('header'),
};

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** Everything that somebody wrong might say: what it was sent, headers and body, in every answer. */
async function echo(): Promise<{ url: string; port: number; asked: () => number; heard: () => string }> {
  const heard: string[] = [];
  const server = await serve(async (request: IncomingMessage, response: ServerResponse) => {
    const said = JSON.stringify({ url: request.url, headers: request.headers, body: await bodyOf(request) });
    heard.push(said);
    response.writeHead([400, 500, 403][heard.length % 3] ?? 500, { 'content-type': 'text/plain', 'x-echo': 'yes' });
    response.end(`${request.headers.authorization ?? ''} ${said}`);
  });
  ending.push(() => server.stop());
  return { url: server.url, port: server.port, asked: () => heard.length, heard: () => heard.join('\n') };
}

const policy = (urls: { target: string; prometheus: string; alertmanager: string }) => `
service: fraud-scorer
mode: enforce
channel: "#ml-rollouts"
target:
  kind: http
  observe:
    url: "${urls.target}/split?key=\${LASTGOOD_SECRET_QUERY}"
    headers: { Authorization: "Bearer \${LASTGOOD_SECRET_ROUTER}" }
    stable: /stable/version
    candidate: /candidate/version
    exposure: /candidate/percent
    ready: /versions/{{version}}/ready
  shift:
    method: PUT
    url: ${urls.target}/split
    headers: { X-Api-Key: "\${LASTGOOD_SECRET_ROUTER}" }
    body: { password: "\${LASTGOOD_SECRET_BODY}", percent: "{{candidate.percent}}" }
steps: [{ exposure: 10, soak: 1m, maxSoak: 5m }, { exposure: 100 }]
metrics:
  - name: errors
    title: Error rate
    kind: proportion
    bad: 'http_requests_total{version="{{version}}",code=~"5.."}'
    total: 'http_requests_total{version="{{version}}"}'
    tolerance: { relative: 25%, absolute: 0.5% }
    minimum: 100
alerts: [{ match: ['service="fraud-scorer"'] }]
approvers: { users: ['*'], quorum: 1 }
escalate: { after: 1s, repeat: 1m, routingKey: "\${LASTGOOD_SECRET_PAGERDUTY}", severity: critical }
prometheus: { url: ${urls.prometheus}, basic: { username: lastgood, password: "\${LASTGOOD_SECRET_PROM}" }, headers: { X-Key: "\${LASTGOOD_SECRET_HEADER}" } }
alertmanager: { url: ${urls.alertmanager}, bearer: "\${LASTGOOD_SECRET_ALERTMANAGER}" }
`;

function formsOf(secret: string): string[] {
  const plain = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  return [...plain, Buffer.from(secret).toString('base64'), Buffer.from(`lastgood:${secret}`).toString('base64')];
}

type How = 'Slack works' | 'Slack echoes too';

it('every variable that holds a secret has a canary; DATABASE_URL has its own, where there is no database', () => {
  expect(Object.keys(secrets)).toEqual(expect.arrayContaining(secretVariables.filter((one) => one !== 'DATABASE_URL')));
});

/** Both at once: each waits a minute of real time until somebody is paged. */
it('no secret gets anywhere while everybody else says it aloud', async () => {
  await Promise.all([tell('Slack works'), tell('Slack echoes too')]);
});

async function tell(how: How): Promise<void> {
  const [target, prometheus, alertmanager, pagerduty, slackEcho] = [
    await echo(),
    await echo(),
    await echo(),
    await echo(),
    await echo(),
  ];
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-canaries-'));
  ending.push(() => rm(directory, { recursive: true, force: true }));
  await writeFile(
    join(directory, 'fraud-scorer.yaml'),
    policy({ target: target.url, prometheus: prometheus.url, alertmanager: alertmanager.url }),
  );
  const workspace = createWorkspace({
    signingSecret: secrets.SLACK_SIGNING_SECRET,
    botToken: secrets.SLACK_BOT_TOKEN,
    users: [{ id: 'U0ANN', name: 'ann', realName: 'Ann' }],
    channels: [{ id: 'C1', name: 'ml-rollouts' }],
    commands: [{ command: '/rollout', description: '', usageHint: '' }],
    postsPerSecondPerChannel: 1000,
    postBurst: 1000,
  });
  const slack = await workspace.start();
  ending.push(() => workspace.stop());
  const config = loadConfig({
    ...secrets,
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: join(directory, 'data'),
    POLICY_DIR: directory,
    LOG_LEVEL: 'trace',
    SLACK_API_URL: how === 'Slack works' ? slack.apiUrl : `${slackEcho.url}/api/`,
    PAGERDUTY_EVENTS_HOST: `http://127.0.0.1:${pagerduty.port}`,
    DEFAULT_CHANNEL: '#ml-rollouts',
  });
  const logged: string[] = [];
  const app = await createApp(config, {
    logDestination: { write: (line) => void logged.push(line) },
    healthEveryMs: 200,
  });
  ending.push(() => app.stop());
  const { url } = await app.start();
  workspace.connect(url);
  const answers: string[] = [];
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${url}${path}`, init);
    answers.push(`${JSON.stringify([...response.headers])} ${await response.text()}`);
    return response.status;
  };
  const alerted = (token: string, name: string) =>
    ask('/webhooks/alertmanager', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({
        alerts: [
          {
            status: 'firing',
            startsAt: new Date().toISOString(),
            labels: { alertname: name, service: 'fraud-scorer', severity: 'critical' },
          },
        ],
      }),
    });
  expect(await alerted(`${canary('webhook-old')}x`, 'Forged')).toBe(401);
  expect(await alerted(canary('webhook-old'), 'ErrorsHigh')).toBe(200);
  expect(await alerted(canary('webhook-new'), 'LatencyHigh')).toBe(200);
  const actor = { kind: 'person', id: 'U0ANN', name: 'ann' } as const;
  answers.push(
    JSON.stringify(
      await app.application.command({
        service: 'fraud-scorer',
        command: { name: 'rollback', pace: 'phased', to: null, reason: 'bad' },
        actor,

        key: 'c1',
      }),
    ),
  );
  if (how === 'Slack works') await workspace.user('U0ANN').type('#ml-rollouts', '/rollout status fraud-scorer');

  const heardAll = [target, alertmanager, pagerduty, ...(how === 'Slack works' ? [] : [slackEcho])];
  await eventually(() => heardAll.every((one) => one.asked() > 0), 100_000);
  await eventually(() => /page.*(permanent|retryable)/.test(logged.join('')), 100_000);
  // Their own ways in did get the secrets: otherwise there was nothing to keep.
  expect(target.heard()).toContain('canary-router');
  expect(alertmanager.heard()).toContain(canary('alertmanager'));
  expect(pagerduty.heard()).toMatch(/canary(own|policy)7/);
  expect(prometheus.asked()).toBeGreaterThan(0);
  expect(target.heard()).toContain(canary('query'));
  expect(prometheus.heard()).toContain(canary('header'));
  for (const path of ['/metrics', '/readyz', '/healthz', '/nowhere', '/api/v1/doctor']) await ask(path);
  await ask('/api/v1/doctor', { headers: { authorization: `Bearer ${canary('webhook-new')}` } });
  for await (const row of app.store.audit.entries({ service: null })) answers.push(JSON.stringify(row));
  await app.stop();

  const files = await readdir(join(directory, 'data'), { recursive: true, withFileTypes: true });
  const stored = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'latin1')),
  );
  expect(files.map((file) => file.name)).toContain('lastgood.db');
  const places = {
    log: logged.join(''),
    answers: answers.join('\n'),
    slack: JSON.stringify([workspace.messages('#ml-rollouts'), workspace.user('U0ANN').ephemerals()]),
    files: stored.join('\n'),
  };
  const all = [...secretsOf(config), ...Object.values(secrets).flatMap((value) => value.split(','))];
  for (const [place, text] of Object.entries(places)) {
    expect(text.length, place).toBeGreaterThan(4);
    for (const secret of new Set(all)) {
      for (const form of formsOf(secret)) {
        const at = text.indexOf(form);
        expect(at < 0 ? null : text.slice(Math.max(0, at - 300), at + 60), `${place} holds a secret`).toBeNull();
      }
    }
  }
}
