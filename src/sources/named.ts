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

export interface Selectors {
  /** Null where it is no plain selector, or one without anything by which answers could be told apart. */
  named(query: string): NamedSelector | null;
  /**
   * The same of a template that names its service, taken apart once: they are filled at every look. Null where its values are more
   * than plain values of labels, or need more than to be written down.
   */
  filled(template: string, values: Placeholders, fill: (template: string) => string): NamedSelector | null;
}

/** More than all policies of one Prometheus have; beyond them some are taken apart again. */
const MOST_KNOWN = 10_000;
const PLACEHOLDER = /^\{\{\s*(version|arm|service)\s*\}\}$/;
/** What stands for itself in a string, whatever its quotes. */
const WRITTEN_AS_IT_IS = /^[\w.:-]{1,200}$/;

interface Template {
  readonly shape: Shape;
  /** A placeholder, or a value as it stands. */
  readonly parts: readonly (keyof Placeholders | { readonly value: string })[];
}

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
    filled: (text, placeholders, fill) => {
      let template = templates.get(text);
      if (template === undefined) {
        if (templates.size >= MOST_KNOWN) templates.clear();
        template = templateOf(text);
        templates.set(text, template);
      }
      if (template === null) return null;
      const values: string[] = [];
      for (const part of template.parts) {
        const value = typeof part === 'string' ? placeholders[part] : part.value;
        if (typeof part === 'string' && !WRITTEN_AS_IT_IS.test(value)) return null;
        values.push(value);
      }
      return { shape: template.shape, values, text: () => fill(text) };
    },
  };
}
