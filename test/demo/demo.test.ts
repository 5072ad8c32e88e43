import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { alertmanagerPath } from '../support/alertmanager.ts';
import { prometheusPath } from '../support/prometheus.ts';
import { until } from './support.ts';

/** The story is promised in under two minutes; a busy machine gets a little more until it counts as hung. */
const STORY_MS = 120_000;
const directories: string[] = [];
const children: ChildProcess[] = [];

afterAll(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

interface Demo {
  readonly child: ChildProcess;
  /** Its temporary files, and nobody else's. */
  readonly directory: string;
  readonly lines: readonly string[];
  readonly exit: Promise<number | null>;
  /** The workspace's page, once it was printed. */
  url(): Promise<string>;
  has(text: string): boolean;
}

function startDemo(argv: readonly string[], env: Record<string, string> = {}): Demo {
  const directory = mkdtempSync(join(tmpdir(), 'lastgood-demo-test-'));
  directories.push(directory);
  const script = fileURLToPath(new URL('run.ts', import.meta.url));
  const child = spawn(process.execPath, [script, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, TMPDIR: directory },
  });
  children.push(child);
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.on('data', (chunk) => {
      const parts = `${rest}${chunk}`.split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
  }
  const has = (text: string) => lines.some((line) => line.includes(text));
  return {
    child,
    directory,
    lines,
    has,
    exit: new Promise((done) => child.once('exit', (code) => done(code))),
    async url() {
      await until(() => has('Open  http'));
      return /Open {2}(\S+)/.exec(lines.find((line) => line.includes('Open  ')) ?? '')?.[1] ?? '';
    },
  };
}

/** Everything the demo started carries its TMPDIR in its environment. */
function processesOf({ directory }: Demo): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`TMPDIR=${directory}\0`);
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

async function leavesNothing(demo: Demo): Promise<void> {
  await until(() => readdirSync(demo.directory).length === 0, 15_000);
  if (existsSync('/proc/self/environ')) await until(() => processesOf(demo).length === 0, 15_000);
}

/** What the page does when somebody presses or types. */
async function act(url: string, body: object): Promise<unknown> {
  const response = await fetch(`${url}/client/act`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify(body),
  });
  return response.json();
}

describe.concurrent('the demo plays its story to the end', () => {
  const stories = [
    { how: 'with the stand-ins', argv: ['--stand-ins'], label: 'stand-in for Prometheus', missing: false },
    {
      how: 'with the installed Prometheus and Alertmanager (skipped where they are missing)',
      argv: [],
      label: 'Alertmanager 0.',
      missing: prometheusPath === null || alertmanagerPath === null,
    },
  ];
  for (const { how, argv, label, missing } of stories) {
    it.skipIf(missing)(how, { timeout: 200_000 }, async () => {
      const began = Date.now();
      const demo = startDemo(['--once', ...argv]);
      await until(() => demo.has('Open  http'), 5_000);
      const code = await demo.exit;
      const told = demo.lines.join('\n');
      expect(code, told).toBe(0);
      expect(Date.now() - began).toBeLessThan(STORY_MS);
      expect(told).toContain(label);
      // In this order, whatever is said in between.
      const story = [
        'Maya types: /rollout start fraud-scorer v42',
        'v42 now gets 10 % of the traffic',
        'The gate at 10 % passed',
        'v42 now gets 70 % of the traffic',
        'v42 degrades',
        'Paged through PagerDuty',
        'Nobody answered in time',
        'v42 now gets 10 % of the traffic',
        'v42 now gets 0 % of the traffic',
        'fraud-scorer is back on v41',
        'All traffic is back on v41',
      ];
      let from = 0;
      for (const part of story) {
        const at = told.indexOf(part, from);
        expect(at, `"${part}" was not told, or too early:\n${told}`).toBeGreaterThanOrEqual(0);
        from = at + part.length;
      }
      await leavesNothing(demo);
    });
  }

  it('and follows the visitor who answers first', { timeout: 200_000 }, async () => {
    const demo = startDemo(['--once', '--stand-ins']);
    const url = await demo.url();
    await until(() => demo.has('The card asks'), STORY_MS);
    await act(url, {
      user: 'U01YOU',
      action: 'type',
      channel: 'C01ROLLOUTS',
      text: '/rollout rollback fraud-scorer --now --reason "seen enough"',
    });
    expect(await demo.exit, demo.lines.join('\n')).toBe(0);
    expect(demo.has('Nobody answered')).toBe(false);
    expect(demo.lines.some((line) => line.includes('@you') && line.includes('seen enough'))).toBe(true);
    await leavesNothing(demo);
  });
});

