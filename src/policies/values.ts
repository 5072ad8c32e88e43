import { z } from 'zod';

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** The longest duration a policy may name; beyond it is a slip of the unit. */
const maxDurationMs = 366 * 86_400_000;

/** `90s`, `1h30m`, `7d`, `500ms` in milliseconds; null: not a duration. */
export function durationMs(text: string): number | null {
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(text)) return null;
  let total = 0;
  for (const [, count, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|[smhdw])/g)) {
    total += Number(count) * (unitMs[unit ?? ''] ?? 0);
  }
  return Math.round(total);
}

/** As a person writes it: `1h30m`, `45s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const parts: string[] = [];
  let rest = ms;
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const size = unitMs[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * size;
  }
  return parts.join('');
}

const durationHint = 'must be a duration such as 30s, 2m, 1h30m or 7d';

/** Says `words` about a value that is there, and leaves a missing one to the common words. */
export function unlessMissing(words: string): (issue: { input?: unknown }) => string | undefined {
  return (issue) => (issue.input === undefined || issue.input === null ? undefined : words);
}

/** A duration in milliseconds, at least `fromMs`. */
export function duration(fromMs = 0) {
  return z
    .string({
      error: (issue) =>
        typeof issue.input === 'number'
          ? `${durationHint}, ${issue.input} lacks its unit`
          : unlessMissing(durationHint)(issue),
    })
    .transform((text, context) => {
      const ms = durationMs(text.trim());
      if (ms === null) context.addIssue(`${durationHint}, is ${quoted(text)}`);
      else if (ms < fromMs) context.addIssue(`must be at least ${formatDuration(fromMs)}, is ${text}`);
      else if (ms > maxDurationMs) context.addIssue(`must be a year at most, is ${text}`);
      else return ms;
      return z.NEVER;
    });
}

/** More than this a second is a slip of the unit. */
const maxTrafficPerSecond = 1e9;

/** A number as it is, or `25%` for 0.25. */
export function share(what: string) {
  const words = `must be a number, or a percentage such as 25%: ${what}`;
  return z.union([z.number(), z.string()], { error: unlessMissing(words) }).transform((given, context) => {
    if (typeof given === 'number') return { value: given, percent: false };
    const percent = /^(-?\d+(\.\d+)?)\s*%$/.exec(given.trim());
    if (percent) return { value: Number(percent[1]) / 100, percent: true };
    context.addIssue(`${words}, is ${quoted(given)}`);
    return z.NEVER;
  });
}

/** The candidate's share of traffic: `10` and `10%` are the same. */
export const exposure = z
  .union([z.number(), z.string()], { error: unlessMissing('must be a percentage from 0 to 100, such as 10') })
  .transform((given, context) => {
    const text =
      typeof given === 'number' ? given : Number(/^(\d+(?:\.\d+)?)\s*%$/.exec(given.trim())?.[1] ?? Number.NaN);
    if (text >= 0 && text <= 100) return text;
    context.addIssue(
      `must be a percentage from 0 to 100, such as 10, is ${typeof given === 'number' ? given : quoted(given)}`,
    );
    return z.NEVER;
  });

const trafficHint = 'must be a number of events in a time, such as 50/s, 600/min or 20/h';
const trafficUnitSeconds: Readonly<Record<string, number>> = { s: 1, min: 60, m: 60, h: 3600 };

/** Events a second, from `50/s`, `600/min` or `20/h`. */
export const traffic = z
  .union([z.string(), z.number()], { error: unlessMissing(trafficHint) })
  .transform((given, context) => {
    const [, number, unit] = /^(\d+(?:\.\d+)?)\s*\/\s*(s|min|m|h)$/.exec(String(given).trim()) ?? [];
    const perSecond = Number(number) / (trafficUnitSeconds[unit ?? ''] ?? Number.NaN);
    if (perSecond > 0 && perSecond <= maxTrafficPerSecond) return perSecond;
    if (typeof given === 'number') context.addIssue(`${trafficHint}: ${given} lacks its unit`);
    else if (Number.isNaN(perSecond)) context.addIssue(`${trafficHint}, is ${quoted(given)}`);
    else if (perSecond === 0) context.addIssue('must be more than 0: leave it out where it is not known');
    else context.addIssue(`must be at most ${maxTrafficPerSecond}/s, is ${quoted(given)}`);
    return z.NEVER;
  });

/** An http(s) address without credentials in it. */
export const url = z
  .string({ error: unlessMissing('must be an address that begins with http:// or https://') })
  .superRefine((text, context) => {
    const problem = urlProblem(text);
    if (problem) context.addIssue(problem);
  });

export function urlProblem(text: string): string | null {
  if (!/^https?:\/\/[^\s/]/i.test(text) || /[\s\p{Cc}]/u.test(text) || !URL.canParse(text)) {
    return 'must be an address that begins with http:// or https://';
  }
  return null;
}

/** Whether an address carries a user or password: those get logged. */
export function hasCredentials(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*@/i.test(text);
}

/** A text on one line, not empty. */
export function line(maxLength: number) {
  return z
    .string({ error: unlessMissing('must be a text') })
    .superRefine((text, context) => {
      if (text.trim() === '') context.addIssue('must not be empty');
      else if (text.length > maxLength) context.addIssue(`must be at most ${maxLength} characters, is ${text.length}`);
      else if (/\p{Cc}/u.test(text.trimEnd())) context.addIssue('must be on one line');
    })
    .transform((text) => text.trim());
}

/** A name that other keys refer to: of a metric, of a gate. */
export function key(what: string) {
  const words = `must be the name of a ${what}: letters, digits, "-" and "_", beginning with a letter`;
  return z.string({ error: unlessMissing(words) }).superRefine((text, context) => {
    if (!/^[A-Za-z][\w-]{0,39}$/.test(text)) context.addIssue(`${words}, 40 at most, is ${quoted(text)}`);
  });
}

/** A given text in quotes, shortened. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}
