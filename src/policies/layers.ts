import { stringify } from 'yaml';
import type { PolicyDocument } from './document.ts';
import { valueAt } from './explain.ts';
import type { Path } from './problem.ts';

/** One file a policy is made of: its own, or a template. */
export interface Layer {
  readonly file: string;
  readonly text: string;
  readonly document: PolicyDocument;
  readonly value: Mapping;
}
export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The files laid over each other, the lowest first: mappings are merged key by key, everything else is replaced. */
export function mergeLayers(layers: readonly Layer[]): Mapping {
  return layers.reduce<Mapping>((merged, { value }) => {
    const { extends: _, ...keys } = value;
    return mergeMappings(merged, keys);
  }, {});
}

function mergeMappings(below: Mapping, above: Mapping): Mapping {
  const merged = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const under = merged.get(key);
    merged.set(key, isMapping(under) && isMapping(value) ? mergeMappings(under, value) : value);
  }
  return Object.fromEntries(merged);
}

/**
 * Where to look for a problem with `path` of the merged value: the file its value comes from. What is not there is looked for in
 * the uppermost file that has the mapping that lacks it.
 */
export function locate(
  layers: readonly Layer[],
  path: Path,
  at: 'key' | 'value',
): { readonly file: string; readonly line: number; readonly column: number } {
  let holders = layers.toReversed();
  for (const index of path.keys()) {
    const here = path.slice(0, index + 1);
    const having = holders.filter(({ value }) => valueAt(value, here) !== undefined);
    if (having.length === 0) break;
    // A value that is no mapping hides what is below it.
    const opaque = having.findIndex(({ value }) => !isMapping(valueAt(value, here)));
    holders = opaque < 0 ? having : having.slice(0, Math.max(opaque, 1));
  }
  const [uppermost] = holders;
  if (!uppermost) throw new Error('a policy without a file');
  return { file: uppermost.file, ...uppermost.document.place(path, at) };
}

/**
 * One text that says what several files say together, secrets still only named: it can be archived, and read when they have changed
 * or gone. It names what it was made from, so that its hash changes with each of them.
 */
export function selfContained(
  merged: Mapping,
  madeFrom: readonly { readonly name: string; readonly hash: string }[],
): string {
  const sources = madeFrom.map(({ name, hash }) => `#   ${hash}  ${name}\n`).join('');
  const yaml = stringify(merged, { lineWidth: 0, aliasDuplicateObjects: false });
  return `# A policy with the templates it extends, put together by Lastgood from (SHA-256, its first 12 characters):\n${sources}${yaml}`;
}
