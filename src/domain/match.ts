import type { AlertSelector, Matcher } from './policy.ts';
import { compileRegex } from './regex.ts';

/**
 * Whether an alert is the selector's, as Alertmanager decides it: every matcher holds; expressions must match the whole value;
 * a label the alert does not have counts as the empty text. Throws RegexProblem for an expression that was never valid
 * (policies are checked when they are loaded).
 */
export function matches(selector: AlertSelector, labels: Readonly<Record<string, string>>): boolean {
  return compileSelector(selector)(labels);
}

/** The same, prepared once for many alerts. */
export function compileSelector(selector: AlertSelector): (labels: Readonly<Record<string, string>>) => boolean {
  // The plain comparisons first: they settle most alerts before an expression has to run.
  const ordered = [...selector.matchers].sort(
    (a, b) => a.operator.length + Number(isRegex(a)) - b.operator.length - Number(isRegex(b)),
  );
  const prepared = ordered.map((matcher) => ({ label: matcher.label, accepts: lazily(() => compileMatcher(matcher)) }));
  return (labels) => prepared.every(({ label, accepts }) => accepts()(labelValue(labels, label)));
}

/** One matcher's test of one label's value. Throws RegexProblem. */
export function compileMatcher(matcher: Matcher): (value: string) => boolean {
  switch (matcher.operator) {
    case '=':
      return (value) => value === matcher.value;
    case '!=':
      return (value) => value !== matcher.value;
    default: {
      const test = wholeValue(matcher.value);
      return matcher.operator === '=~' ? test : (value) => !test(value);
    }
  }
}

function isRegex(matcher: Matcher): boolean {
  return matcher.operator === '=~' || matcher.operator === '!~';
}

/** `warning|critical` and the like, which most expressions are, need no machine. */
function wholeValue(source: string): (value: string) => boolean {
  if (/^[\w :/@,-]*(\|[\w :/@,-]*)*$/.test(source)) {
    const alternatives = source.split('|');
    return (value) => alternatives.includes(value);
  }
  return compileRegex(source);
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Only the alert's own labels: one called `constructor` is not there just because every object has it. */
function labelValue(labels: Readonly<Record<string, string>>, label: string): string {
  return Object.hasOwn(labels, label) ? (labels[label] ?? '') : '';
}
