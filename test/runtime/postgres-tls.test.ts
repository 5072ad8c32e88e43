import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../src/runtime/postgres/open.ts';
import { hasPostgres, type PostgresServer, startPostgres, withoutPostgres } from '../support/postgres.ts';
import { findProgram } from '../support/servers.ts';

const isPossible = hasPostgres && findProgram('openssl') !== null;

/** A CA of one's own and a server certificate for `localhost`: what `127.0.0.1` is not. */
function certificates(directory: string): void {
  const openssl = (...args: string[]) => {
    const made = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`openssl ${args[0]}: ${made.stderr}`);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = (name: string) =>
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
    );
  authority('ca');
  authority('other');
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  const named = ['-copy_extensions', 'none', '-days', '2', '-CAcreateserial'];
  openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-out', 'server.crt', ...named);
}

describe.skipIf(!isPossible)(`TLS to PostgreSQL${withoutPostgres}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'lastgood-tls-'));
  let server: PostgresServer;
  let database: string;
  beforeAll(async () => {
    certificates(directory);
    server = await startPostgres({ tls: { cert: join(directory, 'server.crt'), key: join(directory, 'server.key') } });
    database = await server.database();
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Whether the connections that work on the store are encrypted; or why there is no store. */
  async function open(host: string, query: Readonly<Record<string, string>>): Promise<string> {
    const url = new URL(database);
    url.hostname = host;
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    try {
      const { store } = await openPostgresStore(url.href, { onProblem: () => undefined, patienceMs: 0 });
      await store.jobs.pending();
      const rows = await server.run<{ ssl: boolean }>(
        `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'lastgood'`,
      );
      await store.close();
      return rows.length > 0 && rows.every(({ ssl }) => ssl) ? 'encrypted' : 'plain';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  const ca = join(directory, 'ca.crt');
  const other = join(directory, 'other.crt');

  it.each([
    ['is plain on this machine unless said otherwise', '127.0.0.1', {}, /^plain$/],
    ['require: encrypts, whoever answers', '127.0.0.1', { sslmode: 'require' }, /^encrypted$/],
    ['verify-ca: by our CA, whatever the name', '127.0.0.1', { sslmode: 'verify-ca', sslrootcert: ca }, /^encrypted$/],
    ['verify-full: by our CA, and by name', 'localhost', { sslmode: 'verify-full', sslrootcert: ca }, /^encrypted$/],
    ['verify-full: not under another name', '127.0.0.1', { sslmode: 'verify-full', sslrootcert: ca }, /another name/],
    ['verify-full: not by another CA', 'localhost', { sslmode: 'verify-full', sslrootcert: other }, /as sslrootcert/],
    ['verify-ca: not by another CA', 'localhost', { sslmode: 'verify-ca', sslrootcert: other }, /as sslrootcert/],
    ['verify-full: not by a CA that only we know', 'localhost', { sslmode: 'verify-full' }, /as sslrootcert/],
  ])('%s', async (_, host, query, outcome) => {
    expect(await open(host, query)).toMatch(outcome);
  });

  it('says what to do where the server has none', async () => {
    const plain = await startPostgres();
    try {
      const url = `${await plain.database()}?sslmode=require`;
      const opening = openPostgresStore(url, { onProblem: () => undefined, patienceMs: 0 });
      await expect(opening).rejects.toThrow(/PostgreSQL \(postgres@127.* has no TLS.*set ssl = on/s);
    } finally {
      await plain.stop();
    }
  });
});
