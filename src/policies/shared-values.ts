/**
 * Values that thousands of policies have in common (their metrics, where they are all made from one template). They are written down as
 * JSON text in which secrets are only named (`${LASTGOOD_SECRET_…}`); in the value itself those are filled in. That text is held for
 * the few values with a name in them; of all others it is made again where it is wanted.
 */
export class SharedValues {
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #named = new WeakMap<object, string>();

  constructor(secrets: Readonly<Record<string, string>>) {
    this.#secrets = new Map(Object.entries(secrets).map(([name, secret]) => [`\${${name}}`, secret]));
  }

  /** The value of a text. A policy has its secrets inside of its parts: what is only a text by itself names none, whatever it says. */
  valueOf(text: string): unknown {
    const value: unknown = JSON.parse(text);
    if (!isNamed(text) || typeof value !== 'object' || value === null) return value;
    const filled = this.#filled(value);
    this.#named.set(filled, text);
    return filled;
  }

  /** What `valueOf` made a value of. */
  textOf(value: unknown): string {
    const named = typeof value === 'object' && value !== null ? this.#named.get(value) : undefined;
    return named ?? JSON.stringify(value);
  }

  #filled(value: object): object {
    const fill = (part: unknown): unknown => {
      if (typeof part === 'string') return part.replaceAll(/\$\{\w+\}/g, (name) => this.#secrets.get(name) ?? name);
      return typeof part === 'object' && part !== null ? this.#filled(part) : part;
    };
    if (Array.isArray(value)) return value.map(fill);
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fill(part)]));
  }
}

/** Whether a text may name a secret. */
export function isNamed(text: string): boolean {
  return text.includes('${');
}

/** The value that says the same and is held already; else this one, from now on. */
export function heldOnce<T>(held: Map<string, T>, value: T): T {
  const text = JSON.stringify(value);
  const known = held.get(text);
  if (known !== undefined) return known;
  held.set(text, value);
  return value;
}

/** Numbers values from 0, each of them once. */
export class Numbers<T> {
  readonly #numbers = new Map<T, number>();

  of(value: T): number {
    const known = this.#numbers.get(value) ?? this.#numbers.size;
    this.#numbers.set(value, known);
    return known;
  }

  all(): readonly T[] {
    return [...this.#numbers.keys()];
  }
}
