import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findProgram, freePort } from './servers.ts';

/** Where PostgreSQL's programs are: Debian keeps them out of the PATH. Null: it is not installed. */
const programs = ((): string | null => {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map((version) => join(debian, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
  const onPath = findProgram('initdb');
  return found ?? (onPath === null ? null : join(onPath, '..'));
})();

/** It refuses to run as root: then it is run as somebody who may do nothing else. */
const owner = ((): { uid: number; gid: number } | null => {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    const ids = ['-u', '-g'].map((which) => spawnSync('id', [which, name], { encoding: 'utf8' }).stdout.trim());
    const [uid, gid] = ids.map(Number);
    if (ids[0] !== '' && uid !== undefined && gid !== undefined) return { uid, gid };
  }
  return null;
})();

export const hasPostgres = programs !== null;
/** For the names of suites that are left out without it. */
export const withoutPostgres = hasPostgres ? '' : ' (skipped: PostgreSQL is not installed)';

export interface PostgresServer {
  /** Of the superuser, over loopback. */
  readonly url: string;
  readonly port: number;
  /** A new empty database; answers its URL. */
  database(): Promise<string>;
  /** Runs a statement as the superuser. */
  run<R extends pg.QueryResultRow>(statement: string, url?: string): Promise<R[]>;
  /** `immediate` as in a crash: no goodbyes, and recovery at the start. */
  halt(how: 'fast' | 'immediate'): Promise<void>;
  start(): Promise<void>;
  /** Cuts every connection whose application is Lastgood; answers how many. */
  cut(): Promise<number>;
  stop(): Promise<void>;
}

const password = 'of-the-test-server';

/** A copy that PostgreSQL takes: its own, and nobody else's to read. */
function own(path: string, copy: string): void {
  writeFileSync(copy, readFileSync(path), { mode: 0o600 });
  if (owner) chownSync(copy, owner.uid, owner.gid);
}

/** A PostgreSQL of its own in a temporary directory, on a free port of loopback; ended with `stop`, or with this process. */
export async function startPostgres({ tls }: { tls?: { cert: string; key: string } } = {}): Promise<PostgresServer> {
  if (programs === null) throw new Error('PostgreSQL is not installed.');
  const directory = mkdtempSync(join(tmpdir(), 'lastgood-postgres-'));
  if (owner) chownSync(directory, owner.uid, owner.gid);
  const data = join(directory, 'data');
  const as = { ...(owner ?? {}), cwd: directory, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' } };
  const made = spawnSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
    { ...as, encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}${made.error ?? ''}`);
  // One role has to give a password, and everybody else is let in.
  const rules = join(data, 'pg_hba.conf');
  writeFileSync(rules, `host all walled 127.0.0.1/32 scram-sha-256\n${readFileSync(rules, 'utf8')}`);
  for (const [name, path] of Object.entries(tls ?? {}))
    own(path, join(data, `server.${name === 'cert' ? 'crt' : name}`));
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const bin = programs;
  let child: ChildProcess | null = null;
  let ended: Promise<void> = Promise.resolve();
  let count = 0;

  async function run<R extends pg.QueryResultRow>(statement: string, at = url): Promise<R[]> {
    const client = new pg.Client({ connectionString: at, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<R>(statement)).rows;
    } finally {
      await client.end();
    }
  }

  const kill = () => void child?.kill('SIGQUIT');
  async function start(): Promise<void> {
    const settings = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', fsync: 'off' };
    const encryption = tls ? { ssl: 'on' } : {};
    const args = Object.entries({ ...settings, ...encryption }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    let said = '';
    const server = spawn(join(bin, 'postgres'), ['-D', data, ...args, '-c', 'max_connections=200'], {
      ...as,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    server.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    });
    child = server;
    ended = new Promise((done) => void server.once('exit', () => done()));
    for (const untilMs = Date.now() + 60_000; ; ) {
      const failure = await run('SELECT 1').then(
        () => null,
        (error: unknown) => error,
      );
      if (failure === null) return;
      if (server.exitCode !== null || Date.now() > untilMs) throw new Error(`PostgreSQL did not start: ${said}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  async function halt(how: 'fast' | 'immediate'): Promise<void> {
    child?.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
    child = null;
  }

  process.once('exit', kill);
  await start();
  return {
    url,
    port,
    run,
    halt,
    start,
    async database() {
      count += 1;
      const name = `test_${process.pid}_${count}`;
      await run(`CREATE DATABASE ${name}`);
      return `postgres://postgres:${password}@127.0.0.1:${port}/${name}`;
    },
    async cut() {
      const rows = await run(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lastgood'`,
      );
      return rows.length;
    },
    async stop() {
      await halt('immediate');
      process.removeListener('exit', kill);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
