import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { type Environment, loadConfig } from '../../src/config.ts';
import { createWorkspace, type Workspace } from '../../src/workspace/index.ts';

const minimalPolicy = readFileSync(fileURLToPath(new URL('../../policies/minimal.yaml', import.meta.url)), 'utf8');
const patience = { timeout: 30_000 };
const channel = '#lastgood-ops';

let directory = '';
let workspace: Workspace;
let outside: Server;
let prometheusIsUp = true;
const closing: (() => unknown)[] = [];

/** Prometheus, Alertmanager and the target in one. */
beforeEach(async () => {
  prometheusIsUp = true;
  directory = mkdtempSync(join(tmpdir(), 'lastgood-operations-'));
  mkdirSync(join(directory, 'policies'));
  outside = createServer((request, response) => {
    if (request.url?.startsWith('/api/v1/query')) {
      response.statusCode = prometheusIsUp ? 200 : 503;
      response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
    } else if (request.url === '/-/ready') response.end('OK');
    else if (request.url?.startsWith('/split'))
      response.end('{"stable":{"version":"v41"},"candidate":{"version":null,"percent":0}}');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
  workspace = createWorkspace({
    signingSecret: 'signing-secret-1',
    botToken: 'xoxb-1',
    users: [{ id: 'U0ANN', name: 'ann', realName: 'Ann' }],
    channels: [
      { id: 'C1', name: 'ml-rollouts' },
      { id: 'C2', name: 'lastgood-ops' },
    ],
    commands: [],
  });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  outside.closeAllConnections();
  outside.close();
  await workspace.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function begin() {
  const { apiUrl } = await workspace.start();
  const url = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
  writeFileSync(join(directory, 'policies/minimal.yaml'), minimalPolicy.replaceAll('http://127.0.0.1:9000', url));
  const env: Environment = {
    SLACK_BOT_TOKEN: 'xoxb-1',
    SLACK_SIGNING_SECRET: 'signing-secret-1',
    ALERTMANAGER_WEBHOOK_TOKEN: 'a-token-of-thirty-two-characters',
    OPERATIONS_CHANNEL: channel,
    SLACK_API_URL: apiUrl,
    PROMETHEUS_URL: url,
    ALERTMANAGER_URL: url,
    DATA_DIR: join(directory, 'data'),
    POLICY_DIR: join(directory, 'policies'),
    HOST: '127.0.0.1',
    PORT: '0',
  };
  const log: string[] = [];
  const app = await createApp(loadConfig(env), {
    healthEveryMs: 100,
    logDestination: { write: (line: string) => void log.push(line) },
  });
  closing.push(() => app.stop());
  const started = await app.start();
  workspace.connect(started.url);
  return { app, log, url: started.url };
}

const texts = () => workspace.messages(channel).map(({ text }) => text);

describe('operators are told', { timeout: 90_000 }, () => {
  it('of an outage, in the channel, in the log and on App Home, and of its end in the same message', async () => {
    const { log } = await begin();
    prometheusIsUp = false;
    await expect.poll(texts, patience).toEqual([expect.stringMatching(/^⚠️ Prometheus http.*Gates stay closed/)]);
    await workspace.user('U0ANN').openHome();
    await expect
      .poll(() => JSON.stringify(workspace.user('U0ANN').home()), patience)
      .toContain('Health (1 of 8 in trouble)');
    prometheusIsUp = true;
    await expect.poll(texts, patience).toEqual([expect.stringMatching(/^✅ Prometheus http.*: recovered after/)]);
    const told = log.map((line) => JSON.parse(line)).filter(({ part }) => part === 'prometheus');
    expect(told.map(({ level, ok }) => [level, ok])).toEqual([
      ['warn', false],
      ['warn', true],
    ]);
  });

  it('of policies with problems, line by line, and when they are mended', async () => {
    const { app } = await begin();
    const broken = join(directory, 'policies/broken.yaml');
    writeFileSync(broken, 'service: Broken\nmode: sometimes\n');
    await app.reloadPolicies();
    await expect
      .poll(texts, patience)
      .toEqual([expect.stringMatching(/The last good policies stay in force[\s\S]*broken\.yaml:2:\d+ {2}mode/)]);
    rmSync(broken);
    await app.reloadPolicies();
    await expect.poll(texts, patience).toEqual([expect.stringMatching(/^✅ The policy directory .*: mended after/)]);
  });
});
