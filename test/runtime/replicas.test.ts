import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Kysely } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApplication } from '../../src/application/application.ts';
import type { DomainEvent } from '../../src/domain/event.ts';
import type { Actor, ServiceState } from '../../src/domain/state.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Store } from '../../src/ports/store.ts';
import { CopyRefused, copyIntoPostgres } from '../../src/runtime/copy.ts';
import { migrations } from '../../src/runtime/migrations/index.ts';
import type { Migration } from '../../src/runtime/migrations/migration.ts';
import { createPerformers } from '../../src/runtime/performers/index.ts';
import type { Performers } from '../../src/runtime/performers/performer.ts';
import { openPostgresStore, type SharedStore } from '../../src/runtime/postgres/open.ts';
import { openStore } from '../../src/runtime/store.ts';
import { createWorker, type Worker } from '../../src/runtime/worker.ts';
import { eventually } from '../acceptance/support/eventually.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';
import { hasPostgres, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { fakeWorld } from './fakes.ts';
import { enqueue, newJob, service, t0 } from './support.ts';

const minute = 60_000;
const ada: Actor = { kind: 'person', id: 'U1', name: 'Ada' };
const start = { service, force: false, reason: 'weekly', actor: ada };
/** What a version of before wrote: see `dumps/`. Its moments are around t0. */
const dump = readFileSync(new URL('./dumps/schema-2.sql', import.meta.url), 'utf8');

type Fake = ReturnType<typeof fakeWorld>;

/** One version of Lastgood at work on a store: the real decisions, worker and performers; the world outside is played. */
async function boot(store: Store, outside: Fake, owner: string, alone: boolean) {
  const world = { ...outside.world, store };
  let worker: Worker | null = null;
  const app = createApplication({ ...world, wake: () => worker?.wake() });
  const performers = createPerformers(world);
  worker = createWorker({ ...world, recorder: app, performers, owner, alone, random: () => 0 });
  await worker.start();
  return { app, worker };
}

/** The rollout of the dump is taken to its end by the code of now: gate by gate on a person's word, then the watch. */
async function finish(store: Store, alone: boolean): Promise<Fake> {
  const clock = virtualClock(t0 + 2 * minute);
  const outside = fakeWorld(store, clock);
  outside.target.split = { stable: 'v41', candidate: 'v42', exposurePercent: 10 };
  for (const id of ['card/fraud-scorer-r1', 'say/fraud-scorer/3', 'say/fraud-scorer/6']) {
    const known = await store.messages.get(id);
    if (!known?.address) throw new Error(`${id} is not known any more`);
    const message = { id, channel: '#ml-rollouts', thread: null, content: { kind: 'note' as const, text: '' } };
    outside.chat.messages.set(id, { ...message, address: known.address, updates: 0 });
  }
  const { app, worker } = await boot(store, outside, 'new', alone);
  const command = { name: 'rollback', pace: 'at-once', to: null, reason: 'enough' } as const;
  expect((await app.status(service))?.state.rollout).toMatchObject({ exposurePercent: 10, candidate: { id: 'v42' } });
  expect(await app.command({ service, command, actor: ada, key: 'back' })).toMatchObject({ ok: true });
  await clock.advance(30 * minute, () => worker.settled());
  expect((await app.status(service))?.state.rollout?.phase.name).toBe('rolled_back');
  expect(outside.target.split.exposurePercent).toBe(0);
  expect(outside.problems).toEqual([]);
  await worker.stop(0);
  return outside;
}

describe('what a version of before wrote', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lastgood-before-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const written = (): string => {
    const file = join(directory, 'lastgood.db');
    const database = new DatabaseSync(file);
    database.exec(dump);
    database.close();
    return file;
  };

  it('is gone on with: a rollout that began under it ends under this one', async () => {
    const store = await openStore(written());
    await finish(store, true);
    const [report] = await store.audit.verify({ service, anchors: [] });
    expect(report?.problem).toBeNull();
    await store.close();
  });

  describe.skipIf(!hasPostgres)(`in PostgreSQL${withoutPostgres}`, () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres();
    });
    afterAll(() => server?.stop());
    const open = async (url: string) => (await openPostgresStore(url, { onProblem: () => undefined })).store;

    it('is gone on with after it was copied there, counted, with its name', async () => {
      const url = await server.database();
      const file = written();
      const copied = await copyIntoPostgres(file, url, { settings: { instance: 'lastgood-x' } });
      expect(Object.fromEntries(copied.map(({ table, rows }) => [table, rows]))).toMatchObject({
        services: 1,
        events: 18,
        journal: 2,
        jobs: 2,
        messages: 3,
        unmatched_alerts: 1,
      });
      const store = await open(url);
      expect(await store.settings.get('instance')).toBe('lastgood-x');
      expect((await store.unmatched.list(9)).map(({ name }) => name)).toEqual(['Elsewhere']);
      const outside = await finish(store, false);
      // Numbers of jobs go on where they were: outcomes of new ones are no duplicates of old ones.
      expect(outside.target.shifts).toEqual([{ stable: 'v41', candidate: 'v42', exposurePercent: 0 }]);
      const [report] = await store.audit.verify({ service, anchors: [] });
      expect(report?.problem).toBeNull();
      await store.close();
      // The file is still there, and as good.
      const before = await openStore(file);
      expect((await before.load(service))?.state.rollout?.exposurePercent).toBe(10);
      await before.close();
    });

    it('is not copied over what is there, nor from a file in use', async () => {
      const url = await server.database();
      const store = await open(url);
      await store.settings.set('instance', 'lastgood-y');
      const file = written();
      const copy = () => copyIntoPostgres(file, url, { settings: {} });
      await expect(copy()).rejects.toThrow(CopyRefused);
      await expect(copy()).rejects.toThrow(/is not empty: its table settings has 1 rows. Nothing was copied/);
      expect(await store.services()).toEqual([]);
      await store.close();
      const holder = await openStore(file);
      await expect(copyIntoPostgres(file, await server.database(), { settings: {} })).rejects.toThrow(/in use/);
      await holder.close();
    });
  });
});

