import { type Matcher, type PlainSelector, plainSelector } from './plain-selector.ts';
import type { Placeholders } from './promql.ts';

/** What selectors have in common that could be asked for together: all but the values of the labels with `=`. */
export interface Shape {
  readonly id: number;
  readonly name: string;
  /** With `=`, in their order. */
  readonly labels: readonly string[];
  readonly others: readonly Matcher[];
}

/** A plain selector that is known by its shape and its values; its text is written only where it is asked for by itself. */
export interface NamedSelector {
  readonly shape: Shape;
  /** Of the shape's labels. */
  readonly values: readonly string[];
  text(): string;
}

/** As text, where not more is known of it. */
export type Query = string | NamedSelector;

export function textOf(query: Query): string {
  return typeof query === 'string' ? query : query.text();
}

/** A template that was taken apart. */
export interface Template {
  readonly shape: Shape;
  /** A placeholder, or a value as it stands. */
  readonly parts: readonly (keyof Placeholders | { readonly value: string })[];
}

export interface Selectors {
  /** Null where it is no plain selector, or one without anything by which answers could be told apart. */
  named(query: string): NamedSelector | null;
  /** Null where it names no service, or its values are more than plain values of labels. */
  template(text: string): Template | null;
}

/** Null where a value needs more than to be written down. `text`: what it says, in words. */
export function filled(
  { shape, parts }: Template,
  placeholders: Placeholders,
  text: (placeholders: Placeholders) => string,
): NamedSelector | null {
  // As long as it will be: one that grows has room for many.
  const values = new Array<string>(parts.length);
  for (let k = 0; k < parts.length; k += 1) {
    const part = parts[k];
    if (part === undefined) continue;
    const value = typeof part === 'string' ? placeholders[part] : part.value;
    if (typeof part === 'string' && !WRITTEN_AS_IT_IS.test(value)) return null;
    values[k] = value;
  }
  return new Filled(shape, values, placeholders, text);
}

class Filled implements NamedSelector {
  readonly shape: Shape;
  readonly values: readonly string[];
  readonly #placeholders: Placeholders;
  readonly #text: (placeholders: Placeholders) => string;

  constructor(
    shape: Shape,
    values: readonly string[],
    placeholders: Placeholders,
    text: (placeholders: Placeholders) => string,
  ) {
    this.shape = shape;
    this.values = values;
    this.#placeholders = placeholders;
    this.#text = text;
  }

  text(): string {
    return this.#text(this.#placeholders);
  }
}

/** More than all policies of one Prometheus have; beyond them some are taken apart again. */
const MOST_KNOWN = 10_000;
const PLACEHOLDER = /^\{\{\s*(version|arm|service)\s*\}\}$/;
/** What stands for itself in a string, whatever its quotes. */
const WRITTEN_AS_IT_IS = /^[\w.:-]{1,200}$/;

export function createSelectors(): Selectors {
  const shapes = new Map<string, Shape>();
  const templates = new Map<string, Template | null>();
  let next = 0;

  function shapeOf({ name, matchers }: PlainSelector): Shape | null {
    const labels = matchers.filter((m) => m.operator === '=').map((m) => m.label);
    if (labels.length === 0) return null;
    const others = matchers.filter((m) => m.operator !== '=');
    const key = JSON.stringify([name, labels, others.map(({ label, operator, value }) => [label, operator, value])]);
    const known = shapes.get(key);
    if (known !== undefined) return known;
    if (shapes.size >= MOST_KNOWN) shapes.clear();
    next += 1;
    const shape = { id: next, name, labels, others };
    shapes.set(key, shape);
    return shape;
  }

  function templateOf(text: string): Template | null {
    const selector = plainSelector(text);
    const shape = selector === null ? null : shapeOf(selector);
    if (selector === null || shape === null) return null;
    const parts: Template['parts'][number][] = [];
    for (const { operator, value } of selector.matchers) {
      const placeholder = operator === '=' ? PLACEHOLDER.exec(value)?.[1] : undefined;
      if (placeholder !== undefined) parts.push(placeholder as keyof Placeholders);
      else if (value.includes('{{')) return null;
      else if (operator === '=') parts.push({ value });
    }
    return parts.includes('service') ? { shape, parts } : null;
  }

  return {
    named: (query) => {
      const selector = plainSelector(query);
      const shape = selector === null ? null : shapeOf(selector);
      if (selector === null || shape === null) return null;
      const values = selector.matchers.filter((m) => m.operator === '=').map((m) => m.value);
      return { shape, values, text: () => query };
    },
    template: (text) => {
      const known = templates.get(text);
      if (known !== undefined) return known;
      if (templates.size >= MOST_KNOWN) templates.clear();
      const template = templateOf(text);
      templates.set(text, template);
      return template;
    },
  };
}
