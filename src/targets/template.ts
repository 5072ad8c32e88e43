/** Placeholders `{{name}}` in what a policy has us send. */

export type Scalar = string | number | boolean | null;
export type Json = Scalar | readonly Json[] | { readonly [key: string]: Json };
export type Values = Readonly<Record<string, Scalar>>;

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;
const exactlyOne = /^\{\{\s*([^{}]*?)\s*\}\}$/;

/** What is wrong with the placeholders of a text: one sentence each, for whoever writes the policy. */
export function placeholderProblems(text: string, allowed: readonly string[]): string[] {
  const problems = placeholdersIn(text)
    .filter((name) => !allowed.includes(name))
    .map((name) => `unknown placeholder {{${name}}}: ${known(allowed)}`);
  if (/\{\{|\}\}/.test(text.replace(placeholder, ''))) problems.push('a placeholder is not closed: write {{name}}');
  return problems;
}

export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(placeholder)].map((match) => match[1] ?? '');
}

/** Every text of a JSON value with the path to it, keys included. */
export function textsIn(
  json: Json,
  path: readonly (string | number)[] = [],
): { path: (string | number)[]; text: string }[] {
  if (typeof json === 'string') return [{ path: [...path], text: json }];
  if (json === null || typeof json !== 'object') return [];
  if (Array.isArray(json)) return json.flatMap((item: Json, index) => textsIn(item, [...path, index]));
  return Object.entries(json).flatMap(([key, value]) => [
    { path: [...path, key], text: key },
    ...textsIn(value, [...path, key]),
  ]);
}

/** @param encode what is done to each value before it is put in. */
export function fillText(text: string, values: Values, encode: (value: string) => string = (value) => value): string {
  return text.replace(placeholder, (_, name: string) => encode(String(values[name] ?? '')));
}

/** A text that is exactly one placeholder takes the value's own JSON type. */
export function fillJson(json: Json, values: Values): Json {
  if (typeof json === 'string') {
    const name = exactlyOne.exec(json)?.[1];
    return name === undefined ? fillText(json, values) : (values[name] ?? null);
  }
  if (json === null || typeof json !== 'object') return json;
  if (Array.isArray(json)) return json.map((item: Json) => fillJson(item, values));
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [fillText(key, values), fillJson(value as Json, values)]),
  );
}

function known(allowed: readonly string[]): string {
  return allowed.length === 0
    ? 'none can be used here'
    : `known here are ${allowed.map((name) => `{{${name}}}`).join(' ')}`;
}
