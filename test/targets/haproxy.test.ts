import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Split } from '../../src/domain/state.ts';
import { createHttp } from '../../src/outbound/http.ts';
import { PortError } from '../../src/ports/failure.ts';
import { haproxyTarget } from '../../src/targets/haproxy.ts';
import { haproxyConfig } from '../../src/targets/haproxy-config.ts';
import { targetContract } from '../contracts/target.contract.ts';
import { serve } from '../outbound/loopback.ts';
import {
  BACKEND,
  type CommandFate,
  type HaproxyRun,
  haproxyPath,
  haproxySkipped,
  startHaproxy,
  startRuntimeDoor,
} from '../support/haproxy.ts';
import { freePort } from '../support/servers.ts';
import { haproxyStand } from './haproxy-stand.ts';

const http = createHttp();
afterAll(() => http.close());
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0).reverse()) await part.stop();
});
const signal = new AbortController().signal;
const both = ['v41', 'v42'];
const at = (exposurePercent: number): Split => ({ stable: 'v41', candidate: 'v42', exposurePercent });

async function started<Part extends { stop(): Promise<void> }>(starting: Promise<Part>): Promise<Part> {
  const part = await starting;
  running.push(part);
  return part;
}

/** Nothing listens where its servers are said to be: without checks HAProxy takes them for up. */
const proxy = (run: Partial<HaproxyRun> = {}) =>
  started(
    startHaproxy({
      servers: [
        { name: 'v41', port: 9, weight: 100 },
        { name: 'v42', port: 9, weight: 0 },
      ],
      ...run,
    }),
  );
const door = (upstream: string, decide: (command: string) => CommandFate | Promise<CommandFate> = () => 'passes') =>
  started(startRuntimeDoor(upstream, decide));

const target = (nodes: string[], more: object = {}) =>
  haproxyTarget.connect({ timeout: '10s', nodes, backend: BACKEND, ...more }, { http });
const observe = async (nodes: string[], asked = both, more: object = {}) =>
  await target(nodes, more).observe(signal, asked);
async function shift(nodes: string[], split: Split, more: object = {}): Promise<void> {
  const one = target(nodes, more);
  await one.shift(split, (await one.observe(signal, both)).revision, signal);
}

async function failure(call: Promise<unknown>): Promise<PortError> {
  const error = await call.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof PortError) return error;
  throw error;
}

