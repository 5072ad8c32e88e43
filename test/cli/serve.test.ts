import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../support/servers.ts';

const launcher = fileURLToPath(new URL('../../bin/lastgood.js', import.meta.url));
const minimalPolicy = fileURLToPath(new URL('../../policies/minimal.yaml', import.meta.url));
/** Processes start in half a second alone, and in several beside everything else that runs in a full test. */
const patience = { timeout: 30_000 };
const token = 'a-token-of-thirty-two-characters';

interface Line {
  readonly msg?: string;
  readonly url?: string;
}

/** One `lastgood` process; its standard output is the log. */
class Instance {
  readonly lines: Line[] = [];
  readonly text: string[] = [];
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  readonly process: ChildProcess;
  stderr = '';
  private readonly waiting: { matches: (line: Line) => boolean; resolve: (line: Line) => void }[] = [];

  constructor(args: string[], env: Record<string, string>, output: 'pipe' | number = 'pipe') {
    const child = spawn(process.execPath, [launcher, ...args], {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', output, 'pipe'],
    });
    this.process = child;
    child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (text) => this.take(text));
    this.ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  private take(text: string): void {
    this.text.push(text);
    const line = (text.startsWith('{') ? JSON.parse(text) : { msg: text }) as Line;
    this.lines.push(line);
    for (const { matches, resolve } of this.waiting) if (matches(line)) resolve(line);
  }

  /** Rejects where the process ends before it says so. */
  said(matches: (line: Line) => boolean): Promise<Line> {
    const already = this.lines.find(matches);
    if (already) return Promise.resolve(already);
    const line = new Promise<Line>((resolve) => void this.waiting.push({ matches, resolve }));
    const early = this.ended.then(({ code }) => {
      throw new Error(`ended with ${code} first: ${this.stderr}${this.text.join('\n')}`);
    });
    return Promise.race([line, early]);
  }

  async url(): Promise<string> {
    return (await this.said((line) => line.url !== undefined)).url ?? '';
  }
}

let directory = '';
let env: Record<string, string> = {};
const started: Instance[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lastgood-serve-'));
  mkdirSync(join(directory, 'policies'));
  copyFileSync(minimalPolicy, join(directory, 'policies/minimal.yaml'));
  env = {
    SLACK_BOT_TOKEN: 'xoxb-never-in-a-log',
    SLACK_SIGNING_SECRET: 'signing-secret-never-in-a-log',
    ALERTMANAGER_WEBHOOK_TOKEN: token,
    // Nothing listens on the discard port: Slack and Prometheus are down, which must not keep an instance from starting.
    SLACK_API_URL: 'http://127.0.0.1:9/api/',
    PROMETHEUS_URL: 'http://127.0.0.1:9',
    DATA_DIR: join(directory, 'data'),
    POLICY_DIR: join(directory, 'policies'),
    HOST: '127.0.0.1',
    PORT: '0',
  };
});

afterEach(async () => {
  for (const instance of started.splice(0)) {
    instance.process.kill('SIGKILL');
    await instance.ended;
  }
  rmSync(directory, { recursive: true, force: true });
});

function lastgood(args: string[], over: Record<string, string> = {}): Instance {
  const instance = new Instance(args, { ...env, ...over });
  started.push(instance);
  return instance;
}

async function readiness(url: string) {
  const answer = await fetch(`${url}/readyz`);
  const body = (await answer.json()) as { ready: boolean; parts: Record<string, { ok: boolean; detail: string }> };
  return { status: answer.status, ...body };
}

