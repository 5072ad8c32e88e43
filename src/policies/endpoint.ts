import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Endpoint } from '../domain/policy.ts';
import type { Finding } from './explain.ts';
import type { Path } from './problem.ts';
import type { EndpointFile } from './schema.ts';

/** No certificate bundle is larger. */
const maxTlsFileBytes = 1024 * 1024;
const pemBegin = '-----BEGIN ';

/** Makes the endpoint, reading its certificates. */
export async function buildEndpoint(
  given: EndpointFile,
  path: Path,
  policyFile: string,
): Promise<{ endpoint: Endpoint; findings: Finding[] }> {
  const { tls, findings } = await readTls(given.tls ?? {}, [...path, 'tls'], policyFile);
  return { endpoint: { url: given.url.replace(/\/+$/, ''), headers: headersOf(given), tls }, findings };
}

interface TlsFile {
  readonly ca?: string | null;
  readonly cert?: string | null;
  readonly key?: string | null;
  readonly insecure?: boolean;
}

/**
 * Puts the content of PEM files in the place of their names. They are read once, with the policy: who serves it later need not
 * reach them, and a path is always relative to the policy's own file.
 */
export async function readTls(
  given: TlsFile,
  path: Path,
  policyFile: string,
): Promise<{ tls: Endpoint['tls']; findings: Finding[] }> {
  const findings: Finding[] = [];
  const read = async (key: 'ca' | 'cert' | 'key'): Promise<string | null> => {
    const file = given[key] ?? null;
    if (file === null || file.includes(pemBegin)) return file;
    const outcome = await readPem(resolve(dirname(policyFile), file));
    if (outcome.problem === null) return outcome.text;
    findings.push({ path: [...path, key], at: 'value', message: `the file ${file} ${outcome.problem}` });
    return null;
  };
  const tls = { ca: await read('ca'), cert: await read('cert'), key: await read('key') };
  return { tls: { ...tls, insecure: given.insecure ?? false }, findings };
}

function headersOf(given: EndpointFile): Record<string, string> {
  const headers = { ...given.headers };
  if (given.bearer !== undefined) headers.Authorization = `Bearer ${given.bearer}`;
  if (given.basic) {
    const credentials = Buffer.from(`${given.basic.username}:${given.basic.password}`, 'utf8').toString('base64');
    headers.Authorization = `Basic ${credentials}`;
  }
  return headers;
}

async function readPem(file: string): Promise<{ text: string; problem: null } | { text: null; problem: string }> {
  try {
    const { size } = await stat(file);
    if (size > maxTlsFileBytes) return { text: null, problem: 'is too large for a certificate or key' };
    const text = await readFile(file, 'utf8');
    // The content is never shown: a key file given by mistake for something else stays unread.
    if (!text.includes(pemBegin)) return { text: null, problem: 'is not in PEM form (-----BEGIN …)' };
    return { text, problem: null };
  } catch (error) {
    return { text: null, problem: `cannot be read: ${reason(error)}` };
  }
}

/** Why the file system refused, in words. */
export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'it does not exist',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EISDIR: 'it is a directory',
    ENOTDIR: 'it is not a directory',
    ELOOP: 'its symbolic links go in a circle',
  };
  return words[code] ?? code;
}
