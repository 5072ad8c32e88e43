import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';
import type { Path } from './problem.ts';

/** A YAML text read: its plain value, and where each part of it stands. */
export interface PolicyDocument {
  /** Undefined where the text could not be read well enough to go on. */
  readonly value: unknown;
  readonly problems: readonly { readonly at: Place; readonly path: Path; readonly message: string }[];
  /**
   * Where to look for a problem with `path`: its value, or its key (`at: 'key'`). What is not there is looked for
   * one level up, at the key of the mapping that lacks it.
   */
  place(path: Path, at: 'value' | 'key'): Place;
}
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** No policy is nested so deeply; what is would end the process that walks it. */
const maxDepth = 60;
/** More references than this blow a small text up to a large one ("billion laughs"). */
const maxAliases = 100;

export function readDocument(text: string): PolicyDocument {
  const lines = new LineCounter();
  if (opensTooDeep(text)) return unreadable(`it is nested more than ${maxDepth} deep`);
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems = [
    ...document.errors.map((error) => ({ at: placeOf(error.pos[0]), path: [], message: inWords(error, text) })),
    ...document.warnings.map((warning) => ({
      at: placeOf(warning.pos[0]),
      path: [],
      message: `this YAML cannot be used in a policy: ${warning.message}`,
    })),
    ...oddKeys(document).map((offset) => ({
      at: placeOf(offset),
      path: [],
      message: 'a key must be a plain word; a value that begins with "{{" must be in quotes: "{{version}}"',
    })),
  ];
  const readable = problems.length === document.errors.filter((error) => error.code === 'DUPLICATE_KEY').length;
  const plain = readable ? toPlain(document) : { value: undefined, problem: null };
  return {
    value: plain.value,
    problems: plain.problem
      ? [...problems, { at: { line: 1, column: 1 }, path: [], message: plain.problem }]
      : problems,
    // Asked for where something is wrong: to hold thousands of documents in memory for that would be too much.
    place: (path, at) => placeOf(offsetOf(parseDocument(text, { prettyErrors: false }), path, at)),
  };
}

function unreadable(message: string): PolicyDocument {
  const at = { line: 1, column: 1 };
  return { value: undefined, problems: [{ at, path: [], message }], place: () => at };
}

/** Before anything is read: more brackets open at once than any policy has, or an indentation as deep. */
function opensTooDeep(text: string): boolean {
  let open = 0;
  for (const [sign] of text.matchAll(/[[\]{}]/g)) {
    open = sign === '[' || sign === '{' ? open + 1 : Math.max(0, open - 1);
    if (open > maxDepth) return true;
  }
  return /^(?: |- ?){200}/m.test(text);
}

/** A reference to what it stands in makes a value that holds itself. Null: it ends. */
function endless(value: unknown): string | null {
  const within = new Set<object>();
  const ended = new Set<object>();
  const walk = (part: unknown): string | null => {
    if (typeof part !== 'object' || part === null || ended.has(part)) return null;
    if (within.has(part)) return 'one of its aliases (*name) stands within what it refers to';
    if (within.size >= maxDepth) return `it is nested more than ${maxDepth} deep`;
    within.add(part);
    for (const inner of Object.values(part)) {
      const problem = walk(inner);
      if (problem !== null) return problem;
    }
    within.delete(part);
    ended.add(part);
    return null;
  };
  return walk(value);
}

function toPlain(document: Document): { value: unknown; problem: string | null } {
  try {
    const value: unknown = document.toJS({ maxAliasCount: maxAliases });
    const problem = endless(value);
    return problem === null ? { value, problem } : { value: undefined, problem };
  } catch (error) {
    // The only thing that can go wrong here are aliases: unknown ones are errors before, too many are found now.
    if (!(error instanceof ReferenceError)) throw error;
    return { value: undefined, problem: `its aliases (*name) cannot be followed: ${error.message}` };
  }
}

function inWords(error: { code: string; message: string; pos: [number, number] }, text: string): string {
  switch (error.code) {
    case 'DUPLICATE_KEY': {
      const key = /^[^:\n]*/.exec(text.slice(error.pos[0]))?.[0].trim() ?? '';
      return `the key ${key} is given twice`;
    }
    case 'MULTIPLE_DOCS':
      return 'one file holds one policy: put what follows "---" into a file of its own';
    case 'TAB_AS_INDENT':
      return 'YAML is indented with spaces, this is a tab';
    case 'BAD_ALIAS':
      return 'a "*" begins a reference in YAML: put it in quotes ("*")';
    case 'MISSING_CHAR':
    case 'UNEXPECTED_TOKEN':
    case 'BAD_SCALAR_START':
      return `this is not YAML: ${error.message}. Put a value with "{", "}", "#", "*" or ": " in it in quotes`;
    default:
      return `this is not YAML: ${error.message}`;
  }
}

/** Keys that are mappings or lists themselves: in a policy always a `{{version}}` without quotes. */
function oddKeys(document: Document): number[] {
  const offsets: number[] = [];
  visit(document, {
    Pair(_, pair) {
      if (isNode(pair.key) && !isScalar(pair.key)) offsets.push(pair.key.range?.[0] ?? 0);
    },
  });
  return offsets;
}

function offsetOf(document: Document, path: Path, at: 'value' | 'key'): number {
  let node: unknown = document.contents;
  let key: unknown = null;
  for (const [index, part] of path.entries()) {
    const inside = isAlias(node) ? node.resolve(document) : node;
    const pair = isMap(inside) ? findPair(inside.items, part) : null;
    const item = isSeq(inside) && typeof part === 'number' ? inside.items[part] : null;
    if (pair) {
      key = pair.key;
      if (at === 'key' && index === path.length - 1) return startOf(key) ?? 0;
      node = pair.value ?? pair.key;
    } else if (isNode(item)) {
      key = item;
      node = item;
    } else return startOf(key) ?? startOf(node) ?? 0;
  }
  return startOf(node) ?? startOf(key) ?? 0;
}

function findPair(items: readonly unknown[], part: string | number): Pair | null {
  // The last one counts where a key is doubled, as it does in the value.
  const found = items.findLast((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part));
  return isPair(found) ? found : null;
}

function startOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}
