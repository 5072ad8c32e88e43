import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEntry } from '../../src/ports/store.ts';
import { openPostgresStore } from '../../src/runtime/postgres/open.ts';
import { hasPostgres, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { type Router, routerTarget, startRouter } from '../support/router.ts';
import { freePort } from '../support/servers.ts';
import { AppProcess } from './support/app-process.ts';
import { startBalancer } from './support/balancer.ts';
import { type Checkpoint, startCheckpoint } from './support/checkpoint.ts';
import { eventually } from './support/eventually.ts';
import { Alerts, CHANNEL, deliver, hastyPolicy, type Outside, SERVICE, startOutside } from './support/outside.ts';
import { everything, idOf } from './support/slack-talk.ts';

const SKEW_MS = 30_000;
const DEADLINE_S = 12;
/** Longer than a lease (5 s), so that it lives only because it is kept. */
const HELD_MS = 8_000;
const skewed = new URL('../support/skewed-clock.mjs', import.meta.url).pathname;

let outside: Outside;
let router: Router;
let postgres: PostgresServer;
let door: Checkpoint;
let replicas: readonly AppProcess[];
let journal: readonly StoredEntry[];
let stopBalancer: () => Promise<void>;
let askedAtMs: number;
let rolledBackAtMs: number;
let clockParts: readonly string[];

const exposure = () => router.weights.candidate.percent;
const percentOf = ({ body }: { body: string }): number => JSON.parse(body).candidate.percent;
const until = (what: string, isTrue: () => boolean | Promise<boolean>) =>
  eventually(what, isTrue, {
    withinMs: 90_000,
    told: () => replicas.map(({ said }) => said.slice(-3_000)).join('\n\n'),
  });

async function startReplicas(): Promise<void> {
  const databaseUrl = await postgres.database();
  const { directory, environment } = outside;
  const policy = hastyPolicy({
    // What is held at the door is not given up.
    target: `${routerTarget(door.url)}\n  timeout: 20s`,
    steps: ['{ exposure: 70, soak: 10m, maxSoak: 20m }', '{ exposure: 100 }'],
    phases: ['{ exposure: 50, soak: 1s, maxSoak: 4s }', '{ exposure: 0 }'],
    verify: '{ soak: 1s, maxSoak: 20s }',
    deadlineS: DEADLINE_S,
    stability: '2s',
    escalate: '{ after: 4s, repeat: 5m }',
  });
  await writeFile(join(directory, `${SERVICE}.yaml`), policy);
  const all = [SKEW_MS, -SKEW_MS].map(async (aheadMs, n) => {
    const more = {
      NODE_OPTIONS: `--import=${skewed}`,
      CLOCK_AHEAD_MS: String(aheadMs),
      DATABASE_URL: databaseUrl,
      POLICY_DIR: directory,
      DATA_DIR: join(directory, `data-${n}`),
      PORT: String(await freePort()),
    };
    return new AppProcess({ ...environment, ...more });
  });
  replicas = await Promise.all(all);
  for (const replica of replicas) replica.start();
  await Promise.all(replicas.map((replica) => replica.ready(60_000)));
}

async function dependenciesSay(): Promise<readonly string[]> {
  const headers = { authorization: `Bearer ${outside.environment.ALERTMANAGER_WEBHOOK_TOKEN}` };
  const reports = replicas.map(async ({ url }) => {
    const answer = await fetch(`${url}/readyz`, { headers });
    const { parts } = (await answer.json()) as { parts: Record<string, { detail: string }> };
    return parts.dependencies?.detail ?? '';
  });
  return Promise.all(reports);
}

/** A rollout that goes bad, and nobody answers. */
async function story(): Promise<void> {
  const alerts = new Alerts();
  await outside.workspace.user('U0ANN').type(CHANNEL, `/rollout start ${SERVICE} v42`);
  await until('v42 gets 70 %', () => exposure() === 70);
  outside.worsen(0.2);
  const body = alerts.body('ErrorsHigh');
  await Promise.all(replicas.map(async ({ url }) => expect(await deliver(url, body)).toBe(200)));
  askedAtMs = Date.now();
  await until('50 %', () => router.changes.some(({ weights }) => weights.candidate.percent === 50));
  rolledBackAtMs = router.changes.find(({ weights }) => weights.candidate.percent === 50)?.atMs ?? Number.NaN;
  await until('0 %', () => exposure() === 0);
  const end = alerts.body('ErrorsHigh', 'resolved');
  await Promise.all(replicas.map(({ url }) => deliver(url, end)));
  const reported = () => everything(outside.workspace, CHANNEL).some((m) => idOf(m) === `report/${SERVICE}-d1`);
  await until('the report stands', reported);
}

describe.skipIf(!hasPostgres)(
  `two replicas on one PostgreSQL, one 30 s ahead and one 30 s behind${withoutPostgres}`,
  { timeout: 300_000 },
  () => {
    beforeAll(async () => {
      postgres = await startPostgres();
      router = await startRouter(() => Date.now());
      outside = await startOutside({ requestsPerSecond: (version, atMs) => 4_000 * router.shareOf(version, atMs) });
      // The first shift back takes longer than a lease: who began it has to keep it, and nobody else to take it.
      let isHeld = false;
      door = await startCheckpoint(router.url, async ({ method, body }) => {
        if (method === 'PUT' && percentOf({ body }) === 50 && !isHeld) {
          isHeld = true;
          await new Promise((resolve) => setTimeout(resolve, HELD_MS));
        }
        return { is: 'passes' };
      });
      await startReplicas();
      const balancer = await startBalancer(replicas.map(({ url }) => url));
      stopBalancer = () => balancer.stop();
      outside.workspace.connect(balancer.url);
      await story();
      await until('both say so', async () => (await dependenciesSay()).every((text) => /clock differs/.test(text)));
      clockParts = await dependenciesSay();
      expect(await Promise.all(replicas.map((replica) => replica.stop()))).toEqual([0, 0]);
      const { store } = await openPostgresStore(replicas[0]?.environment.DATABASE_URL ?? '', {
        onProblem: () => undefined,
      });
      journal = [...(await store.journal({ service: SERVICE, limit: 500 }))].reverse();
      await store.close();
    }, 300_000);
    afterAll(async () => {
      await Promise.all((replicas ?? []).map((replica) => replica.kill()));
      await Promise.all([stopBalancer?.(), door?.stop(), router?.stop(), outside?.stop()]);
      await postgres?.stop();
    });

    it('act at the deadline, not half a minute early or late', () => {
      // The question was open before the alert was acknowledged, and a shift that is held for a while is ordered then.
      const afterMs = rolledBackAtMs - askedAtMs - HELD_MS;
      expect(afterMs).toBeGreaterThan(DEADLINE_S * 1_000 - 2_000);
      expect(afterMs).toBeLessThan(DEADLINE_S * 1_000 + 20_000);
      expect(journal.filter(({ entry }) => entry.what === 'deadline-postponed')).toEqual([]);
    });

    it('take no lease that is alive: what takes longer than one is asked for once', () => {
      const asked = door.crossings.filter(({ method }) => method === 'PUT').map(percentOf);
      expect(asked).toEqual([70, 50, 0]);
    });

    it('say and page everything once', () => {
      const ids = everything(outside.workspace, CHANNEL).map(idOf);
      expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
      expect(outside.pagerDuty.incidents()).toHaveLength(1);
    });

    it('write one journal, whose moments never go back', () => {
      const moments = journal.map(({ entry }) => entry.atMs);
      expect(moments).toEqual([...moments].sort((a, b) => a - b));
      expect(Math.abs((moments.at(-1) ?? 0) - Date.now())).toBeLessThan(SKEW_MS - 5_000);
    });

    it('each say by how much their machine is off', () => {
      expect(clockParts).toEqual([
        expect.stringMatching(/(29|30)\.\d s ahead/),
        expect.stringMatching(/(29|30)\.\d s behind/),
      ]);
    });
  },
);
