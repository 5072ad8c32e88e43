import { compileMatcher } from '../domain/match.ts';
import type { Matcher } from '../domain/policy.ts';
import { RegexProblem } from '../domain/regex.ts';

/** What is wrong with a matcher, and at which character of the text (from 0). */
export class MatcherProblem extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = 'MatcherProblem';
    this.at = at;
  }
}

interface Reader {
  readonly text: string;
  at: number;
  /** Where the list ends: before its closing brace. */
  readonly end: number;
}

/**
 * Alertmanager's matchers: `severity="critical"`, `{service=~"a|b", env!=test}`, `"größe"="12"`. One text, one or more
 * matchers. In quotes `\"`, `\\` and `\n` are escapes and every other backslash is itself (Alertmanager's classic parser, whose
 * reading it keeps where its parsers differ), so that `code=~"5\d\d"` is what it looks like. Throws MatcherProblem.
 */
export function parseMatchers(text: string): Matcher[] {
  const reader = open(text);
  const matchers: Matcher[] = [];
  skipSpace(reader);
  while (reader.at < reader.end) {
    matchers.push(readMatcher(reader));
    skipSpace(reader);
    if (reader.at >= reader.end) break;
    if (reader.text[reader.at] !== ',')
      throw new MatcherProblem('a comma was expected between two matchers', reader.at);
    reader.at += 1;
    skipSpace(reader);
  }
  if (matchers.length === 0)
    throw new MatcherProblem('there is no matcher in it: write one such as severity="critical"', 0);
  return matchers;
}

/** Whether an alert without the label would pass: then the matcher alone holds nothing back. */
export function matchesEmpty(matcher: Matcher): boolean {
  return compileMatcher(matcher)('');
}

function open(text: string): Reader {
  const begin = text.length - text.trimStart().length;
  const end = text.trimEnd().length;
  if (text[begin] !== '{') return { text, at: begin, end: Math.max(begin, end) };
  if (text[end - 1] !== '}' || end - 1 === begin) throw new MatcherProblem('the "{" is not closed with "}"', begin);
  return { text, at: begin + 1, end: end - 1 };
}

function skipSpace(reader: Reader): void {
  while (reader.at < reader.end && /\s/.test(reader.text[reader.at] ?? '')) reader.at += 1;
}

function readMatcher(reader: Reader): Matcher {
  const label = readLabel(reader);
  skipSpace(reader);
  const from = reader.at;
  const rest = reader.text.slice(from, Math.min(from + 2, reader.end));
  const operator = (['=~', '!~', '!=', '='] as const).find((known) => rest.startsWith(known));
  if (!operator || (operator === '=' && rest === '==')) {
    throw new MatcherProblem(`after the label ${label} one of =, !=, =~ or !~ was expected`, from);
  }
  reader.at += operator.length;
  skipSpace(reader);
  const valueAt = reader.at;
  const value = reader.text[reader.at] === '"' ? readQuoted(reader) : readBare(reader);
  const matcher: Matcher = { label, operator, value };
  try {
    compileMatcher(matcher);
  } catch (error) {
    if (!(error instanceof RegexProblem)) throw error;
    throw new MatcherProblem(`the expression for ${label} cannot be used: ${error.message}`, valueAt);
  }
  return matcher;
}

function readLabel(reader: Reader): string {
  const from = reader.at;
  if (reader.text[from] === '"') {
    const label = readQuoted(reader);
    if (label === '') throw new MatcherProblem('the name of a label must not be empty', from);
    return label;
  }
  // Unquoted names may hold everything that has no meaning of its own (Alertmanager's UTF-8 parser).
  const name = /^[^{}!=~,\\"'`\s]+/.exec(reader.text.slice(from, reader.end))?.[0] ?? '';
  if (name === '') throw new MatcherProblem('the name of a label was expected', from);
  reader.at += name.length;
  return name;
}

function readQuoted(reader: Reader): string {
  const from = reader.at;
  let value = '';
  for (reader.at += 1; reader.at < reader.end; reader.at += 1) {
    const character = reader.text[reader.at] ?? '';
    if (character === '"') {
      reader.at += 1;
      return value;
    }
    const next = reader.text[reader.at + 1] ?? '';
    if (character === '\\' && reader.at + 1 < reader.end && '"\\n'.includes(next)) {
      value += next === 'n' ? '\n' : next;
      reader.at += 1;
    } else value += character;
  }
  throw new MatcherProblem('the quote is not closed', from);
}

function readBare(reader: Reader): string {
  const from = reader.at;
  const comma = reader.text.indexOf(',', from);
  reader.at = comma === -1 || comma > reader.end ? reader.end : comma;
  const value = reader.text.slice(from, reader.at).trimEnd();
  const quote = value.indexOf('"');
  if (quote !== -1) throw new MatcherProblem('a quote inside of a value without quotes', from + quote);
  if (/^['`]/.test(value)) throw new MatcherProblem('values are quoted with ", not with \' or `', from);
  return value;
}
