/**
 * Values that thousands of policies have in common (their metrics, where they are all made from one template), each held once, with
 * the JSON text it is written down as. In that text secrets are only named (`${LASTGOOD_SECRET_…}`); in the value they are filled in.
 */
export class SharedValues {
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #texts: string[] = [];
  readonly #values: unknown[] = [];
  readonly #known = new Map<string, number>();

  constructor(secrets: Readonly<Record<string, string>>) {
    this.#secrets = new Map(Object.entries(secrets).map(([name, secret]) => [`\${${name}}`, secret]));
  }

  /** The number of a value, given as its text. */
  add(text: string): number {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const value: unknown = JSON.parse(text);
    return this.#push(text, text.includes('${') ? this.#filled(value) : value);
  }

  at(number: number): unknown {
    return this.#values[number];
  }

  text(number: number): string {
    return this.#texts[number] ?? 'null';
  }

  #push(text: string, value: unknown): number {
    this.#known.set(text, this.#texts.length);
    this.#texts.push(text);
    this.#values.push(value);
    return this.#texts.length - 1;
  }

  #filled(part: unknown): unknown {
    if (typeof part === 'string') {
      return part.replaceAll(/\$\{\w+\}/g, (name) => this.#secrets.get(name) ?? name);
    }
    if (Array.isArray(part)) return part.map((item) => this.#filled(item));
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, this.#filled(item)]));
  }
}
