import {
  type CharacterSet,
  complement,
  lastCodePoint,
  merge,
  perlClasses,
  posixClasses,
  set,
  unicodeClass,
} from './regex-characters.ts';

/**
 * The syntax of the regular expressions in alert matchers: RE2 as Go's `regexp` reads it, because that is what Alertmanager
 * reads. Reading it ourselves means that what only JavaScript knows (look-around, back references) is refused, not misread.
 */
export type RegexNode =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assertion'; readonly what: Assertion }
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly items: readonly RegexNode[] }
  /** `max` null: without end. Greedy or lazy is the same where only "matches or not" is asked. */
  | { readonly kind: 'repeat'; readonly item: RegexNode; readonly min: number; readonly max: number | null };

export type Assertion = 'text-begin' | 'text-end' | 'line-begin' | 'line-end' | 'word-boundary' | 'no-word-boundary';

/** The expression cannot be read; `at` is the character (from 0) where it goes wrong. */
export class RegexProblem extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = 'RegexProblem';
    this.at = at;
  }
}

interface Flags {
  /** `i`: upper and lower case are the same. */
  fold: boolean;
  /** `s`: the dot also takes a line feed. */
  dotAll: boolean;
  /** `m`: ^ and $ also stand at line ends. */
  lines: boolean;
}

interface Reader {
  readonly source: readonly string[];
  at: number;
  depth: number;
}

/** Highest count RE2 lets a repetition have. */
const maxRepeat = 1000;
/** Nesting beyond this is not read (RE2's own limit). */
const maxDepth = 1000;
const lineFeed = 10;

/** Reads an expression; throws RegexProblem. */
export function readRegex(source: string): RegexNode {
  const reader: Reader = { source: Array.from(source), at: 0, depth: 0 };
  const node = readChoice(reader, { fold: false, dotAll: false, lines: false });
  if (reader.at < reader.source.length) throw new RegexProblem('a ")" too many', reader.at);
  return node;
}

function peek(reader: Reader, ahead = 0): string {
  return reader.source[reader.at + ahead] ?? '';
}

function take(reader: Reader, text: string): boolean {
  const there = reader.source.slice(reader.at, reader.at + text.length).join('') === text;
  if (there) reader.at += text.length;
  return there;
}

function readChoice(reader: Reader, flags: Flags): RegexNode {
  const items: RegexNode[] = [readSequence(reader, flags)];
  while (take(reader, '|')) items.push(readSequence(reader, flags));
  const [only] = items;
  return items.length === 1 && only ? only : { kind: 'choice', items };
}

function readSequence(reader: Reader, flags: Flags): RegexNode {
  const items: RegexNode[] = [];
  while (reader.at < reader.source.length && peek(reader) !== '|' && peek(reader) !== ')') {
    if (take(reader, '\\Q')) items.push(...readQuoted(reader, flags));
    else {
      const atom = readAtom(reader, flags);
      if (atom) items.push(readRepetition(reader, atom));
    }
  }
  return { kind: 'sequence', items };
}

/** `\Q…\E`: everything between is itself. */
function readQuoted(reader: Reader, flags: Flags): RegexNode[] {
  const items: RegexNode[] = [];
  while (reader.at < reader.source.length && !take(reader, '\\E')) {
    items.push(single(codePoint(peek(reader)), flags));
    reader.at += 1;
  }
  const last = items.pop();
  return last ? [...items, readRepetition(reader, last)] : items;
}

function readRepetition(reader: Reader, item: RegexNode): RegexNode {
  const from = reader.at;
  const count = readCount(reader);
  if (!count) return item;
  take(reader, '?');
  const again = reader.at;
  if (readCount(reader)) throw new RegexProblem('one repetition right after another', again);
  if (count.max !== null && count.min > count.max)
    throw new RegexProblem('a repetition that ends before it begins', from);
  if (count.min > maxRepeat || (count.max ?? 0) > maxRepeat) {
    throw new RegexProblem(`a repetition of more than ${maxRepeat}`, from);
  }
  return { kind: 'repeat', item, ...count };
}

