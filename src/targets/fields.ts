import { z } from 'zod';
import { isPointer } from './pointer.ts';

/** Pieces of target schemas. None of them changes what it checks, so that a checked config can be checked again. */

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** `500ms`, `5s`, `1m`: from 50 ms to 5 minutes. */
export const timeout = z.string().refine((text) => {
  const ms = timeoutMs(text);
  return ms >= 50 && ms <= 300_000;
}, 'must be a duration from 50ms to 5m, like 5s');

/** Milliseconds of a duration; NaN where it is none. */
export function timeoutMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  return match ? Number(match[1]) * (units[match[2] ?? ''] ?? Number.NaN) : Number.NaN;
}

export const pointer = z.string().refine(isPointer, 'must be a JSON pointer like /candidate/version');

export const headers = z
  .record(z.string(), z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'has a character that cannot be sent in a header'))
  .superRefine((given, context) => {
    for (const name of Object.keys(given)) {
      if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) continue;
      context.addIssue({ code: 'custom', path: [name], message: 'is not a header name' });
    }
  });

/** Names of files in a policy; loading it puts in their place what they hold. */
export const tls = z.strictObject({
  ca: z.string().nullable().default(null),
  cert: z.string().nullable().default(null),
  key: z.string().nullable().default(null),
  insecure: z.boolean().default(false),
});