describe('lastgood serve', { timeout: 90_000 }, () => {
  it('lists every missing variable and exits 1', async () => {
    const instance = new Instance(['serve'], {});
    started.push(instance);
    expect(await instance.ended).toEqual({ code: 1, signal: null });
    for (const name of ['SLACK_BOT_TOKEN', 'SLACK_SIGNING_SECRET', 'ALERTMANAGER_WEBHOOK_TOKEN']) {
      expect(instance.stderr).toContain(`  - ${name} is missing`);
    }
    expect(instance.stderr).not.toContain('    at ');
  });

  it('lists everything that is wrong with the policies and what they need, and exits 1', async () => {
    const minimal = readFileSync(minimalPolicy, 'utf8');
    writeFileSync(join(directory, 'policies/broken.yaml'), 'service: Broken\nmode: sometimes\n');
    writeFileSync(
      join(directory, 'policies/pages.yaml'),
      `${minimal.replace('service: minimal', 'service: pages')}\nescalate: { after: 5m, repeat: 15m, severity: critical }\n`,
    );
    const instance = lastgood(['serve'], { PROMETHEUS_URL: '' });
    expect((await instance.ended).code).toBe(1);
    expect(instance.stderr).toMatch(/broken\.yaml:2:\d+ {2}mode/);
    expect(instance.stderr).toMatch(/pages: .*set PAGERDUTY_ROUTING_KEY/);
    expect(instance.stderr).toMatch(/minimal, pages: .*set PROMETHEUS_URL/);
    expect(instance.stderr).not.toContain('    at ');
  });

  it('serves although Slack and Prometheus are down, says so, and ends with 0 on SIGTERM', async () => {
    const instance = lastgood(['serve']);
    const url = await instance.url();
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ alive: true });
    const { status, ready, parts } = await readiness(url);
    expect([status, ready]).toEqual([503, false]);
    expect(parts).toMatchObject({ store: { ok: true }, policies: { ok: true, detail: '1 in force' } });
    expect(parts).toMatchObject({ slack: { ok: false }, prometheus: { ok: false } });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('lastgood_degradation_open{service="minimal"} 0');

    instance.process.kill('SIGTERM');
    expect(await instance.ended).toEqual({ code: 0, signal: null });
    expect(instance.lines.at(-1)).toMatchObject({ msg: 'stopped' });
    expect(instance.stderr).toBe('');
    const log = instance.text.join('\n');
    for (const secret of ['never-in-a-log', token]) expect(log).not.toContain(secret);
  });

  it.skipIf(!existsSync('/dev/full'))(
    'takes alerts in and ends in peace where no line of the log can be written (skipped: there is no /dev/full)',
    async () => {
      const full = openSync('/dev/full', 'w');
      const port = String(await freePort());
      const instance = new Instance(['serve'], { ...env, PORT: port }, full);
      closeSync(full);
      started.push(instance);
      const url = `http://127.0.0.1:${port}`;
      const alive = () => fetch(`${url}/healthz`).then(({ status }) => status, String);
      await expect.poll(alive, patience).toBe(200);
      const sent = lastgood(['test-alert', 'minimal', '--url', url]);
      expect(await sent.ended, sent.stderr).toMatchObject({ code: 0 });
      const metrics = async () => (await fetch(`${url}/metrics`)).text();
      await expect.poll(metrics, patience).toContain('lastgood_degradation_open{service="minimal"} 1');
      expect(await metrics()).toContain('lastgood_problems_total{where="log"} 1');
      instance.process.kill('SIGTERM');
      expect(await instance.ended, instance.stderr).toEqual({ code: 0, signal: null });
      expect(instance.stderr).toBe('');
    },
  );

  it('keeps what its sources came to for the next start, also where it is going to be killed', async () => {
    const kept = join(directory, 'compiled');
    await lastgood(['serve'], { NODE_COMPILE_CACHE: kept }).url();
    const modules = () => readdirSync(kept, { recursive: true }).length;
    await expect.poll(modules, patience).toBeGreaterThan(100);
  });

  it('is ready as soon as Slack knows the bot', async () => {
    const slack = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"ok":true,"bot_id":"B1","user_id":"U1","team_id":"T1","team":"Acme","user":"lastgood"}');
    }).listen(0, '127.0.0.1');
    try {
      await once(slack, 'listening');
      const { port } = slack.address() as AddressInfo;
      const instance = lastgood(['serve'], { SLACK_API_URL: `http://127.0.0.1:${port}/api/` });
      const url = await instance.url();
      await expect
        .poll(() => readiness(url), patience)
        .toMatchObject({ status: 200, ready: true, parts: { slack: { ok: true } } });
      instance.process.kill('SIGINT');
      expect((await instance.ended).code).toBe(0);
    } finally {
      slack.closeAllConnections();
      slack.close();
    }
  });

  it('takes a test alert in, knows it again after a restart, and takes its end', async () => {
    const first = lastgood(['serve']);
    const firstUrl = await first.url();
    const sent = lastgood(['test-alert', 'minimal', '--url', firstUrl, '--severity', 'critical']);
    expect(await sent.ended, sent.stderr).toMatchObject({ code: 0 });
    expect(sent.text).toEqual(['Taken in and stored: the policy matches. Look at its Slack channel.']);
    await expect
      .poll(async () => (await fetch(`${firstUrl}/metrics`)).text(), patience)
      .toContain('lastgood_degradation_open{service="minimal"} 1');
    first.process.kill('SIGKILL');
    await first.ended;

    const second = lastgood(['serve']);
    const url = await second.url();
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('lastgood_degradation_open{service="minimal"} 1');
    const resolved = lastgood(['test-alert', 'minimal', '--url', url, '--resolve']);
    expect(await resolved.ended, resolved.stderr).toMatchObject({ code: 0 });
    second.process.kill('SIGTERM');
    expect((await second.ended).code).toBe(0);
  });

  it('refuses a second instance on the same data, and a port that is taken, in one line each', async () => {
    const first = lastgood(['serve']);
    const url = await first.url();
    const second = lastgood(['serve']);
    expect((await second.ended).code).toBe(1);
    expect(second.stderr).toMatch(/- DATA_DIR: .*lastgood\.db/);
    const third = lastgood(['serve'], { DATA_DIR: join(directory, 'other'), PORT: new URL(url).port });
    expect((await third.ended).code).toBe(1);
    expect(third.stderr).toMatch(/- HOST, PORT: .*another process has it/);
    expect(second.stderr + third.stderr).not.toContain('    at ');
  });

  it('follows an edit of a policy without a restart, and keeps to the old one while the new one has problems', async () => {
    const instance = lastgood(['serve']);
    const url = await instance.url();
    const file = join(directory, 'policies/minimal.yaml');
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, good.replace('mode: observe', 'mode: sometimes'));
    await expect
      .poll(async () => (await readiness(url)).parts.policies, patience)
      .toMatchObject({ ok: false, detail: expect.stringMatching(/^1 in force; .*mode/s) });
    writeFileSync(file, good.replace('service: minimal', 'service: renamed'));
    await expect
      .poll(async () => (await fetch(`${url}/metrics`)).text(), patience)
      .toContain('lastgood_degradation_open{service="renamed"} 0');
    expect((await readiness(url)).parts.policies).toMatchObject({ ok: true });
  });
});