function readCount(reader: Reader): { min: number; max: number | null } | null {
  if (take(reader, '*')) return { min: 0, max: null };
  if (take(reader, '+')) return { min: 1, max: null };
  if (take(reader, '?')) return { min: 0, max: 1 };
  if (peek(reader) !== '{') return null;
  const counted = /^\{(\d+)(,(\d*))?\}/.exec(reader.source.slice(reader.at, reader.at + 24).join(''));
  // As in RE2, braces that are no repetition are themselves.
  if (!counted) return null;
  reader.at += counted[0].length;
  const min = Number(counted[1]);
  if (counted[2] === undefined) return { min, max: min };
  return { min, max: counted[3] ? Number(counted[3]) : null };
}

function readAtom(reader: Reader, flags: Flags): RegexNode | null {
  const from = reader.at;
  const character = peek(reader);
  if (character === '(') return readGroup(reader, flags);
  if (character === '[') return { kind: 'set', set: readClass(reader, flags) };
  if (character === '\\') return readEscape(reader, flags);
  if (readCount(reader)) throw new RegexProblem('a repetition with nothing before it', from);
  reader.at += 1;
  switch (character) {
    case '.':
      return {
        kind: 'set',
        set: set(
          flags.dotAll
            ? [[0, lastCodePoint]]
            : [
                [0, lineFeed - 1],
                [lineFeed + 1, lastCodePoint],
              ],
        ),
      };
    case '^':
      return { kind: 'assertion', what: flags.lines ? 'line-begin' : 'text-begin' };
    case '$':
      return { kind: 'assertion', what: flags.lines ? 'line-end' : 'text-end' };
    default:
      return single(codePoint(character), flags);
  }
}

/** A group; null for `(?i)`, which only sets flags for what follows. */
function readGroup(reader: Reader, flags: Flags): RegexNode | null {
  const from = reader.at;
  reader.at += 1;
  let inner = { ...flags };
  if (take(reader, '?')) {
    const rest = reader.source.slice(reader.at, reader.at + 64).join('');
    if (/^(=|!|<=|<!)/.test(rest)) {
      throw new RegexProblem('look-around "(?=", "(?!", "(?<": Alertmanager (RE2) does not have it', from);
    }
    const name = /^P?<[A-Za-z0-9_]+>/.exec(rest);
    if (name) reader.at += name[0].length;
    else {
      const set = /^([imsU]*)(-[imsU]+)?([:)])/.exec(rest);
      if (!set || set[0] === ')') throw new RegexProblem('a "(?" that RE2 does not know', from);
      reader.at += set[0].length;
      inner = withFlags(flags, set[1] ?? '', set[2] ?? '');
      if (set[3] === ')') {
        Object.assign(flags, inner);
        return null;
      }
    }
  }
  reader.depth += 1;
  if (reader.depth > maxDepth) throw new RegexProblem('groups nested too deeply', from);
  const node = readChoice(reader, inner);
  reader.depth -= 1;
  if (!take(reader, ')')) throw new RegexProblem('a "(" that is not closed', from);
  return node;
}

function withFlags(flags: Flags, on: string, off: string): Flags {
  const value = (letter: string, before: boolean) => (off.includes(letter) ? false : on.includes(letter) || before);
  return { fold: value('i', flags.fold), dotAll: value('s', flags.dotAll), lines: value('m', flags.lines) };
}

const assertions: Readonly<Record<string, Assertion>> = {
  A: 'text-begin',
  z: 'text-end',
  b: 'word-boundary',
  B: 'no-word-boundary',
};

function readEscape(reader: Reader, flags: Flags): RegexNode {
  const what = assertions[peek(reader, 1)];
  if (what) {
    reader.at += 2;
    return { kind: 'assertion', what };
  }
  return { kind: 'set', set: { ...merge([readEscapedSet(reader)]), fold: flags.fold } };
}

