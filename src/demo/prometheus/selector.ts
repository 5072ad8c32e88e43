import { compileMatcher } from '../../domain/match.ts';
import type { Matcher } from '../../domain/policy.ts';

/** The query cannot be answered; the text is Prometheus' own where it has one for it. */
export class QueryProblem extends Error {
  override readonly name = 'QueryProblem';
}

/** All that the stand-in understands of PromQL. */
export type Expression =
  | { readonly kind: 'selector'; readonly matchers: readonly Matcher[] }
  /** `vector(1)`, what readiness is asked with. */
  | { readonly kind: 'constant'; readonly value: number };

const operators = ['=~', '!~', '!=', '='] as const;

/** Reads a plain instant-vector selector. Throws QueryProblem. */
export function parseExpression(text: string): Expression {
  const trimmed = text.trim();
  if (trimmed === '') throw new QueryProblem('1:1: parse error: no expression found in input');
  const constant = /^vector\(\s*(-?\d+(?:\.\d+)?)\s*\)$/.exec(trimmed);
  if (constant) return { kind: 'constant', value: Number(constant[1]) };
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(trimmed)?.[0] ?? '';
  const rest = trimmed.slice(name.length).trim();
  const matchers: Matcher[] = name === '' ? [] : [{ label: '__name__', operator: '=', value: name }];
  if (rest !== '') {
    if (!rest.startsWith('{')) throw notPlain(text, name.length);
    matchers.push(...parseMatcherList(rest, text, text.indexOf('{')));
  }
  // Throws for an expression that is none: it must not be found out series by series.
  const tests = matchers.map(compiled);
  const holdsBack = tests.some((accepts) => !accepts(''));
  if (!holdsBack) {
    throw new QueryProblem('1:1: parse error: vector selector must contain at least one non-empty matcher');
  }
  return { kind: 'selector', matchers };
}

function parseMatcherList(list: string, whole: string, offset: number): Matcher[] {
  const found: Matcher[] = [];
  let at = 1;
  const rest = () => list.slice(at);
  const skip = () => {
    at += /^\s*/.exec(rest())?.[0].length ?? 0;
  };
  for (;;) {
    skip();
    if (list[at] === '}') break;
    const label = /^[a-zA-Z_][a-zA-Z0-9_]*/.exec(rest())?.[0];
    if (label === undefined) throw notPlain(whole, offset + at);
    at += label.length;
    skip();
    const operator = operators.find((one) => rest().startsWith(one));
    if (operator === undefined) throw notPlain(whole, offset + at);
    at += operator.length;
    skip();
    const quoted = /^("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)/.exec(rest())?.[0];
    if (quoted === undefined) throw notPlain(whole, offset + at);
    at += quoted.length;
    found.push({ label, operator, value: unquote(quoted) });
    skip();
    if (list[at] === ',') at += 1;
    else if (list[at] !== '}') throw notPlain(whole, offset + at);
  }
  if (list.slice(at + 1).trim() !== '') throw notPlain(whole, offset + at + 1);
  return found;
}

/** Go's escapes, as far as label values have them. */
function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  if (quoted.startsWith('`')) return inner;
  return inner.replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_, code: string) => {
    if (code.startsWith('u') && code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return { n: '\n', t: '\t', r: '\r' }[code] ?? code;
  });
}

function compiled(matcher: Matcher): (value: string) => boolean {
  try {
    return compileMatcher(matcher);
  } catch (error) {
    throw new QueryProblem(`1:1: parse error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function notPlain(text: string, at: number): QueryProblem {
  return new QueryProblem(
    `1:${Math.min(text.length, at) + 1}: parse error: the demo's stand-in for Prometheus answers plain selectors such as up{job="lab"} only`,
  );
}
