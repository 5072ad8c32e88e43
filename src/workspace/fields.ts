/** A JSON object whose fields are not known yet: what comes over the wire. */
export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The objects of a list; anything else in it is left out. */
export function objectsOf(value: unknown): Fields[] {
  return listOf(value).filter(isFields);
}

/** A deep copy through JSON: what a receiver on the other end of the wire would see. */
export function copyOf<T>(value: T): T {
  return structuredClone(value);
}
