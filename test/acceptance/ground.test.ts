import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, open, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { type Config, loadConfig } from '../../src/config.ts';
import type { PagerDutyStandIn } from '../../src/demo/lab/index.ts';
import type { Workspace } from '../../src/workspace/index.ts';
import { type Router, routerTarget, startRouter } from '../support/router.ts';
import { Alerts, CHANNEL, deliver, hastyPolicy, type Outside, SERVICE, startOutside } from './support/outside.ts';

/** Against hanging, not against slowness. */
const patience = { timeout: 90_000, interval: 50 };

let directory: string;
let router: Router;
let outside: Outside;
let pagerDuty: PagerDutyStandIn;
let workspace: Workspace;
/** Whoever gives no answer is called a second before it. */
let deadlineS: number;
let stopApp: (() => Promise<void>) | null;
let log: string[];

beforeEach(async () => {
  stopApp = null;
  deadlineS = 600;
  log = [];
  router = await startRouter(() => Date.now());
  outside = await startOutside();
  ({ pagerDuty, workspace, directory } = outside);
});
afterEach(async () => {
  await stopApp?.();
  await Promise.all([router.stop(), outside.stop()]);
});

async function configOf(dataDir = join(directory, 'data'), over: Record<string, string> = {}): Promise<Config> {
  await mkdir(join(directory, 'policies'), { recursive: true });
  await writeFile(join(directory, 'policies', `${SERVICE}.yaml`), policyYaml());
  return loadConfig({
    ...outside.environment,
    LOG_LEVEL: 'info',
    POLICY_DIR: join(directory, 'policies'),
    DATA_DIR: dataDir,
    PORT: '0',
    ...over,
  });
}

async function begin(dataDir?: string, over?: Record<string, string>) {
  const config = await configOf(dataDir, over);
  const app = await createApp(config, {
    healthEveryMs: 200,
    logDestination: { write: (line: string) => void log.push(line) },
  });
  stopApp = () => app.stop();
  const { url } = await app.start();
  workspace.connect(url);
  const ready = async () => {
    const answer = await fetch(`${url}/readyz`);
    const body = (await answer.json()) as { parts: Record<string, { ok: boolean; detail: string }> };
    return { status: answer.status, parts: body.parts };
  };
  await expect.poll(async () => (await ready()).status, patience).toBe(200);
  const alerts = new Alerts();
  const alert = async (name: string, padding = '') => {
    const body = alerts.body(name);
    for (const one of body.alerts) one.annotations.description += padding;
    return { status: await deliver(url, body) };
  };
  return { config, url, ready, alert };
}

const share = () => router.weights.candidate.percent;

async function rolledOut(): Promise<void> {
  await workspace.user('U0ANN').type(CHANNEL, `/rollout start ${SERVICE} v42`);
  await expect.poll(share, patience).toBe(70);
  await expect.poll(() => workspace.messages(CHANNEL)[0]?.text ?? '', patience).toContain('70 %');
}

interface Loss {
  readonly what: string;
  readonly happens: () => void;
  /** Where the operator looks. */
  readonly part: 'slack' | 'dependencies';
  readonly says: RegExp;
  readonly status: 200 | 503;
  readonly page: RegExp;
}

const refused = (error: string, more: Record<string, string> = {}) =>
  workspace.fault({
    method: 'chat.postMessage',
    mode: 'refused',
    refusal: { error, ...more },
    times: Number.POSITIVE_INFINITY,
  });
