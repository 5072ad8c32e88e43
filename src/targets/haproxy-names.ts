import { placeholdersIn } from './template.ts';

/** Which version a server belongs to, by its name. */
export interface ServerNames {
  /** Null: the name is not one the template makes. */
  versionOf(server: string): string | null;
  /** What a version's servers are called, for messages: `v42-*`. */
  named(version: string): string;
}

const inNames = '[A-Za-z0-9_.:-]';

/**
 * @param template like `{{version}}` or `scorer-{{version}}-*`. What `*` stands for has no `-`, so that `v42-rc1-1` is an
 * instance of `v42-rc1` and of nothing else.
 */
export function parseServerNames(
  template: string,
): { names: ServerNames; problem: null } | { names: null; problem: string } {
  const no = (problem: string) => ({ names: null, problem });
  const [before, after, ...more] = template.split(/\{\{\s*version\s*\}\}/);
  if (placeholdersIn(template).some((name) => name !== 'version')) return no('only {{version}} can be used here');
  if (before === undefined || after === undefined || more.length > 0) return no('must have {{version}} exactly once');
  const isMany = after.endsWith('*');
  const between = isMany ? after.slice(0, -1) : after;
  if (!new RegExp(`^${inNames}*$`).test(before + between))
    return no('may have letters, digits and _ . : - around {{version}}, and one * at the end');
  if (isMany && between === '') return no('needs something between {{version}} and *, like {{version}}-*');
  const made = new RegExp(`^${quoted(before)}(${inNames}+)${quoted(between)}${isMany ? '[A-Za-z0-9]+' : ''}$`);
  return {
    names: {
      versionOf: (server) => made.exec(server)?.[1] ?? null,
      named: (version) => `${before}${version}${after}`,
    },
    problem: null,
  };
}

/** True: a server can have this version in its name. */
export function canBeNamed(version: string): boolean {
  return new RegExp(`^${inNames}+$`).test(version);
}

function quoted(text: string): string {
  return text.replaceAll('.', '\\.');
}
