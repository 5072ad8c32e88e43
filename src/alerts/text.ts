/** Limits of what is kept of a text from outside: it is stored with every decision and drawn on cards. */
export const limits = { name: 200, label: 1024, summary: 500, description: 3000, url: 2048, labels: 100 } as const;

/**
 * Control characters, and those that turn the direction of what follows (a text could then read differently from what it is).
 * Line feeds and tabs are handled by the caller.
 */
const harmful = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** On one line, without control characters, at most `maxLength` long. */
export function oneLine(text: string, maxLength: number): string {
  return bounded(flat(text).trim(), maxLength);
}

/** The same for a label's value, where blanks at the ends may be meant: it is matched against. */
export function labelText(text: string): string {
  return bounded(flat(text), limits.label);
}

function flat(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\t\r\n\v\f\u0085\u2028\u2029]+/g, ' ')
    .replace(harmful, '');
}

/** Keeps line feeds. */
export function manyLines(text: string, maxLength: number): string {
  const lines = text
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/\t/g, '  ')
    .split('\n');
  return bounded(
    lines
      .map((line) => line.replace(harmful, '').trimEnd())
      .join('\n')
      .trim(),
    maxLength,
  );
}

/** An http(s) address as it was given, or '' for anything else: what is drawn as a link must be one. */
export function webAddress(text: string, base = ''): string {
  const given = text.trim();
  if (given === '' || given.length > limits.url) return '';
  const absolute = URL.canParse(given) ? given : URL.canParse(given, base) ? new URL(given, base).href : '';
  return /^https?:\/\//i.test(absolute) && !/[\s\p{Cc}<>|]/u.test(absolute) ? absolute : '';
}

/** Cut between characters, not inside of one. */
function bounded(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return `${text
    .slice(0, maxLength - 1)
    .toWellFormed()
    .replace(/\ufffd$/, '')}…`;
}