const controlEscapes: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/** What stands behind a backslash, inside or outside of brackets. */
function readEscapedSet(reader: Reader): CharacterSet {
  const from = reader.at;
  const letter = peek(reader, 1);
  reader.at += 2;
  if (letter === '') throw new RegexProblem('a "\\" at the end', from);
  const perl = perlClasses[letter.toLowerCase()];
  if (perl) return set(letter === letter.toLowerCase() ? perl : complement(perl));
  if (letter === 'p' || letter === 'P') return readUnicodeClass(reader, letter === 'P', from);
  const control = controlEscapes[letter];
  if (control !== undefined) return set([[control, control]]);
  const rest = reader.source.slice(reader.at - 1, reader.at + 12).join('');
  const code = /^x([0-9A-Fa-f]{2})|^x\{([0-9A-Fa-f]{1,8})\}|^(0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
  if (code) {
    reader.at += code[0].length - 1;
    const value = code[3] === undefined ? Number.parseInt(code[1] ?? code[2] ?? '', 16) : Number.parseInt(code[3], 8);
    if (value > lastCodePoint) throw new RegexProblem('a character code that does not exist', from);
    return set([[value, value]]);
  }
  if (/[1-9]/.test(letter)) {
    throw new RegexProblem(`the back reference "\\${letter}": Alertmanager (RE2) does not have it`, from);
  }
  if (/[A-Za-z0-9]/.test(letter)) throw new RegexProblem(`the escape "\\${letter}" that RE2 does not know`, from);
  return set([[codePoint(letter), codePoint(letter)]]);
}

function readUnicodeClass(reader: Reader, negated: boolean, from: number): CharacterSet {
  const named = /^(?:\{(\^?)([A-Za-z_]+)\}|([A-Z]))/.exec(reader.source.slice(reader.at, reader.at + 48).join(''));
  const name = named?.[2] ?? named?.[3] ?? '';
  if (!named) throw new RegexProblem('a "\\p" without the name of a Unicode class', from);
  reader.at += named[0].length;
  const inverted = negated !== (named[1] === '^');
  const characters = unicodeClass(name, inverted);
  if (characters) return characters;
  throw new RegexProblem(`the Unicode class "${name}", which does not exist`, from);
}

function readClass(reader: Reader, flags: Flags): CharacterSet {
  const from = reader.at;
  reader.at += 1;
  const negated = take(reader, '^');
  const parts: CharacterSet[] = [];
  for (let first = true; first || peek(reader) !== ']'; first = false) {
    if (reader.at >= reader.source.length) throw new RegexProblem('a "[" that is not closed', from);
    parts.push(readClassPart(reader));
  }
  reader.at += 1;
  return { ...merge(parts), negated, fold: flags.fold };
}

function readClassPart(reader: Reader): CharacterSet {
  const from = reader.at;
  const posix = /^\[:(\^?)([a-z]+):\]/.exec(reader.source.slice(reader.at, reader.at + 16).join(''));
  if (posix) {
    const ranges = posixClasses[posix[2] ?? ''];
    if (!ranges) throw new RegexProblem(`the class "${posix[0]}", which does not exist`, from);
    reader.at += posix[0].length;
    return set(posix[1] ? complement(ranges) : ranges);
  }
  const low = readClassCharacter(reader);
  if (peek(reader) !== '-' || peek(reader, 1) === ']' || peek(reader, 1) === '') return low;
  reader.at += 1;
  const high = readClassCharacter(reader);
  const [begin, end] = [onlyCharacter(low), onlyCharacter(high)];
  if (begin === null || end === null || begin > end) throw new RegexProblem('a range that is none', from);
  return set([[begin, end]]);
}

function readClassCharacter(reader: Reader): CharacterSet {
  if (peek(reader) === '\\') return readEscapedSet(reader);
  const code = codePoint(peek(reader));
  reader.at += 1;
  return set([[code, code]]);
}

function onlyCharacter(characters: CharacterSet): number | null {
  const [range] = characters.ranges;
  return characters.ranges.length === 1 && range && range[0] === range[1] ? range[0] : null;
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}
function single(code: number, flags: Flags): RegexNode {
  return { kind: 'set', set: { ...set([[code, code]]), fold: flags.fold } };
}