describe('lastgood validate', { timeout: 90_000 }, () => {
  it('passes good policies with 0 and lists every problem of bad ones with 1', async () => {
    const good = lastgood(['validate', join(directory, 'policies')]);
    expect((await good.ended).code).toBe(0);
    expect(good.text.join('\n')).toBe('1 policy, 0 problems');
    writeFileSync(join(directory, 'policies/broken.yaml'), 'service: Broken\nmode: sometimes\n');
    const bad = lastgood(['validate', join(directory, 'policies')]);
    expect((await bad.ended).code).toBe(1);
    expect(bad.text.join('\n')).toMatch(/broken\.yaml:1:\d+ {2}service[\s\S]*broken\.yaml:2:\d+ {2}mode/);
    expect(bad.text.join('\n')).not.toContain('\u001b[');
  });
});

describe('lastgood test-alert', { timeout: 90_000 }, () => {
  it('says what is wrong: no such policy, a wrong token, nobody there', async () => {
    const unknown = lastgood(['test-alert', 'nobody']);
    expect((await unknown.ended).code).toBe(1);
    expect(unknown.stderr).toMatch(/no policy for nobody[\s\S]*policies for minimal/);

    const instance = lastgood(['serve']);
    const url = await instance.url();
    const refused = lastgood(['test-alert', 'minimal', '--url', url], {
      ALERTMANAGER_WEBHOOK_TOKEN: 'another-token-than-that-one',
    });
    expect((await refused.ended).code).toBe(1);
    expect(refused.stderr).toMatch(/answered 401: .*ALERTMANAGER_WEBHOOK_TOKEN/);

    const alone = lastgood(['test-alert', 'minimal', '--url', 'http://127.0.0.1:9']);
    expect((await alone.ended).code).toBe(1);
    expect(alone.stderr).toContain('127.0.0.1:9');
    expect(alone.stderr).not.toContain('    at ');
  });
});