describe('the demo ends', () => {
  const isUp = (demo: Demo) => demo.has('Alertmanager 0.') || demo.has('stand-in for Alertmanager');

  it('with Ctrl-C, at once and with nothing left', { timeout: 60_000 }, async () => {
    const demo = startDemo(['--no-story']);
    await until(() => isUp(demo), 30_000);
    const began = Date.now();
    demo.child.kill('SIGINT');
    expect(await demo.exit).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
    await leavesNothing(demo);
  });

  it('killed, and still nothing is left', { timeout: 60_000 }, async () => {
    const demo = startDemo(['--no-story']);
    await until(() => isUp(demo), 30_000);
    expect(readdirSync(demo.directory).length).toBe(1);
    demo.child.kill('SIGKILL');
    await demo.exit;
    await leavesNothing(demo);
  });

  it('before it began where it is asked for something it does not know', { timeout: 30_000 }, async () => {
    const demo = startDemo(['--portt', '3000']);
    expect(await demo.exit).toBe(2);
    expect(demo.has("Unknown option '--portt'")).toBe(true);
    expect(demo.has('Usage: demo')).toBe(true);
    expect(readdirSync(demo.directory)).toEqual([]);
  });

  it('with a clear error where the port is taken, and nothing left', { timeout: 60_000 }, async () => {
    const first = startDemo(['--no-story'], { LASTGOOD_DEMO_STAND_INS: '1' });
    const port = new URL(await first.url()).port;
    await until(() => first.has('stand-in for Prometheus'), 30_000);
    const second = startDemo(['--no-story', '--stand-ins', '--port', port]);
    expect(await second.exit).toBe(1);
    expect(second.lines).toEqual([expect.stringContaining(`The port ${port} is taken by another program`)]);
    await leavesNothing(second);
    first.child.kill('SIGTERM');
    expect(await first.exit).toBe(0);
    await leavesNothing(first);
  });
});

describe('the panel', () => {
  it('shows the world and lets the visitor change it', { timeout: 120_000 }, async () => {
    const demo = startDemo(['--no-story', '--stand-ins']);
    const url = await demo.url();
    await until(() => demo.has('Everything stays up'), 30_000);
    const boot = (await (await fetch(`${url}/client/boot`)).json()) as { panel: { url: string } };
    const panel = boot.panel.url;
    const state = async () => (await fetch(`${panel}/state`)).json() as Promise<Snapshot>;
    const press = async (action: string, origin = panel) => {
      const response = await fetch(`${panel}/act`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin },
        body: JSON.stringify({ action }),
      });
      return { status: response.status, text: await response.text() };
    };
    expect((await press('next', 'http://elsewhere.example')).status).toBe(403);
    expect((await press('errors')).text).toContain('No candidate has traffic');
    expect((await press('no such')).text).toContain('There is no button');
    expect(await state()).toMatchObject({
      now: { tone: 'calm' },
      split: { stable: { version: 'v41', percent: 100 } },
      sources: [{ real: false }, { real: false }],
    });
    const page = await fetch(panel);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await page.text()).not.toMatch(/https?:\/\//);
    for (const file of ['uPlot.esm.js', 'uPlot.iife.min.js', 'uPlot.min.css']) {
      expect((await fetch(`${panel}/vendor/${file}`)).status, file).toBe(200);
    }
    expect((await fetch(`${panel}/vendor/package.json`)).status).toBe(404);

    await until(async () => !(await press('next')).text.includes('has no numbers yet'), 30_000);
    await until(async () => (await state()).split.candidate.percent === 10, 10_000);
    expect((await press('next')).text).toContain('is under way');
    await until(async () => (await state()).points.v42?.at(-1)?.requestsPerSecond !== 0, 10_000);
    expect((await press('errors')).text).toContain('v42 degrades: from now on 30 % of its requests fail');
    expect((await press('speed')).text).toContain('3 times as fast');
    const faster = await state();
    expect(faster.speed.factor).toBe(3);
    expect(faster.controls.filter(({ pressed }) => pressed).map(({ id }) => id)).toEqual(['errors', 'speed']);
    await until(async () => (await state()).now.tone === 'alarm', 40_000);
    const asked = await state();
    expect(asked.now.untilMs).toBeGreaterThan(asked.nowMs);
    expect(asked.moment).toBe('asked');
    expect(asked.road.map(({ exposurePercent }) => exposurePercent)).toEqual([10, 70, 100]);
    expect(asked.journal.map(({ what }) => what)).toContain('question-opened');
    expect(asked.points.v42?.at(-1)?.errorShare).toBeGreaterThan(0.05);
    await until(async () => (await state()).alerts.some((alert) => alert.state === 'firing'), 20_000);
    demo.child.kill('SIGTERM');
    expect(await demo.exit).toBe(0);
    await leavesNothing(demo);
  });
});

interface Snapshot {
  readonly nowMs: number;
  readonly speed: { readonly factor: number };
  readonly moment: string;
  readonly road: { readonly exposurePercent: number }[];
  readonly journal: { readonly what: string }[];
  readonly controls: { readonly id: string; readonly pressed: boolean }[];
  readonly now: { readonly tone: string; readonly untilMs: number };
  readonly split: { readonly candidate: { readonly percent: number } };
  readonly points: Record<string, { readonly requestsPerSecond: number; readonly errorShare: number }[]>;
  readonly alerts: { readonly state: string }[];
}
