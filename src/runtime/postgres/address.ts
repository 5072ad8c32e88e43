import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';

/** Where a PostgreSQL is and as whom we come. Made from a URL, whose words are those of libpq. */
export interface PostgresAddress {
  /** A name, an address, or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly ssl: false | ConnectionOptions;
  /** For messages: `lastgood@db.example:5432/lastgood`, never with the password. */
  readonly name: string;
}

const defaultPort = 5432;
const modes = ['disable', 'require', 'verify-ca', 'verify-full'];
const known = ['host', 'port', 'user', 'password', 'dbname', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

/**
 * Reads a `postgres://user:password@host:port/database?sslmode=…`.
 * `require` encrypts and asks nothing, `verify-ca` asks for a certificate of `sslrootcert` (or one the system trusts),
 * `verify-full` for the host's name in it as well; a server on another machine must have one of them, or `disable`, said.
 * @throws with what is wrong and what to write instead; never with the password.
 */
export function postgresAddress(text: string): PostgresAddress {
  const url = URL.parse(text);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new Error('it must be a URL: postgres://user:password@host:5432/database?sslmode=verify-full');
  }
  const given = url.searchParams;
  const strange = [...given.keys()].filter((key) => !known.includes(key));
  if (strange.length > 0) {
    throw new Error(`it has ${strange.join(' and ')}, which is not understood: known are ${known.join(', ')}`);
  }
  const host = given.get('host') ?? decodeURIComponent(url.hostname.replace(/^\[|\]$/g, ''));
  const port = Number(given.get('port') ?? (url.port === '' ? defaultPort : url.port));
  const user = given.get('user') ?? decodeURIComponent(url.username);
  const database = given.get('dbname') ?? decodeURIComponent(url.pathname.replace(/^\//, ''));
  const password = given.get('password') ?? decodeURIComponent(url.password);
  for (const [what, value] of [
    ['host', host],
    ['user', user],
    ['database', database],
  ] as const) {
    if (value === '') throw new Error(`it names no ${what}: postgres://user:password@host:5432/database`);
  }
  return {
    host,
    port,
    user,
    database,
    password: password === '' ? undefined : password,
    ssl: tlsOf(given, host),
    name: `${user}@${host}:${port}/${database}`,
  };
}

function tlsOf(given: URLSearchParams, host: string): PostgresAddress['ssl'] {
  const isLocal = host.startsWith('/') || /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);
  const mode = given.get('sslmode') ?? (isLocal ? 'disable' : null);
  if (mode === null || !modes.includes(mode)) {
    throw new Error(
      `it must say how the way to ${host} is kept safe: add ?sslmode=verify-full (or verify-ca, require; disable where the network itself is safe)`,
    );
  }
  if (mode === 'disable') return false;
  const files = { ca: fileOf(given, 'sslrootcert'), cert: fileOf(given, 'sslcert'), key: fileOf(given, 'sslkey') };
  const own = Object.fromEntries(Object.entries(files).filter(([, content]) => content !== undefined));
  if (mode === 'require') return { ...own, rejectUnauthorized: false };
  if (mode === 'verify-ca') return { ...own, rejectUnauthorized: true, checkServerIdentity: () => undefined };
  return { ...own, rejectUnauthorized: true };
}

function fileOf(given: URLSearchParams, name: string): string | undefined {
  const path = given.get(name);
  if (path === null) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new Error(`its ${name} is ${path}, which cannot be read (${why}): check the path and its permissions`);
  }
}
