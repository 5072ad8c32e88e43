import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Problem } from '../record/problem.ts';
import { audited } from './audit.ts';
import { bill } from './bill.ts';
import { run } from './run.ts';
import { changelogProblem, lockProblem, tagProblem, treeProblem, versionProblem } from './state.ts';
import { pack } from './tarball.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Choices {
  /** What only a release needs (a clean tree, a dated change log, an audit that could be asked for) is told, and stops nothing. */
  readonly rehearsal: boolean;
  /** Made anew. */
  readonly out: string;
}

/**
 * Makes what is published of a version: the tarball, its bill of materials, the lock file it was tested with, and the SHA-256 of
 * each. Publishes nothing and leaves the tree as it was.
 * @throws {Problem} with everything that is in the way.
 */
export async function release({ rehearsal, out }: Choices, print: (line: string) => void): Promise<void> {
  const read = (name: string) => readFile(join(root, name), 'utf8');
  const { name, version } = JSON.parse(await read('package.json')) as { name: string; version: string };
  const audit = await audited(root);
  print(audit.text);
  if (audit.outcome === 'findings') throw new Problem('Nothing was made: mend the findings first.');
  const unready = [
    versionProblem(version),
    lockProblem(version, await read('package-lock.json')),
    changelogProblem(version, await read('CHANGELOG.md')),
    treeProblem((await run(root, 'git', ['status', '--porcelain'])).out),
    tagProblem(version, (await run(root, 'git', ['tag', '--list', `v${version}`])).out),
    audit.outcome === 'unknown' ? 'Whether dependencies have known weaknesses could not be asked.' : null,
  ].filter((problem) => problem !== null);
  if (unready.length > 0 && !rehearsal)
    throw new Problem(['This is not ready to be released:', ...unready].join('\n- '));
  for (const problem of unready) print(`Would stop a release: ${problem}`);

  const folder = resolve(out);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const packed = await pack(root, folder);
  for (const { path, bytes } of packed.files) print(`  ${String(bytes).padStart(8)}  ${path}`);
  print(`${packed.file}: ${packed.files.length} files, no tests, nothing that looks like a secret`);
  const materials = await bill(root);
  await writeFile(join(folder, `${name}-${version}.cdx.json`), `${JSON.stringify(materials, null, 2)}\n`);
  print(`${name}-${version}.cdx.json: ${materials.components.length} components (CycloneDX ${materials.specVersion})`);
  // npm leaves it out of every tarball, and without it others install what was never tested together.
  await copyFile(join(root, 'package-lock.json'), join(folder, `${name}-${version}.package-lock.json`));
  print(await sums(folder));
  print(rehearsal ? `A rehearsal: ${folder}` : `Ready to be published: ${folder}`);
}

/** `SHA256SUMS`, as `sha256sum --check` reads it. */
async function sums(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const file of (await readdir(folder)).sort()) {
    const hash = createHash('sha256').update(await readFile(join(folder, file)));
    lines.push(`${hash.digest('hex')}  ${file}`);
  }
  const text = lines.join('\n');
  await writeFile(join(folder, 'SHA256SUMS'), `${text}\n`);
  return text;
}