describe.skipIf(haproxyPath === null)(`a real HAProxy${haproxySkipped}`, () => {
  targetContract('haproxy', () => haproxyStand(http));

  test('from everywhere to everywhere somebody always has a weight, and the candidate never more than before or after', async () => {
    const haproxy = await proxy();
    const steps: number[] = [];
    const { node } = await door(haproxy.admin, async (command): Promise<CommandFate> => {
      if (command.startsWith('set ')) {
        const { v41 = 0, v42 = 0 } = await haproxy.weights();
        steps.push((100 * v42) / (v41 + v42));
      }
      return 'passes';
    });
    // By hand, so that both weights have to grow, and both to shrink.
    for (const [v41, v42] of [
      [1, 1],
      [256, 256],
      [100, 0],
      [0, 1],
      [3, 250],
    ] as const) {
      for (const percent of [0, 5, 50, 95, 100]) {
        await haproxy.ask(`set weight ${BACKEND}/v41 ${v41}; set weight ${BACKEND}/v42 ${v42}`);
        steps.length = 0;
        await shift([node], at(percent));
        const before = (100 * v42) / (v41 + v42);
        for (const step of steps) {
          expect(step, `${v41}/${v42} to ${percent} %`).toBeLessThanOrEqual(Math.max(before, percent) + 1e-9);
        }
        expect((await observe([node])).exposurePercent).toBe(percent);
      }
    }
  });

  test('the weight is divided over the servers of a version; a third version is taken out', async () => {
    const servers = ['v40-1', 'v41-1', 'v41-2', 'v42-1', 'v42-2', 'v42-3'].map((name) => {
      return { name, port: 9, weight: name.startsWith('v42') ? 1 : 50 };
    });
    const haproxy = await proxy({ servers });
    const more = { server: '{{version}}-*' };
    expect(await observe([haproxy.admin], both, more)).toMatchObject({
      exposurePercent: null,
      notice: expect.stringContaining('More than two versions have traffic'),
    });
    await shift([haproxy.admin], at(60), more);
    expect(await haproxy.weights()).toEqual({
      'v40-1': 0,
      'v41-1': 50,
      'v41-2': 50,
      'v42-1': 50,
      'v42-2': 50,
      'v42-3': 50,
    });
    const { exposurePercent, ready } = await observe([haproxy.admin], both, more);
    expect(exposurePercent).toBe(60);
    expect(ready.v42).toEqual({ ready: true, detail: '3 of 3 servers up' });

    await haproxy.ask(`set server ${BACKEND}/v42-3 state drain`);
    expect((await observe([haproxy.admin], both, more)).exposurePercent).toBe(50);
    await shift([haproxy.admin], at(60), more);
    expect((await observe([haproxy.admin], both, more)).exposurePercent).toBe(60);
    await haproxy.ask(`set server ${BACKEND}/v42-1 state maint; set server ${BACKEND}/v42-2 state maint`);
    const error = await failure(shift([haproxy.admin], at(10), more));
    expect(error.failure).toBe('permanent');
    expect(error.message).toContain('has no server v42-* in service');
  });

  test('a server of no version with traffic is not overridden but named; a backup is left alone', async () => {
    const stranger = { name: 'old', port: 9, weight: 20 };
    const backup = { name: 'sorry', port: 9, weight: 1, more: 'backup' };
    const servers = [{ name: 'scorer-v41', port: 9, weight: 100 }, { name: 'scorer-v42', port: 9, weight: 0 }, backup];
    const more = { server: 'scorer-{{version}}' };
    const one = await proxy({ servers: [...servers, stranger] });
    expect((await observe([one.admin], both, more)).exposurePercent).toBeNull();
    expect((await failure(shift([one.admin], at(10), more))).message).toContain('gives traffic to old too');
    expect(await one.weights()).toMatchObject({ 'scorer-v42': 0, old: 20 });
    const other = await proxy({ servers });
    await shift([other.admin], at(10), more);
    expect((await observe([other.admin], both, more)).exposurePercent).toBe(10);
    expect(await other.weights()).toMatchObject({ sorry: 1 });
  });

  test('every node is told; where they do not agree it is said, and a shift brings them together', async () => {
    const [one, other] = [await proxy(), await proxy()];
    const nodes = [one.admin, other.admin];
    await shift(nodes, at(10));
    expect((await observe(nodes)).exposurePercent).toBe(10);
    await other.ask(`set weight ${BACKEND}/v42 0`);
    const apart = await observe(nodes);
    expect(apart).toMatchObject({ stable: null, exposurePercent: null });
    expect(apart.notice).toContain('do not agree');
    await shift(nodes, at(10));
    expect([await one.weights(), await other.weights()]).toEqual([
      { v41: 90, v42: 10 },
      { v41: 90, v42: 10 },
    ]);
  });

  test('a node that went away between looking and setting: what the others took is not called undone', async () => {
    const [one, other] = [await proxy(), await proxy()];
    const away = await door(other.admin);
    const nodes = [one.admin, away.node];
    const { revision } = await target(nodes).observe(signal, both);
    await away.open(false);
    const error = await failure(target(nodes).shift(at(10), revision, signal));
    expect(error.failure).toBe('ambiguous');
    expect(error.message).toContain(away.node);
    expect(error.message).toContain('Is HAProxy running?');
    expect((await failure(observe(nodes))).failure).toBe('retryable');
    await away.open(true);
    expect((await observe(nodes)).exposurePercent).toBeNull();
    await shift(nodes, at(10));
    expect((await observe(nodes)).exposurePercent).toBe(10);
  });

  test('a lost answer in the middle: looking tells how far it came, and the shift is finished', async () => {
    const haproxy = await proxy();
    let isLost = true;
    const { node } = await door(haproxy.admin, (command) =>
      isLost && command === `set weight ${BACKEND}/v42 10` ? 'answer-lost' : 'passes',
    );
    expect((await failure(shift([node], at(10)))).failure).toBe('ambiguous');
    isLost = false;
    // Raised, not lowered yet: 10 beside 100.
    expect((await observe([node])).exposurePercent).toBe(9.1);
    await shift([node], at(10));
    expect((await observe([node])).exposurePercent).toBe(10);
  });

  test('a reload takes the weights along: it is seen as it is, told as what it was, and repaired', async () => {
    const haproxy = await proxy();
    await shift([haproxy.admin], at(70));
    expect((await observe([haproxy.admin])).notice).toBeNull();
    await haproxy.reload();
    const observed = await observe([haproxy.admin]);
    expect(observed.exposurePercent).toBe(0);
    expect(observed.notice).toMatch(/was started or reloaded \d+ s ago and has the weights of its configuration file/);
    await shift([haproxy.admin], at(70));
    expect((await observe([haproxy.admin])).exposurePercent).toBe(70);
  });

  test('weights that were written to the state file stay over a reload', async () => {
    const haproxy = await proxy({ keepsState: true });
    await shift([haproxy.admin], at(70));
    await haproxy.save();
    await haproxy.reload();
    expect(await observe([haproxy.admin])).toMatchObject({ exposurePercent: 70, notice: null });
  });

  test('a reload in the middle of a shift is noticed at once', async () => {
    const haproxy = await proxy();
    let isFirst = true;
    const { node } = await door(haproxy.admin, async (command): Promise<CommandFate> => {
      if (isFirst && command.startsWith('set ')) {
        isFirst = false;
        await haproxy.reload();
      }
      return 'passes';
    });
    const error = await failure(shift([node], at(70)));
    expect(error.failure).toBe('retryable');
    expect(error.message).toContain('was reloaded while weights were set');
    await shift([node], at(70));
    expect((await observe([node])).exposurePercent).toBe(70);
  });

  test.each(['source', 'static-rr'])('balance %s takes all or nothing, and says so', async (balance) => {
    const servers = [
      { name: 'v41', port: 9, weight: 60 },
      { name: 'v42', port: 9, weight: 40 },
    ];
    const haproxy = await proxy({ balance, servers });
    for (const percent of [0, 100, 0]) {
      await shift([haproxy.admin], at(percent));
      expect((await observe([haproxy.admin])).exposurePercent).toBe(percent);
    }
    const error = await failure(shift([haproxy.admin], at(50)));
    expect(error.failure).toBe('permanent');
    expect(error.message).toContain(`"balance ${balance}" of backend ${BACKEND} cannot take weights`);
    expect(error.message).toContain('strategy: switch');
    expect((await observe([haproxy.admin])).exposurePercent).toBe(0);
  });

  test('a version whose name would be a command is asked of nobody', async () => {
    const haproxy = await proxy();
    const { node, sets } = await door(haproxy.admin);
    const name = `v42; set weight ${BACKEND}/v41 0`;
    const { ready } = await observe([node], ['v41', name]);
    expect(ready[name]).toEqual({ ready: false, detail: `"${name}" cannot be in the name of a server` });
    const split = { stable: 'v41', candidate: name, exposurePercent: 10 };
    expect((await failure(shift([node], split))).failure).toBe('permanent');
    expect(sets).toEqual([]);
  });

  test('what is not as the policy says is said with what to do', async () => {
    const haproxy = await proxy();
    const wrong = async (nodes: string[], more: object = {}) => {
      const { failure: kind, message } = await failure(observe(nodes, both, more));
      return `${kind}: ${message}`;
    };
    expect(await wrong([haproxy.operator])).toMatch(/^permanent: .*needs "level admin", the level is "operator"/);
    expect(await wrong([haproxy.admin], { backend: 'nope' })).toMatch(/^permanent: .*no backend nope: check target/);
    expect(await wrong([`${haproxy.admin}.gone`])).toMatch(/^retryable: .*there is no such socket.*\(ENOENT\)/);
    expect(await wrong([`127.0.0.1:${await freePort()}`])).toMatch(
      /^retryable: .*Is HAProxy running\? \(ECONNREFUSED\)/,
    );
    const other = await started(serve((_, response) => response.end('hello')));
    expect(await wrong([`127.0.0.1:${other.port}`])).toMatch(/^permanent: /);
    const notReady = (await observe([haproxy.admin], ['v99'])).ready.v99;
    expect(notReady).toEqual({ ready: false, detail: `backend ${BACKEND} has no server v99` });
  });
});

