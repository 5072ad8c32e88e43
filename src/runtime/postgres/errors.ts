import type { PostgresAddress } from './address.ts';

/**
 * Whether the same may well succeed when it is done again: another writer was there first, or the connection broke.
 * Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  // 40001 serialization_failure, 40P01 deadlock_detected, 55P03 lock_not_available; 23505: another replica wrote the same row.
  if (['40001', '40P01', '55P03', '23505'].includes(code)) return true;
  return isConnectionLost(error);
}

/** The server went away, or let go of us: restarted, failed over, or a unit of ours held its locks for too long. */
export function isConnectionLost(error: unknown): boolean {
  const code = codeOf(error);
  if (/^(08|57P0[1-5]|53300$|25P0[23])/.test(code) || sockets.has(code)) return true;
  // 57014: our own limit on a statement.
  if (code === '57014') return true;
  return error instanceof Error && words.test(error.message);
}

const sockets = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
]);
/** What the client says where it has no code: its texts, pg 8. */
const words =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Query read timeout|Connection ended|Client was closed)/;

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** What an operator reads where the database cannot be used; never with the password. */
export function unusable(address: PostgresAddress, error: unknown): Error {
  return new Error(`PostgreSQL (${address.name}) ${reasonOf(address, error)}`, { cause: error });
}

function reasonOf(address: PostgresAddress, error: unknown): string {
  const { user, host, port, database, password } = address;
  const code = codeOf(error);
  const said = error instanceof Error ? error.message : String(error);
  switch (code) {
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENOENT':
      return `cannot be reached (${code}): check that it runs, and that ${host}:${port} is its address.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot be reached: there is no host ${host} (${code}).`;
    case '28P01':
    case '28000':
      return password === undefined
        ? `does not let ${user} in: no password was given. Put it into the URL, user:password@host.`
        : `does not let ${user} in (${code}): check the user and the password, and pg_hba.conf.`;
    case '3D000':
      return `has no database ${database}: CREATE DATABASE "${database}" OWNER "${user}";`;
    case '42501':
    case '3F000':
      return `does not let ${user} make its tables (${said}): GRANT USAGE, CREATE ON SCHEMA public TO "${user}"; in the database ${database}.`;
    case '53300':
      return `has no connection left (${said}): raise max_connections, or run fewer replicas. Each takes up to 11.`;
    case '57P03':
      return `is starting up or in recovery (${said}): try again when it takes connections.`;
    case '25006':
      return `only lets read: it is a standby. Give the address of the primary.`;
    default:
      if (/password must be a string/.test(said))
        return reasonOf(address, Object.assign(new Error(said), { code: '28P01' }));
      if (/timeout/i.test(said)) return `did not answer in time: check that ${host}:${port} is its address.`;
      if (/SSL|certificate|self.signed|altnames/i.test(said)) {
        return `has no TLS that sslmode allows (${said.trim().replace(/:$/, '')}): ${tlsTodo(code, said)}`;
      }
      return `cannot be used: ${said}`;
  }
}

function tlsTodo(code: string, said: string): string {
  if (/does not support SSL/.test(said))
    return 'set ssl = on there, with a certificate; or sslmode=disable, where the network itself is safe.';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'its certificate is for another name. Give the host as the certificate names it, or sslmode=verify-ca.';
  return 'give the CA that signed its certificate as sslrootcert, a path.';
}