describe.skipIf(!hasPostgres)(`replicas on PostgreSQL${withoutPostgres}`, () => {
  let server: PostgresServer;
  let url: string;
  let shares: SharedStore[] = [];
  let workers: Worker[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    url = await server.database();
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop(0)));
    await Promise.all(shares.map(({ store }) => store.close()));
    workers = [];
    shares = [];
  });
  const open = async (known?: readonly Migration[]): Promise<SharedStore> => {
    const shared = await openPostgresStore(url, { onProblem: () => undefined, ...(known && { known }) });
    shares.push(shared);
    return shared;
  };

  /** A worker that only records, as the application does. */
  async function recording(shared: SharedStore, owner: string, seen: (key: string | null) => void): Promise<Worker> {
    const { store, clock } = shared;
    const timer: DomainEvent = { type: 'timer', key: 'look', epoch: 1 };
    const performer = {
      limitMs: 10_000,
      retry: { firstMs: 100, capMs: 1_000, giveUpAfterMs: null },
      perform: async () => ({ kind: 'event' as const, event: timer }),
      givenUp: () => null,
    };
    const worker = createWorker({
      store,
      clock,
      performers: { timer: performer } as unknown as Performers,
      telemetry: fakeWorld(store, clock as VirtualClock).world.telemetry,
      owner,
      alone: false,
      leaseMs: 5_000,
      pollMs: 1_000,
      recorder: {
        record: (job) =>
          store.transaction(async (unit) => {
            if (!(await unit.complete(job.lease))) return false;
            if (await unit.insertEvent({ key: `job/${job.id}`, service, event: timer, atMs: 0 })) seen(job.key);
            return true;
          }),
      },
    });
    shared.onNotice(() => worker.wake());
    workers.push(worker);
    await worker.start();
    return worker;
  }

  it('share a thousand timers of one instant, each fired once', async () => {
    const seen: (string | null)[] = [];
    const replicas = [await open(), await open(), await open()];
    const [first] = replicas as [SharedStore, ...SharedStore[]];
    const dueAtMs = first.clock.now() + 1_000;
    await enqueue(first.store, ...Array.from({ length: 1_000 }, (_, n) => newJob({ key: `timer/${n}`, dueAtMs })));
    for (const [n, shared] of replicas.entries()) await recording(shared, `w${n}`, (key) => seen.push(key));
    const pending = () => first.store.jobs.pending();
    await eventually('all are fired', async () => (await pending()) === 0, { withinMs: 90_000 });
    expect(seen).toHaveLength(1_000);
    expect(new Set(seen).size).toBe(1_000);
  });

  it('are woken by each other, and look by themselves where no notice comes', async () => {
    const seen: (string | null)[] = [];
    const [from, to] = [await open(), await open()];
    await recording(to, 'w', (key) => seen.push(key));
    await enqueue(from.store, newJob({ key: 'told', dueAtMs: from.clock.now() }));
    await eventually('it is done', () => seen.includes('told'), { withinMs: 30_000 });
    // Nobody says anything about this one.
    await server.run(
      `INSERT INTO jobs (service, key, kind, effect, priority, due_at, created_at, attempt)
       SELECT service, 'untold', kind, effect, priority, 0, 0, 0
       FROM (VALUES ('${service}', 'timer', '{"kind":"timer","key":"x","atMs":0,"epoch":1}', 1)) AS v (service, kind, effect, priority)`,
      url,
    );
    await eventually('it is found', () => seen.includes('untold'), { withinMs: 30_000 });
  });

  it('give one answer where two are asked at the same moment', async () => {
    const clock = virtualClock(t0);
    const stores = [(await open()).store, (await open()).store];
    for (let round = 0; round < 5; round += 1) {
      await server.run('TRUNCATE services, events, jobs, journal, journal_chains', url);
      const answers = await Promise.all(
        stores.map(async (store, n) => {
          const outside = fakeWorld(store, clock);
          outside.target.split = { stable: 'v41', candidate: 'v40', exposurePercent: 0 };
          const candidate = { id: n === 0 ? 'v42' : 'v43' };
          outside.target.ready = { v41: { ready: true, detail: '' }, [candidate.id]: { ready: true, detail: '' } };
          const app = createApplication({ ...outside.world, wake: () => undefined });
          return app.start({ ...start, candidate, key: `start-${n}` });
        }),
      );
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
      const [row] = await server.run<{ state: string }>('SELECT state FROM services', url);
      const state = JSON.parse(row?.state ?? 'null') as ServiceState | null;
      const [winner] = ['v42', 'v43'].filter((_, n) => answers[n]?.ok);
      expect(state?.rollout?.candidate.id).toBe(winner);
      const entries = await stores[1]!.journal({ service, limit: 99 });
      expect(entries.filter(({ entry }) => entry.what === 'rollout-started')).toHaveLength(1);
    }
  });

  it("take one copy of an alert that comes to all of them, and a service's time never runs backwards", async () => {
    const clocks = [virtualClock(t0), virtualClock(t0 - 5 * minute), virtualClock(t0 - minute)];
    const apps = await Promise.all(
      clocks.map(async (clock) => {
        const { store } = await open();
        return { store, app: createApplication({ ...fakeWorld(store, clock).world, wake: () => undefined }) };
      }),
    );
    const alert = {
      fingerprint: 'f1',
      name: 'ErrorsHigh',
      summary: 'errors',
      labels: { alertname: 'ErrorsHigh', service },
      status: 'firing',
      severity: 'critical',
      startsAtMs: t0,
      endsAtMs: null,
      url: null,
    } as const;
    const receipts = await Promise.all(apps.map(({ app }) => app.receiveAlerts([alert as never])));
    expect(receipts.map(({ duplicates }) => duplicates).sort()).toEqual([0, 1, 1]);
    const clockMs = async () => (await apps[0]!.store.load(service))?.state.clockMs ?? 0;
    let beforeMs = await clockMs();
    for (const [n, { app }] of [...apps, ...apps].entries()) {
      const command = { name: n % 2 === 0 ? 'freeze' : 'unfreeze', reason: 'a test', untilMs: null } as never;
      await app.command({ service, command, actor: ada, key: `c${n}` });
      expect(await clockMs()).toBeGreaterThanOrEqual(beforeMs);
      beforeMs = await clockMs();
    }
    const moments = (await apps[0]!.store.journal({ service, limit: 99 })).map(({ entry }) => entry.atMs);
    expect(moments).toEqual([...moments].sort((a, b) => b - a));
  });

  it('of two versions work side by side, and what began under the old one ends under the new one', async () => {
    const newest = Math.max(...migrations.map(({ number }) => number));
    const next: Migration = {
      number: newest + 1,
      name: 'a-column-more',
      up: async (db: Kysely<unknown>) => {
        await db.schema.alterTable('services').addColumn('colour', 'text').execute();
        await db.schema.createTable('colours').addColumn('colour', 'text').execute();
      },
    };
    const clock = virtualClock(t0);
    const old = await open();
    const outside = fakeWorld(old.store, clock);
    outside.target.split = { stable: 'v41', candidate: 'v42', exposurePercent: 0 };
    const before = await boot(old.store, outside, 'old', false);
    workers.push(before.worker);
    expect(await before.app.start({ ...start, candidate: { id: 'v42' }, key: 's' })).toMatchObject({ ok: true });
    await clock.advance(minute, () => before.worker.settled());
    expect(outside.target.split.exposurePercent).toBe(10);

    const upgraded = await open([...migrations, next]);
    const after = await boot(upgraded.store, outside, 'new', false);
    workers.push(after.worker);
    const both = async () => {
      await Promise.all([before.worker.settled(), after.worker.settled()]);
    };
    await clock.advance(5 * minute, both);
    // An old one that restarts in the middle of the upgrade is let in.
    expect((await (await open()).store.load(service))?.state.rollout?.exposurePercent).toBe(10);
    await before.worker.stop(0);
    const command = { name: 'rollback', pace: 'at-once', to: null, reason: 'enough' } as const;
    expect(await after.app.command({ service, command, actor: ada, key: 'back' })).toMatchObject({ ok: true });
    await clock.advance(30 * minute, () => after.worker.settled());
    expect((await before.app.status(service))?.state.rollout?.phase.name).toBe('rolled_back');
    expect(outside.target.shifts.map(({ exposurePercent }) => exposurePercent)).toEqual([10, 0]);
    expect(outside.problems).toEqual([]);
  });
});

