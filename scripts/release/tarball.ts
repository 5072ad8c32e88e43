import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../record/problem.ts';
import { run } from './run.ts';

/** What a release may hold. `.npmignore` says the same, and is easier to get wrong. */
const ALLOWED =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|manifest\.yml|(bin|src|policies)\/.+|docs\/[^/]+\.md)$/;
/** What no release holds, wherever it lies. */
const FOREIGN = /(^|\/)(test|tests|node_modules|data|\.[^/]+)(\/|$)|\.(test\.ts|db|db-wal|pem|key|env|log)$/;

/** Secrets by the way they look: keys, tokens of Slack, PagerDuty, GitHub and npm, and of clouds. */
const SECRETS: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\bxox[abeprs]-\d{6,}-[\w-]{10,}/,
  /\bxapp-\d-[\w-]{20,}/,
  /\bgh[pousr]_[A-Za-z0-9]{30,}/,
  /\bnpm_[A-Za-z0-9]{30,}/,
  /\bAKIA[0-9A-Z]{16}\b/,
  /\bhooks\.slack\.com\/services\/T\w+\/B\w+\/\w{20,}/,
];

export interface Packed {
  readonly file: string;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

/**
 * Packs what is published into `folder`.
 * @throws {Problem} with every file that has no business in it.
 */
export async function pack(root: string, folder: string): Promise<Packed> {
  const { code, out, err } = await run(root, 'npm', [
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    folder,
  ]);
  if (code !== 0) throw new Problem(`npm pack failed.\n${err}`);
  const [packed] = JSON.parse(out) as { filename: string; files: { path: string; size: number }[] }[];
  if (!packed) throw new Problem('npm pack made nothing.');
  const paths = packed.files.map(({ path }) => path);
  const problems = strangers(paths);
  for (const path of paths) {
    const found = secretIn(await readFile(join(root, path), 'latin1'));
    if (found) problems.push(`${path} holds what looks like a secret (${found})`);
  }
  if (problems.length > 0) throw new Problem(`What was packed must not be published:\n- ${problems.join('\n- ')}`);
  return { file: packed.filename, files: packed.files.map(({ path, size }) => ({ path, bytes: size })) };
}

/** Files that are not for a release. */
export function strangers(paths: readonly string[]): string[] {
  return paths
    .filter((path) => !ALLOWED.test(path) || FOREIGN.test(path))
    .map((path) => `${path} is not for a release`);
}

/** Its beginning, to find it by; null: none. */
export function secretIn(content: string): string | null {
  for (const pattern of SECRETS) {
    const found = pattern.exec(content);
    if (found) return `${found[0].slice(0, 8)}…`;
  }
  return null;
}
