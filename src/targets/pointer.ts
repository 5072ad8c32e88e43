/** JSON pointers (RFC 6901) into answers. */

export type Found = { readonly found: true; readonly value: unknown } | { readonly found: false };

/** True for `` and `/a/b~1c`. */
export function isPointer(text: string): boolean {
  return text === '' || (text.startsWith('/') && !/~(?![01])/.test(text));
}

/**
 * What a pointer leads to. A null on the way is the answer too: `{"candidate":null}` says of `/candidate/version` that there is none.
 */
export function readPointer(document: unknown, pointer: string): Found {
  if (pointer === '') return { found: true, value: document };
  let value: unknown = document;
  for (const part of pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (value === null) return { found: true, value: null };
    if (typeof value !== 'object') return { found: false };
    if (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(key)) return { found: false };
    if (!Object.hasOwn(value, key)) return { found: false };
    value = (value as Record<string, unknown>)[key];
  }
  return { found: true, value };
}

/** A value as one part of a pointer. */
export function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}
