import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../record/problem.ts';
import { run } from './run.ts';

/** A bill of materials as CycloneDX has it; the rest is passed on as npm wrote it. */
export interface Bill {
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: string;
  readonly metadata: { readonly component: { readonly 'bom-ref': string; readonly name: string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  /** The scope, with its @. */
  readonly group?: string;
  readonly version: string;
}

/** What of package-lock.json tells what is installed where development's is left out. */
export interface Lock {
  readonly name: string;
  readonly packages: Readonly<
    Record<
      string,
      { readonly version: string; readonly name?: string; readonly dev?: boolean; readonly optional?: boolean }
    >
  >;
}

/**
 * Everything that comes with a release, without what only makes it.
 * @throws {Problem} where npm cannot tell, or what is installed is not all in it.
 */
export async function bill(root: string): Promise<Bill> {
  // Its own --omit dev leaves out whatever development needs as well: of npm 11, 18 of the 167 packages that are installed.
  const { code, out, err } = await run(root, 'npm', ['sbom', '--sbom-format', 'cyclonedx']);
  if (code !== 0) throw new Problem(`npm sbom failed: run \`npm ci\` first.\n${err}`);
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const made = shipped(JSON.parse(out) as Bill, lock);
  const missing = missingFrom(made, lock);
  if (missing.length > 0) throw new Problem(`The bill of materials lacks ${missing.join(', ')}.`);
  return made;
}

/** The same without what only development needs, and under the name of the package: npm puts that of the folder there. */
export function shipped(all: Bill, lock: Lock): Bill {
  const wanted = new Set(installed(lock));
  const components = all.components.filter((one) => wanted.has(nameOf(one)));
  const { component } = all.metadata;
  const refs = new Set([component['bom-ref'], ...components.map((one) => one['bom-ref'])]);
  const dependencies = all.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }));
  return {
    ...all,
    metadata: { ...all.metadata, component: { ...component, name: lock.name } },
    components,
    dependencies,
  };
}

/** What is installed and not in it. Optional packages for other machines are not there. */
export function missingFrom({ components }: Pick<Bill, 'components'>, lock: Lock): string[] {
  const listed = new Set(components.map(nameOf));
  const packages = Object.entries(lock.packages).filter(([, { optional }]) => !optional);
  return installed({ ...lock, packages: Object.fromEntries(packages) }).filter((one) => !listed.has(one));
}

function installed({ packages }: Lock): string[] {
  const all = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
  return [
    ...new Set(all.map(([path, { name, version }]) => `${name ?? path.replace(/^.*node_modules\//, '')}@${version}`)),
  ];
}

function nameOf({ group, name, version }: Component): string {
  return `${group ? `${group}/` : ''}${name}@${version}`;
}