describe('who lost his lease', () => {
  it('does not do what he was about to do, and records nothing', async () => {
    const store = await openStore(':memory:');
    const clock: Clock & VirtualClock = virtualClock(t0);
    const outside = fakeWorld(store, clock);
    outside.target.split = { stable: 'v41', candidate: 'v42', exposurePercent: 0 };
    const { app, worker } = await boot(store, outside, 'frozen', false);
    // While he looks at the target he stands still, and another takes the shift over and does it.
    const observe = outside.target.observe.bind(outside.target);
    let isTaken = false;
    outside.target.observe = async () => {
      const seen = await observe();
      if (!isTaken && (await store.load(service))?.state.shift) {
        isTaken = true;
        const later = { owner: 'other', nowMs: clock.now() + 60_000, leaseMs: 600_000, limit: 9 };
        const taken = await store.jobs.claim(later);
        expect(taken.map(({ effect }) => effect.kind)).toContain('shift');
      }
      return seen;
    };
    await app.start({ ...start, candidate: { id: 'v42' }, key: 's' });
    await clock.advance(1_000, () => worker.settled());
    expect(isTaken).toBe(true);
    expect(outside.target.shifts).toEqual([]);
    expect((await store.load(service))?.state.shift).not.toBeNull();
    await worker.stop(0);
    await store.close();
  });
});
