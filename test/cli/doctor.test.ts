import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { runCli } from '../../src/cli/run.ts';
import { loadConfig } from '../../src/config.ts';

const minimalPolicy = fileURLToPath(new URL('../../policies/minimal.yaml', import.meta.url));
const patience = { timeout: 30_000 };
const token = 'a-token-of-thirty-two-characters';
const slackIsWell: RequestListener = (_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end('{"ok":true,"bot_id":"B1","user_id":"U1","team_id":"T1","team":"Acme","user":"lastgood"}');
};
const prometheusIsWell: RequestListener = (_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
};
const targetIsWell: RequestListener = (_request, response) => {
  const split = { stable: { version: 'v41' }, candidate: { version: 'v42', percent: 10 }, versions: {} };
  response.end(JSON.stringify(split));
};

let directory = '';
let env: Record<string, string> = {};
const closing: (() => unknown)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lastgood-doctor-'));
  mkdirSync(join(directory, 'policies'));
  // Nothing listens on the discard port.
  targetAt('http://127.0.0.1:9');
  env = {
    SLACK_BOT_TOKEN: 'xoxb-never-on-a-terminal',
    SLACK_SIGNING_SECRET: 'signing-secret-never-on-a-terminal',
    ALERTMANAGER_WEBHOOK_TOKEN: token,
    SLACK_API_URL: 'http://127.0.0.1:9/api/',
    PROMETHEUS_URL: 'http://127.0.0.1:9',
    DATA_DIR: join(directory, 'data'),
    POLICY_DIR: join(directory, 'policies'),
    HOST: '127.0.0.1',
    PORT: '0',
  };
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true, force: true });
});