describe.skipIf(haproxyPath === null)(`docs/targets.md${haproxySkipped}`, () => {
  test('its haproxy.cfg is one HAProxy takes', async () => {
    const text = readFileSync(new URL('../../docs/targets.md', import.meta.url), 'utf8');
    const snippets = [...text.matchAll(/```haproxy\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
    expect(snippets).toHaveLength(1);
    const directory = await mkdtemp(join(tmpdir(), 'lastgood-haproxy-docs-'));
    try {
      const file = join(directory, 'haproxy.cfg');
      await writeFile(file, snippets[0] ?? '');
      // Throws with what HAProxy says against it.
      const said = execFileSync(haproxyPath ?? '', ['-c', '-f', file], { encoding: 'utf8', stdio: 'pipe' });
      expect(said).not.toMatch(/alert|error/i);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  test('its target is one the adapter takes', () => {
    const text = readFileSync(new URL('../../docs/targets.md', import.meta.url), 'utf8');
    const [example = ''] = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
    expect(haproxyTarget.config.safeParse(parse(example).target).success).toBe(true);
    // A row for every setting, and none for another.
    const rows = [...text.matchAll(/^\| `(\w+)` \|.*\|.*\|$/gm)].map((match) => match[1]);
    const keys = Object.keys(haproxyConfig.shape).filter((key) => key !== 'kind');
    expect(rows.filter((row) => row !== undefined && row in haproxyConfig.shape).sort()).toEqual(keys.sort());
  });
});

const recorded = new URL('../../../shared/contracts/haproxy/captured-2.6/runtime-api.exchanges.json', import.meta.url);
const exchanges = (() => {
  try {
    return JSON.parse(readFileSync(recorded, 'utf8')) as { send: string; level: string; receive: string }[];
  } catch {
    return null;
  }
})();

describe.skipIf(exchanges === null)(`recorded answers${exchanges ? '' : ' (skipped: ../shared is missing)'}`, () => {
  test('what was recorded is understood', async () => {
    const answers = new Map(
      (exchanges ?? []).filter(({ level }) => level === 'admin').map(({ send, receive }) => [send, receive]),
    );
    const server = createServer((socket) => {
      socket.on('data', (chunk) => {
        const command = chunk
          .toString()
          .trim()
          .replace(/^show stat .*/, 'show stat');
        socket.end(command === 'show cli level' ? 'admin\n\n' : (answers.get(command) ?? 'Unknown command\n\n'));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    running.push({ stop: () => new Promise((resolve) => server.close(() => resolve())) });
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const observed = await haproxyTarget
      .connect({ nodes: [`127.0.0.1:${port}`], backend: 'be_ranker' }, { http })
      .observe(signal, ['stable', 'canary']);
    expect(observed).toMatchObject({ stable: 'stable', candidate: 'canary', exposurePercent: 20 });
    expect(observed.ready.canary).toEqual({ ready: true, detail: '1 of 1 server up' });
  });
});
