/** Plain selectors: `name{label="value",other=~"5.."}` and nothing besides. */

export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  /** As it is meant, without the quotes and their escapes. */
  readonly value: string;
}

export interface PlainSelector {
  readonly name: string;
  /** Ordered by label. */
  readonly matchers: readonly Matcher[];
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const SPACE = /[ \t\r\n]*/y;
/** Of the quotes only these, and of the escapes only those that mean the same everywhere. */
const MATCHER = /([a-zA-Z_][a-zA-Z0-9_]*)[ \t\r\n]*(=~|!~|!=|=)[ \t\r\n]*"((?:[^"\\\p{Cc}]|\\["\\nrt])+)"/uy;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * Understands a plain selector; null where anything is not exactly understood: functions, offsets, `@`, ranges, `or`, empty values,
 * other quotes, a label that is named twice, `__name__`, or text that is no Unicode.
 */
export function plainSelector(query: string): PlainSelector | null {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(query);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  const skip = (char: string): boolean => {
    take(SPACE);
    if (query[at] !== char) return false;
    at += 1;
    take(SPACE);
    return true;
  };
  take(SPACE);
  const name = take(NAME)?.[0];
  if (name === undefined || !query.isWellFormed() || !skip('{')) return null;
  const matchers: Matcher[] = [];
  do {
    const found = take(MATCHER);
    // A comma may stand after the last one.
    if (found === null) break;
    const [, label = '', operator = '', written = ''] = found;
    if (label === '__name__' || matchers.some((m) => m.label === label)) return null;
    matchers.push({ label, operator: operator as Matcher['operator'], value: unescaped(written) });
  } while (skip(','));
  if (matchers.length === 0 || !skip('}') || at !== query.length) return null;
  return { name, matchers: matchers.sort((a, b) => (a.label < b.label ? -1 : 1)) };
}

/** One selector for several values a label: a label with one value stays `=`. `values`: by label, none of them empty. */
export function selectorFor(
  name: string,
  values: ReadonlyMap<string, ReadonlySet<string>>,
  others: readonly Matcher[],
): string {
  const equal = [...values].map(([label, of]) => {
    const [only = ''] = of;
    return of.size === 1 ? `${label}=${quoted(only)}` : `${label}=~${quoted([...of].map(literal).join('|'))}`;
  });
  const rest = others.map(({ label, operator, value }) => `${label}${operator}${quoted(value)}`);
  return `${name}{${[...equal, ...rest].join(',')}}`;
}

function unescaped(written: string): string {
  return written.includes('\\') ? written.replace(/\\(.)/g, (_, char: string) => ESCAPES[char] ?? char) : written;
}

/** So that RE2 takes it for these very characters. */
function literal(value: string): string {
  return value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function quoted(value: string): string {
  const written = value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return `"${written}"`;
}