function targetAt(url: string): void {
  const yaml = readFileSync(minimalPolicy, 'utf8');
  writeFileSync(join(directory, 'policies/minimal.yaml'), yaml.replaceAll('http://127.0.0.1:9000', url));
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function running(): Promise<{ app: App; url: string; log: string[] }> {
  const log: string[] = [];
  const app = await createApp(loadConfig(env), {
    healthEveryMs: 100,
    logDestination: { write: (line: string) => void log.push(line) },
  });
  closing.push(() => app.stop());
  const { url } = await app.start();
  return { app, url, log };
}

async function doctor(args: string[], over: Record<string, string> = {}, colours = false) {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const io = { env: { ...env, ...over }, out: say, err: say, colours, stopRequested: async () => 'SIGTERM' };
  const code = await runCli(['doctor', ...args], io);
  const text = lines.join('\n');
  for (const secret of ['never-on-a-terminal', token]) expect(text).not.toContain(secret);
  return { code, text };
}

async function health(url: string): Promise<{ part: string; ok: boolean; failures: number }[]> {
  const answer = await fetch(`${url}/api/v1/doctor`, { headers: { authorization: `Bearer ${token}` } });
  const all = ((await answer.json()) as { health: { part: string; ok: boolean; failures: number }[] }).health;
  // Looked at because we ask; all the others are by themselves.
  return all.filter(({ part }) => part !== 'file');
}

describe('lastgood doctor', { timeout: 90_000 }, () => {
  it('finds nothing wrong with an instance that has all it needs, and exits 0', async () => {
    const target = await serve(targetIsWell);
    targetAt(target);
    env.SLACK_API_URL = `${await serve(slackIsWell)}/api/`;
    env.PROMETHEUS_URL = await serve(prometheusIsWell);
    const { url } = await running();
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status, patience).toBe(200);
    await expect
      .poll(async () => (await health(url)).filter(({ failures }) => failures === 0).length, patience)
      .toBe(6);
    const { code, text } = await doctor(['--url', url]);
    expect(text).toContain('✓ complete');
    expect(text).toContain('✓ 1 valid: minimal');
    expect(text).toContain('✓ runs and is ready');
    expect(text).toMatch(/✓ database: answers.*\n {2}✓ database file: every page is sound/);
    expect(text).toMatch(/✓ Prometheus http:\S+: answers queries/);
    expect(text).toMatch(/✓ target of minimal: answers: v41 is stable, v42 at 10 %/);
    expect(text).toMatch(/Alerts that no policy matched\n {2}✓ none/);
    expect(text).toMatch(/0 problems, 0 remarks, \d+ fine$/);
    expect(code).toBe(0);
  });

  it('says of everything that is wrong what it means and what to do, and exits 1', async () => {
    const { url, log } = await running();
    await expect.poll(async () => (await health(url)).filter(({ ok }) => !ok).length, patience).toBe(3);
    const sent = await fetch(`${url}/webhooks/alertmanager`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        version: '4',
        receiver: 'lastgood',
        status: 'firing',
        groupKey: 'g',
        truncatedAlerts: 0,
        groupLabels: {},
        commonLabels: {},
        commonAnnotations: {},
        externalURL: '',
        alerts: [
          {
            status: 'firing',
            labels: { alertname: 'DiskFull\u001b[2J', service: 'minimol' },
            annotations: {},
            startsAt: '2026-11-21T12:00:00Z',
            endsAt: '0001-01-01T00:00:00Z',
            generatorURL: '',
            fingerprint: 'f1',
          },
        ],
      }),
    });
    expect(sent.status, await sent.text()).toBe(200);
    writeFileSync(join(directory, 'policies/broken.yaml'), 'service: Broken\nmode: sometimes\n');
    const { code, text } = await doctor(['--url', url]);
    expect(code).toBe(1);
    expect(text).toMatch(/✗ .*broken\.yaml:1:\d+[\s\S]*broken\.yaml:2:\d+ {2}mode[\s\S]*→ Mend what is listed/);
    expect(text).toMatch(/✗ not ready: slack: [\s\S]*→ Check SLACK_BOT_TOKEN/);
    expect(text).toMatch(
      /✗ Prometheus http:\/\/127\.0\.0\.1:9 does not answer[\s\S]*Gates stay closed[\s\S]*→ Check whether it runs/,
    );
    expect(text).toMatch(/✗ The target of minimal does not answer[\s\S]*→ Check whether it runs, and `target`/);
    expect(text).toMatch(
      /! DiskFull ?\[2J .*heard of once[\s\S]*minimal: wants service="minimal", has service="minimol"[\s\S]*→ If a service/,
    );
    expect(text).not.toContain('\u001b');
    const told = log.filter((line) => line.includes('Gates stay closed'));
    expect(told).toHaveLength(1);
    expect(JSON.parse(told[0] ?? '{}')).toMatchObject({ level: 'warn', part: 'prometheus', ok: false });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('lastgood_dependency_up{part="prometheus",name="http://127.0.0.1:9"} 0');
    expect(metrics).toContain('lastgood_dependency_up{part="store",name="database"} 1');
    expect(metrics).toContain('lastgood_policies_ok 1');
    const { parts } = (await (await fetch(`${url}/readyz`)).json()) as { parts: Record<string, { ok: boolean }> };
    expect(parts.dependencies).toMatchObject({ ok: false, detail: expect.stringContaining('Gates stay closed') });
  });

  it('follows policies that were broken and mended', async () => {
    const { app, url } = await running();
    const file = join(directory, 'policies/broken.yaml');
    writeFileSync(file, 'service: Broken\nmode: sometimes\n');
    await app.reloadPolicies();
    const trouble = async () => (await health(url)).find(({ part }) => part === 'policies');
    await expect.poll(trouble, patience).toMatchObject({ ok: false });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('lastgood_policies_ok 0');
    const { text } = await doctor(['--url', url]);
    expect(text).toMatch(/✗ The policy directory .* has problems since[\s\S]*broken\.yaml:2:\d+ {2}mode/);
    rmSync(file);
    await app.reloadPolicies();
    await expect.poll(trouble, patience).toMatchObject({ ok: true });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('lastgood_policies_ok 1');
    const loaded = Number(/^lastgood_policies_loaded_timestamp_seconds (\S+)$/m.exec(metrics)?.[1]);
    expect(Math.abs(loaded - Date.now() / 1000)).toBeLessThan(120);
  });

  it('says so where nobody is there, somebody else is, or the token is another', async () => {
    const nobody = await doctor(['--url', 'http://127.0.0.1:9']);
    expect(nobody.text).toMatch(/✗ .*connection refused[\s\S]*→ Is it running there\?/);
    const somebody = await doctor(['--url', await serve((_request, response) => response.end('<html>'))]);
    expect(somebody.text).toContain('not as Lastgood does');
    const { url } = await running();
    const stranger = await doctor(['--url', url], { ALERTMANAGER_WEBHOOK_TOKEN: 'another-token-than-that-one' });
    expect(stranger.text).toMatch(/does not let this ALERTMANAGER_WEBHOOK_TOKEN in[\s\S]*→ Run doctor with/);
    expect([nobody.code, somebody.code, stranger.code]).toEqual([1, 1, 1]);
  });

  it('lists what the configuration lacks, and asks for an address where it cannot know one', async () => {
    const lacking = await doctor([], { SLACK_BOT_TOKEN: '', PROMETHEUS_URL: 'nowhere' });
    expect(lacking.code).toBe(1);
    expect(lacking.text).toMatch(/✗ SLACK_BOT_TOKEN is missing/);
    expect(lacking.text).toMatch(/✗ PROMETHEUS_URL must be/);
    expect(lacking.text).toMatch(/✗ PORT is 0[\s\S]*→ Give --url/);
    const needy = await doctor([], { PROMETHEUS_URL: '' });
    expect(needy.text).toMatch(/✗ minimal: .*set PROMETHEUS_URL/);
    const empty = await doctor([], { ALERTMANAGER_WEBHOOK_TOKEN: '' });
    expect(empty.text).toMatch(/✗ ALERTMANAGER_WEBHOOK_TOKEN is missing/);
    expect((await doctor(['--url', 'ftp://x'])).code).toBe(2);
  });

  it('goes on with all it can look at where there is no token, or only its hash', async () => {
    const { url } = await running();
    writeFileSync(join(directory, 'policies/broken.yaml'), 'service: Broken\nmode: sometimes\n');
    const without = await doctor(['--url', url], { ALERTMANAGER_WEBHOOK_TOKEN: '' });
    expect(without.text.match(/ALERTMANAGER_WEBHOOK_TOKEN is missing/g)).toHaveLength(1);
    expect(without.text).toMatch(/broken\.yaml:2:\d+ {2}mode/);
    expect(without.text).toMatch(/✗ not ready: slack: [\s\S]*! tells no more than that without a token/);
    rmSync(join(directory, 'policies/broken.yaml'));
    const needy = await doctor(['--url', url], { ALERTMANAGER_WEBHOOK_TOKEN: '', PROMETHEUS_URL: '' });
    expect(needy.text).toMatch(/✗ minimal: .*set PROMETHEUS_URL/);
    const hash = await doctor(['--url', url], { ALERTMANAGER_WEBHOOK_TOKEN: `sha256:${'0'.repeat(64)}` });
    expect(hash.text).toMatch(/✓ complete[\s\S]*✓ 1 valid: minimal[\s\S]*! tells no more than that without a token/);
    expect([without.code, needy.code, hash.code]).toEqual([1, 1, 1]);
  });

  it('colours its marks on a terminal only', async () => {
    expect((await doctor([], {}, true)).text).toContain('\u001b[31m✗\u001b[39m');
    expect((await doctor([])).text).not.toContain('\u001b');
  });
});
