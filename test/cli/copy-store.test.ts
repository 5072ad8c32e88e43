import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { openPostgresStore } from '../../src/runtime/postgres/open.ts';
import { openStore } from '../../src/runtime/store.ts';
import { append, entry } from '../runtime/audit.contract.ts';
import { enqueue, newJob, saveState, service, state } from '../runtime/support.ts';
import { hasPostgres, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';

async function lastgood(argv: string[], env: Record<string, string>) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(argv, {
    env,
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    colours: false,
    stopRequested: () => Promise.resolve('SIGTERM'),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

it('copy-store asks where to, and what from', async () => {
  expect(await lastgood(['copy-store'], { DATA_DIR: '/nowhere' })).toMatchObject({
    code: 2,
    err: expect.stringContaining('DATABASE_URL is missing: it says where to copy to.'),
  });
  const url = 'postgres://lastgood:sesame@127.0.0.1:1/lastgood';
  expect(await lastgood(['copy-store'], { DATA_DIR: '/nowhere', DATABASE_URL: url })).toMatchObject({
    code: 1,
    err: 'There is no database /nowhere/lastgood.db: name it with --from, or set DATA_DIR as the instance has it.',
  });
});

describe.skipIf(!hasPostgres)(`copy-store into PostgreSQL${withoutPostgres}`, () => {
  let server: PostgresServer;
  let directory: string;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'lastgood-copy-'));
    mkdirSync(join(directory, 'data'));
    const store = await openStore(join(directory, 'data', 'lastgood.db'));
    await saveState(store, state());
    await append(store, service, entry('one'), entry('two'));
    await enqueue(store, newJob({ key: 'a' }), newJob({ key: 'b' }));
    await store.close();
    writeFileSync(join(directory, 'data', 'instance'), 'lastgood-abc\n');
  });

  it('says what it copied, and what to do now; twice it does nothing', async () => {
    const url = await server.database();
    const env = { DATA_DIR: join(directory, 'data'), DATABASE_URL: url };
    const first = await lastgood(['copy-store'], env);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toMatch(/^ {2}jobs +2$/m);
    expect(first.out).toMatch(/^ {2}journal +2$/m);
    expect(first.out).toMatch(/Everything in \S+lastgood.db is in postgres@127.0.0.1:\d+\/\S+, counted\./);
    expect(await lastgood(['copy-store'], env)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('is not empty: its table'),
    });
    const { store } = await openPostgresStore(url, { onProblem: () => undefined });
    expect(await store.settings.get('instance')).toBe('lastgood-abc');
    expect(await store.jobs.pending()).toBe(2);
    await store.close();
    expect(await lastgood(['audit', 'verify'], env)).toMatchObject({ code: 0 });
  });

  it('does nothing where the database cannot be reached, and says why without the password', async () => {
    const url = 'postgres://walled:sesame@127.0.0.1:1/x';
    const refused = await lastgood(['copy-store', '--from', join(directory, 'data', 'lastgood.db')], {
      DATABASE_URL: url,
    });
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('cannot be reached (ECONNREFUSED)') });
    expect(refused.err).not.toContain('sesame');
  });
});
