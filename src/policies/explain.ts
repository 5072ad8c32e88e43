import { z } from 'zod';
import { formatPath, nearest, oneOf, type Path } from './problem.ts';
import { quoted } from './values.ts';

/** A problem before its place in the file is looked up. */
export interface Finding {
  readonly path: Path;
  /** Whether it is the key or its value that is wrong. */
  readonly at: 'key' | 'value';
  readonly message: string;
  /** As of `PolicyProblem`. */
  readonly unset?: string;
}

/** What to say where one of these is missing: a choice that nobody may make for the writer. */
const missing: Readonly<Record<string, string>> = {
  service: 'is missing: the name of the service, such as fraud-scorer',
  mode: 'must be said: enforce (Lastgood acts) or observe (it only says what it would have done)',
  channel: 'is missing: the Slack channel for the cards, such as "#ml-rollouts"',
  target: 'is missing: where the traffic is moved (kind and its settings)',
  steps: 'is missing: the way forward, such as - { exposure: 10, soak: 10m } and - { exposure: 100 }',
  metrics: 'is missing: what the versions are compared by',
  alerts: "is missing: which alerts are this service's (an empty list [] says: none)",
  approvers: 'is missing: who may decide (users: ["*"] for everybody)',
  'approvers.users': 'is missing: the Slack ids of those who may decide, or ["*"] for everybody',
};

/** Checks `value` and says everything that is wrong with it, in words. Paths begin with `base`. */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  base: Path = [],
): { value: T; findings: null } | { value: null; findings: Finding[] } {
  const result = schema.safeParse(value, { error: (issue) => inWords(issue, base) });
  if (result.success) return { value: result.data, findings: null };
  const findings = result.error.issues.flatMap((issue) => findingsOf(issue, schema, value, base));
  return { value: null, findings };
}

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

function inWords(issue: RawIssue, base: Path): string | undefined {
  const path = [...base, ...textPath(issue.path)];
  if (issue.input === undefined && ['invalid_type', 'invalid_value', 'invalid_union'].includes(issue.code ?? '')) {
    return missing[formatPath(path)] ?? `is missing${choices(issue)}`;
  }
  if (issue.input === null) {
    const comment =
      path.length === 1 && path[0] === 'channel' ? ': a "#" begins a comment, put it in quotes: "#ml-rollouts"' : '';
    return `has no value${comment}`;
  }
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? issue.expected}, is ${kindOf(issue.input)}`;
    case 'invalid_value':
      return `must be ${oneOf(issue.values.map(String))}${given(issue.input, issue.values.map(String))}`;
    case 'invalid_union':
      return 'has none of the forms it can have';
    case 'too_small':
      return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${units[issue.origin] ?? ''}`;
    case 'too_big':
      return `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${units[issue.origin] ?? ''}`;
    case 'invalid_format':
      return `must be ${issue.format === 'regex' ? 'of the right form' : `a valid ${issue.format}`}`;
    default:
      return undefined;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
};
const units: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' };

function choices(issue: RawIssue): string {
  if (issue.code === 'invalid_value') return `: ${oneOf(issue.values.map(String))}`;
  const options = optionsOf(issue);
  return options.length > 0 ? `: ${oneOf(options)}` : '';
}

function optionsOf(issue: object): string[] {
  return 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
}

/** What stands there instead; secrets never stand where a choice is asked for, and are taken out of every message later. */
function given(input: unknown, known: readonly string[]): string {
  if (typeof input !== 'string') return `, is ${kindOf(input)}`;
  const close = nearest(input, known);
  return `, is ${quoted(input)}${close ? `: did you mean ${close}?` : ''}`;
}

function kindOf(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'number') return `the number ${input}`;
  if (typeof input === 'boolean') return `${input}`;
  return typeof input === 'string' ? 'a text' : 'a mapping';
}

function findingsOf(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown, base: Path): Finding[] {
  const inner = textPath(issue.path);
  const path = [...base, ...inner];
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(schemasAt(schema, inner, value));
    const kinds = (key: string) => otherKindsWith(key, schemasAt(schema, inner, undefined), valueAt(value, inner));
    const message = (key: string) => unknownKey(key, known, schema, kinds(key));
    return issue.keys.map((key) => ({ path: [...path, key], at: 'key', message: message(key) }));
  }
  if (issue.code === 'invalid_key') {
    const [cause] = issue.issues;
    return [{ path, at: 'key', message: cause?.message ?? issue.message }];
  }
  if (issue.code === 'invalid_union' && issue.errors.length === 0) {
    const options = optionsOf(issue);
    const input = valueAt(value, inner);
    if (input === undefined || options.length === 0) return [{ path, at: 'value', message: issue.message }];
    return [{ path, at: 'value', message: `must be ${oneOf(options)}${given(input, options)}` }];
  }
  if (issue.code === 'invalid_union') {
    // The form that went furthest is the one that was meant.
    const nested = issue.errors.filter((errors) => errors.some((error) => error.path.length > 0));
    const [closest] = nested.sort((a, b) => a.length - b.length);
    if (closest)
      return closest.flatMap((error) =>
        findingsOf({ ...error, path: [...issue.path, ...error.path] }, schema, value, base),
      );
  }
  return [{ path, at: 'value', message: issue.message }];
}

