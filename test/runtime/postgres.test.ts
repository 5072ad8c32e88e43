import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { initialState } from '../../src/domain/initial.ts';
import type { Store } from '../../src/ports/store.ts';
import { openPostgresStore, type SharedStore } from '../../src/runtime/postgres/open.ts';
import { eventually } from '../acceptance/support/eventually.ts';
import { hasPostgres, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { freePort } from '../support/servers.ts';
import { auditContract } from './audit.contract.ts';
import { storeContract } from './store.contract.ts';
import { sharedStoreContract } from './store-shared.contract.ts';
import { enqueue, event, newJob, service, t0 } from './support.ts';

describe.skipIf(!hasPostgres)(`PostgreSQL${withoutPostgres}`, () => {
  let server: PostgresServer;
  let opened: SharedStore[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  afterEach(async () => {
    await Promise.all(opened.map(({ store }) => store.close()));
    opened = [];
  });
  const open = async (url: string): Promise<SharedStore> => {
    const shared = await openPostgresStore(url, { onProblem: () => undefined });
    opened.push(shared);
    return shared;
  };
  const anew = async (): Promise<Store> =>
    (await openPostgresStore(await server.database(), { onProblem: () => undefined })).store;

  storeContract('contract', anew);
  sharedStoreContract('shared', anew);
  auditContract('PostgreSQL', anew);

  it('is opened by several at once, and made by one of them', async () => {
    const url = await server.database();
    const stores = await Promise.all([open(url), open(url), open(url), open(url)]);
    await enqueue(stores[0]!.store, newJob());
    expect(await stores[3]!.store.jobs.pending()).toBe(1);
  });

  it('goes by its own time', async () => {
    const { clock } = await open(await server.database());
    const [row] = await server.run<{ ms: number }>('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms');
    // The same machine here, asked a moment later; what is at stake are seconds.
    expect(Math.abs(clock.now() - Number(row?.ms))).toBeLessThan(1_000);
  });

  describe('wakes who waits', () => {
    it('when another left work, at the commit', async () => {
      const url = await server.database();
      const [one, other] = [await open(url), await open(url)];
      let heard = 0;
      other.onNotice(() => {
        heard += 1;
      });
      await eventually('it listens', async () => (await listening(url)) === 2, { withinMs: 20_000 });
      heard = 0;
      await one.store.transaction(async (unit) => {
        await unit.enqueue(newJob());
        await other.store.jobs.pending();
        expect(heard).toBe(0);
      });
      await eventually('it heard', () => heard > 0, { withinMs: 20_000 });
    });

    it('again after its connection was cut, and at once for what it may have missed', async () => {
      const url = await server.database();
      const { store, onNotice } = await open(url);
      let heard = 0;
      onNotice(() => {
        heard += 1;
      });
      await eventually('it listens', async () => (await listening(url)) === 1, { withinMs: 20_000 });
      heard = 0;
      await server.cut();
      await eventually('it listens again, and looks', () => heard > 0, { withinMs: 30_000 });
      heard = 0;
      await enqueue(store, newJob());
      await eventually('it heard', () => heard > 0, { withinMs: 20_000 });
    });
  });

  async function listening(url: string): Promise<number> {
    const name = new URL(url).pathname.slice(1);
    const rows = await server.run(
      `SELECT 1 FROM pg_stat_activity WHERE datname = '${name}' AND query LIKE 'LISTEN%' AND state = 'idle'`,
    );
    return rows.length;
  }

  describe('through trouble', () => {
    /** Counts to `upTo`, each number once, whatever it takes; who asks comes again where it failed. */
    async function count(store: Store, upTo: number): Promise<void> {
      const step = (n: number) =>
        store.transaction(async (unit) => {
          const stored = await unit.load(service);
          if (!stored) throw new Error('gone');
          if (!(await unit.insertEvent(event(`n${n}`)))) return;
          await unit.save({ ...stored.state, sequence: stored.state.sequence + 1 }, stored.version);
        });
      for (let n = 0; n < upTo; n += 1) {
        for (let tries = 0; ; tries += 1) {
          try {
            await step(n);
            break;
          } catch (error) {
            if (tries > 200) throw error;
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
        }
      }
    }
    const counted = async (store: Store) => (await store.load(service))?.state.sequence;

    it('loses nothing and does nothing twice where its connections are cut again and again', async () => {
      const { store } = await open(await server.database());
      await store.transaction((unit) => unit.save(initialState(service, t0), 0));
      const counting = count(store, 300);
      let isOver = false;
      counting.finally(() => {
        isOver = true;
      });
      let cuts = 0;
      while (!isOver && cuts < 30) {
        cuts += await server.cut();
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      await counting;
      expect(cuts).toBeGreaterThan(3);
      expect(await counted(store)).toBe(300);
    });

    it('goes on after the server crashed and came back', async () => {
      const { store } = await open(await server.database());
      await store.transaction((unit) => unit.save(initialState(service, t0), 0));
      const counting = count(store, 200);
      await eventually('it counts', async () => ((await counted(store)) ?? 0) > 20, { withinMs: 20_000 });
      await server.halt('immediate');
      await server.start();
      await counting;
      expect(await counted(store)).toBe(200);
    });

    it('does not wait for who stopped moving in the middle of a unit', async () => {
      const url = await server.database();
      const [frozen, moving] = [await open(url), await open(url)];
      await moving.store.transaction((unit) => unit.save(initialState(service, t0), 0));
      const awake = Promise.withResolvers<void>();
      const holding = Promise.withResolvers<void>();
      let tries = 0;
      const stuck = frozen.store.transaction(async (unit) => {
        const stored = await unit.load(service);
        tries += 1;
        if (tries === 1) {
          holding.resolve();
          await awake.promise;
        }
        if (!stored) throw new Error('gone');
        await unit.save({ ...stored.state, sequence: stored.state.sequence + 10 }, stored.version);
      });
      stuck.catch(() => undefined);
      await holding.promise;
      await moving.store.transaction(async (unit) => {
        const stored = await unit.load(service);
        if (!stored) throw new Error('gone');
        await unit.save({ ...stored.state, sequence: 1 }, stored.version);
      });
      awake.resolve();
      await stuck;
      // It saw, the second time, what came before it.
      expect(tries).toBe(2);
      expect(await counted(moving.store)).toBe(11);
    });
  });

  describe('says what to do', () => {
    const problemOf = async (url: string): Promise<string> => {
      const problem = await openPostgresStore(url, { onProblem: () => undefined, patienceMs: 0 }).then(
        async ({ store }) => {
          await store.close();
          return 'none';
        },
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      expect(problem).not.toContain('sesame');
      return problem;
    };
    const at = (user: string, path: string) => `postgres://${user}@127.0.0.1:${server.port}/${path}`;
    const name = (url: string) => new URL(url).pathname.slice(1);

    it('where nobody answers', async () => {
      const port = await freePort();
      expect(await problemOf(`postgres://lastgood:open%20sesame@127.0.0.1:${port}/x`)).toMatch(
        new RegExp(`lastgood@127.0.0.1:${port}/x\\) cannot be reached \\(ECONNREFUSED\\): check that it runs`),
      );
      expect(await problemOf('postgres://l:sesame@no.such.host.invalid/x?sslmode=disable')).toMatch(
        /cannot be reached/,
      );
    });

    it('where the password is wrong, without it', async () => {
      await server.run(`CREATE ROLE walled LOGIN PASSWORD 'right'`);
      const database = name(await server.database());
      expect(await problemOf(at('walled:open-sesame', database))).toMatch(/does not let walled in \(28P01\): check/);
      expect(await problemOf(at('walled', database))).toMatch(/does not let walled in|no password/);
    });

    it('where the database is missing, or the right to make tables', async () => {
      expect(await problemOf(at('postgres:sesame', 'nowhere'))).toContain('CREATE DATABASE "nowhere"');
      await server.run('CREATE ROLE guest LOGIN');
      const url = await server.database();
      await server.run('REVOKE CREATE ON SCHEMA public FROM PUBLIC', url);
      expect(await problemOf(at('guest', name(url)))).toMatch(/GRANT USAGE, CREATE ON SCHEMA public TO "guest"/);
    });

    it('where the address is not one', async () => {
      expect(await problemOf('mysql://x')).toMatch(/must be a URL: postgres:/);
      expect(await problemOf('postgres://u:sesame@db.example/x')).toMatch(/sslmode=verify-full/);
      expect(await problemOf('postgres://u:sesame@db.example/x?sslmode=prefer')).toMatch(/sslmode=verify-full/);
      expect(await problemOf('postgres://u:sesame@127.0.0.1/x?ssl=true')).toMatch(/has ssl, which is not understood/);
      expect(await problemOf('postgres://u:sesame@127.0.0.1/')).toMatch(/names no database/);
      expect(await problemOf(`${at('postgres', 'postgres')}?sslmode=require`)).toMatch(
        /has no TLS that sslmode allows/,
      );
    });

    it('where a newer one wrote it, and works beside one that leaves it room', async () => {
      const url = await server.database();
      await (await openPostgresStore(url, { onProblem: () => undefined })).store.close();
      await server.run('ALTER TABLE services ADD COLUMN colour text', url);
      await server.run(`INSERT INTO schema_migrations (number, name, at, needs) VALUES (998, 'room', 0, 4)`, url);
      const { store } = await open(url);
      await store.transaction((unit) => unit.save(initialState(service, t0), 0));
      await server.run(`INSERT INTO schema_migrations (number, name, at, needs) VALUES (999, 'breaking', 0, 999)`, url);
      expect(await problemOf(url)).toMatch(/newer Lastgood \(schema 999, which needs 999; this one knows \d+\)/);
    });
  });
});
