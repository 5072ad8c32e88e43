import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { openPostgresStore, type SharedStore } from '../../src/runtime/postgres/open.ts';
import { hasPostgres, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { storeContract } from './store.contract.ts';

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
  const anew = async (): Promise<Store> =>
    (await openPostgresStore(await server.database(), { onProblem: () => undefined })).store;

  storeContract('contract', anew);
});
