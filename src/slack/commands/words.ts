/** A typed line, taken apart. */
export interface Words {
  readonly positional: readonly string[];
  /** Flag name without dashes → what follows it up to the next flag; null where nothing does. */
  readonly flags: ReadonlyMap<string, string | null>;
}

export type FlagKind = 'switch' | 'value' | 'text';

/** Slack's own forms in command text: `<@U123|name>`, `<https://…|label>`, `<#C123|name>`. */
const SLACK_FORM = /<([@#!]?)([^<>|]+)(?:\|[^<>]*)?>/g;

/** Undoes what Slack and phones do to typed text: entities, links in angle brackets, curly quotes, dashes for `--`. */
export function asTyped(text: string): string {
  return text
    .replace(SLACK_FORM, (_all, mark: string, inner: string) =>
      mark === '@' || mark === '#' ? `${mark}${inner}` : inner,
    )
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/[\u201c\u201d\u201e\u00ab\u00bb]/g, '"')
    .replace(/[\u2018\u2019\u201a]/g, "'")
    .replace(/(^|\s)[\u2013\u2014](?=[a-z])/gi, '$1--')
    .replace(/[\u00a0\u2007\u202f]/g, ' ');
}

/** Splits at blanks; quotes keep words together where they begin a word, so that `it's` stays what it is. */
export function tokens(text: string): string[] {
  const found = text.matchAll(/(--[a-z][a-z-]*=)?(?:"([^"]*)"(?=\s|$)|'([^']*)'(?=\s|$))|\S+/gi);
  return [...found].map((m) =>
    m[2] === undefined && m[3] === undefined ? m[0] : `${m[1] ?? ''}${m[2] ?? m[3] ?? ''}`,
  );
}

/**
 * Sorts tokens into positionals and flags. A `switch` takes nothing, a `value` one word, a `text` everything up to the next
 * known flag. Flags not in `kinds` are kept: whoever reads them says what is possible.
 */
export function sortWords(all: readonly string[], kinds: Readonly<Record<string, FlagKind>>): Words {
  const positional: string[] = [];
  const flags = new Map<string, string | null>();
  for (let at = 0; at < all.length; at += 1) {
    const word = all[at] ?? '';
    const flag = /^--([a-z][a-z-]*)(?:=(.*))?$/is.exec(word);
    if (!flag) {
      positional.push(word);
      continue;
    }
    const name = (flag[1] ?? '').toLowerCase();
    const taken: string[] = flag[2] === undefined ? [] : [flag[2]];
    const most = { switch: 0, value: 1, text: Number.POSITIVE_INFINITY }[kinds[name] ?? 'switch'];
    while (taken.length < most && at + 1 < all.length && !isFlag(all[at + 1] ?? '', kinds)) {
      at += 1;
      taken.push(all[at] ?? '');
    }
    flags.set(name, taken.length === 0 ? null : taken.join(' '));
  }
  return { positional, flags };
}

function isFlag(word: string, kinds: Readonly<Record<string, FlagKind>>): boolean {
  const name = /^--([a-z][a-z-]*)(?:=|$)/i.exec(word)?.[1]?.toLowerCase();
  return name !== undefined && Object.hasOwn(kinds, name);
}

const UNIT_MS = { s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** "30m", "1h30m", "90 s" → milliseconds; null where it is no duration. */
export function durationMs(text: string): number | null {
  const parts = [...text.toLowerCase().matchAll(/(\d{1,6}(?:\.\d{1,3})?)\s*(min|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map((p) => p[0]).join('') !== text.toLowerCase().trim()) return null;
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS], 0);
}