function unknownKey(key: string, known: readonly string[], schema: z.ZodType, kinds: readonly string[]): string {
  if (kinds.length > 0) return `is not known here: it belongs to the kind ${oneOf(kinds)}`;
  const close = nearest(key, known);
  if (close) return `is not known: did you mean ${close}?`;
  const elsewhere = allKeys(schema).filter((path) => path.at(-1) === key && path.length > 1);
  const [only] = elsewhere;
  if (elsewhere.length === 1 && only) return `is not known here: it belongs into ${formatPath(only.slice(0, -1))}`;
  return known.length > 0 ? `is not known: there is ${oneOf(known)}` : 'is not known';
}

/** The other kinds of the same thing that know this key, where things are told apart by `kind`; none where its own knows it. */
function otherKindsWith(key: string, forms: readonly z.ZodObject[], given: unknown): string[] {
  const kinds = forms.flatMap(({ shape: { [key]: found, kind } }) =>
    found !== undefined && kind instanceof z.ZodLiteral ? [...kind.values].map(String) : [],
  );
  return kinds.includes(String(valueAt(given, ['kind']))) ? [] : [...new Set(kinds)];
}

/** Zod's paths may hold symbols by type; YAML has none. */
function textPath(path: readonly PropertyKey[] | undefined): (string | number)[] {
  return (path ?? []).map((part) => (typeof part === 'symbol' ? String(part) : part));
}

/** The part of a plain value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  let part = value;
  for (const key of path) {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, key)) return undefined;
    part = Object.getOwnPropertyDescriptor(part, key)?.value;
  }
  return part;
}

/** The object forms a value at `path` can have. */
function schemasAt(schema: z.ZodType, path: Path, value: unknown): z.ZodObject[] {
  let forms = formsOf(schema, value);
  for (const [index, part] of path.entries()) {
    const inner = valueAt(value, path.slice(0, index + 1));
    forms = forms.flatMap((form) => {
      if (form instanceof z.ZodObject) {
        const next = form.shape[part];
        return next instanceof z.ZodType ? formsOf(next, inner) : [];
      }
      if (form instanceof z.ZodArray && form.element instanceof z.ZodType) return formsOf(form.element, inner);
      return form instanceof z.ZodRecord && form.valueType instanceof z.ZodType ? formsOf(form.valueType, inner) : [];
    });
  }
  return forms.filter((form) => form instanceof z.ZodObject);
}

/** Takes off what is wrapped around a schema, and chooses among alternatives by their literals. */
function formsOf(schema: z.ZodType, value?: unknown): z.ZodType[] {
  if (schema instanceof z.ZodUnion) {
    const forms = schema.options.flatMap((option) => (option instanceof z.ZodType ? formsOf(option, value) : []));
    const fitting = forms.filter((form) => form instanceof z.ZodObject && literalsFit(form, value));
    return fitting.length > 0 ? fitting : forms;
  }
  if (schema instanceof z.ZodPipe) return schema.in instanceof z.ZodType ? formsOf(schema.in, value) : [];
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodPrefault
  ) {
    const inner = schema.unwrap();
    return inner instanceof z.ZodType ? formsOf(inner, value) : [];
  }
  return [schema];
}

function literalsFit(form: z.ZodObject, value: unknown): boolean {
  const literals = Object.entries(form.shape).filter(([, inner]) => inner instanceof z.ZodLiteral);
  return literals.every(
    ([key, inner]) => inner instanceof z.ZodLiteral && inner.safeParse(valueAt(value, [key])).success,
  );
}

function keysOf(forms: readonly z.ZodObject[]): string[] {
  return [...new Set(forms.flatMap((form) => Object.keys(form.shape)))];
}

/** Every key a schema knows, with its path (places in lists and names of the writer's own left out of it). For suggestions, and to hold the documentation against. */
export function allKeys(schema: z.ZodType, base: readonly string[] = []): string[][] {
  return formsOf(schema).flatMap((form) => {
    if (form instanceof z.ZodArray) return form.element instanceof z.ZodType ? allKeys(form.element, base) : [];
    if (form instanceof z.ZodRecord) return form.valueType instanceof z.ZodType ? allKeys(form.valueType, base) : [];
    if (!(form instanceof z.ZodObject)) return [];
    return Object.entries(form.shape).flatMap(([key, inner]) => {
      const path = [...base, key];
      return [path, ...(inner instanceof z.ZodType ? allKeys(inner, path) : [])];
    });
  });
}