const inChannel = {
  part: 'dependencies',
  status: 200,
  page: /cannot be seen: the Slack channel #ml-rollouts/,
} as const;
const ofToken = {
  part: 'slack',
  status: 503,
  page: /cannot be seen: (Slack does not answer|the Slack channel #ml-rollouts)/,
} as const;
const losses: readonly Loss[] = [
  {
    ...ofToken,
    what: 'the token is revoked',
    happens: () => workspace.revokeToken(),
    says: /set SLACK_BOT_TOKEN anew/,
  },
  {
    ...ofToken,
    what: 'the token has expired',
    happens: () =>
      workspace.fault({
        method: '*',
        mode: 'refused',
        refusal: { error: 'token_expired' },
        times: Number.POSITIVE_INFINITY,
      }),
    says: /set SLACK_BOT_TOKEN anew/,
  },
  {
    ...inChannel,
    what: 'the scope is revoked',
    happens: () => refused('missing_scope', { needed: 'chat:write', provided: 'commands' }),
    says: /lacks the scope chat:write\. Add it/,
  },
  {
    ...inChannel,
    what: 'the channel is archived',
    happens: () => workspace.archive(CHANNEL),
    says: /#ml-rollouts is archived\. Unarchive it/,
  },
  {
    ...inChannel,
    what: 'the bot is removed from the channel',
    happens: () => workspace.removeBot(CHANNEL),
    says: /not in the channel #ml-rollouts; invite @/,
  },
];

describe('Slack is lost in the middle of a rollout', { timeout: 300_000 }, () => {
  it.each(losses)('$what: it is said where operators look, and people are paged at once', async (loss) => {
    const { ready, alert } = await begin();
    await rolledOut();
    loss.happens();
    outside.worsen(0.2);
    expect((await alert('ErrorsHigh')).status).toBe(200);
    await expect.poll(async () => (await ready()).parts[loss.part]?.detail ?? '', patience).toMatch(loss.says);
    expect((await ready()).status).toBe(loss.status);
    // The policy would call nobody for ten minutes.
    await expect
      .poll(
        () =>
          pagerDuty
            .incidents()
            .map(({ summary }) => summary)
            .join(),
        patience,
      )
      .toMatch(loss.page);
    expect(log.join('')).toMatch(loss.says);
  });
});

const small = join(tmpdir(), `lastgood-small-disk-${process.pid}`);
const mounted =
  spawnSync('mkdir', ['-p', small]).status === 0 &&
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', small]).status === 0;
afterAll(() => {
  if (mounted) spawnSync('umount', [small]);
  spawnSync('rmdir', [small]);
});

describe('Slack does not come back', { timeout: 300_000 }, () => {
  it('traffic goes back by itself at the deadline', async () => {
    deadlineS = 8;
    const { alert } = await begin();
    await rolledOut();
    workspace.revokeToken();
    outside.worsen(0.2);
    expect((await alert('ErrorsHigh')).status).toBe(200);
    await expect.poll(share, patience).toBe(0);
    expect(router.changes.map(({ weights }) => weights.candidate.percent)).toEqual([0, 70, 50, 0]);
    expect(pagerDuty.incidents()).toHaveLength(1);
  });
});

describe('the ground under the store', { timeout: 300_000 }, () => {
  const named = 'is a disk that runs full: alerts get 503, readyz says what to do, and with space again it goes on';
  it.skipIf(!mounted)(`${named}${mounted ? '' : ' (skipped: no file system may be mounted here)'}`, async () => {
    deadlineS = 5;
    const { ready, alert } = await begin(join(small, 'data'));
    await rolledOut();
    outside.worsen(0.2);
    const fill = join(small, 'fill');
    // All there is.
    spawnSync('dd', ['if=/dev/zero', `of=${fill}`, 'bs=4096']);
    let count = 0;
    const status = async () => {
      count += 1;
      return (await alert(`Alert${count}`, 'x'.repeat(200_000))).status;
    };
    await expect.poll(status, patience).toBe(503);
    await expect
      .poll(async () => (await ready()).parts.store?.detail ?? '', patience)
      .toMatch(/disk .* is full\. Free space/);
    expect((await ready()).status).toBe(503);
    await rm(fill);
    await expect.poll(async () => (await ready()).status, patience).toBe(200);
    expect((await alert('ErrorsHigh')).status).toBe(200);
    await expect.poll(share, patience).toBe(0);
  });

  const database = () => join(directory, 'data', 'lastgood.db');
  const damages: readonly { what: string; happens: () => Promise<void>; says: RegExp }[] = [
    { what: 'the database is deleted', happens: () => rm(database()), says: /lastgood\.db was deleted or moved away/ },
    {
      what: 'its log is deleted',
      happens: () => rm(`${database()}-wal`),
      says: /lastgood\.db-wal was deleted or moved away/,
    },
    { what: 'it is cut short', happens: () => truncate(database(), 0), says: /lastgood\.db was cut short/ },
    {
      what: 'it is replaced',
      happens: async () => {
        await copyFile(database(), `${database()}.other`);
        await rename(`${database()}.other`, database());
      },
      says: /lastgood\.db was replaced/,
    },
  ];
  it.each(damages)(
    'is taken away, $what: nothing is acknowledged, readyz says what to do, and people are paged',
    async ({ happens, says }) => {
      const { ready, alert } = await begin();
      await rolledOut();
      await happens();
      const { status } = await alert('ErrorsHigh');
      expect(status).toBe(503);
      await expect.poll(async () => (await ready()).parts.store?.detail ?? '', patience).toMatch(says);
      expect(await ready()).toMatchObject({
        status: 503,
        parts: { store: { detail: expect.stringMatching(/lastgood restore/) } },
      });
      const paged = () => pagerDuty.incidents().map(({ summary, dedupKey }) => `${dedupKey}: ${summary}`);
      await expect
        .poll(() => paged().join(), patience)
        .toMatch(/^lastgood-[^,]*\/database: Lastgood decides nothing: /);
      expect(log.join('')).toMatch(says);
      expect(share()).toBe(70);
    },
  );

  it('comes back while Lastgood does not run: the next process resolves what the one before paged, once', async () => {
    await begin();
    const away = `${database()}.away`;
    await rename(database(), away);
    const incident = () => pagerDuty.incidents().find(({ dedupKey }) => dedupKey.endsWith('/database'));
    await expect.poll(() => incident()?.state, patience).toBe('triggered');
    await stopApp?.();
    expect(incident()).toMatchObject({ state: 'triggered', events: 1 });
    await rename(away, database());
    await begin();
    await expect.poll(() => incident()?.state, patience).toBe('resolved');
    await stopApp?.();
    stopApp = null;
    const resolves = pagerDuty.requests.filter(({ body }) => JSON.stringify(body).includes('"resolve"'));
    expect(resolves).toHaveLength(1);
  });

  it('is damaged where nothing reads just now: told to who asks and to operators, and Lastgood goes on', async () => {
    await begin();
    await rolledOut();
    // Its end writes the log into the file.
    await stopApp?.();
    const { config, ready, alert, url } = await begin(undefined, { OPERATIONS_CHANNEL: CHANNEL });
    const ask = async () => {
      const headers = { authorization: `Bearer ${config.alertmanager.webhookTokens[0]}` };
      return (await (await fetch(`${url}/api/v1/doctor`, { headers })).json()) as { file: { ok: boolean } | null };
    };
    const file = await open(database(), 'r+');
    const { size } = await file.stat();
    await file.write(Buffer.alloc(size / 2, 0x5a), 0, size / 2, size / 4);
    await file.close();
    expect((await ask()).file).toMatchObject({ ok: false });
    const dependencies = async () => (await ready()).parts.dependencies?.detail ?? '';
    await expect.poll(dependencies, patience).toMatch(/The database file is damaged since .* restore the last backup/);
    expect((await ready()).status).toBe(200);
    const said = () => workspace.messages(CHANNEL).map(({ text }) => text);
    await expect.poll(() => said().join('\n'), patience).toContain('The database file is damaged');
    expect(log.join('')).toContain('The database file is damaged');
    expect((await alert('ErrorsHigh')).status).toBe(200);
    expect(pagerDuty.incidents()).toEqual([]);
  });

  it('is written over in the middle: the next start is refused with what to do', async () => {
    const { config, alert } = await begin();
    await rolledOut();
    expect((await alert('ErrorsHigh')).status).toBe(200);
    await stopApp?.();
    stopApp = null;
    const file = await open(database(), 'r+');
    await file.write(Buffer.alloc(16_384, 0x5a), 0, 16_384, 3 * 4_096);
    await file.close();
    await expect(createApp(config)).rejects.toThrow(/not a sound SQLite database.*lastgood restore/);
  });

  it('is a directory that is none: the start is refused with what to do', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    const config = await configOf(join(file, 'data'));
    await expect(createApp(config)).rejects.toThrow(/DATA_DIR/);
  });

  it('is a damaged database: the start is refused with what to do', async () => {
    await mkdir(join(directory, 'data'));
    await writeFile(join(directory, 'data', 'lastgood.db'), 'this is no database'.repeat(1_000));
    const config = await configOf();
    await expect(createApp(config)).rejects.toThrow(/not a sound SQLite database. Move it away .*lastgood restore/);
  });
});

function policyYaml(): string {
  return hastyPolicy({
    target: routerTarget(router.url),
    steps: ['{ exposure: 70, soak: 10m, maxSoak: 20m }', '{ exposure: 100 }'],
    phases: ['{ exposure: 50, soak: 500ms, maxSoak: 2s }', '{ exposure: 0 }'],
    verify: '{ soak: 500ms, maxSoak: 4s }',
    deadlineS,
    stability: '1s',
    escalate: `{ after: ${deadlineS - 1}s, repeat: 2h }`,
  });
}
