import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { secretVariables } from './variables.ts';

const policySecretPrefix = 'LASTGOOD_SECRET_';

export type Environment = Readonly<Record<string, string | undefined>>;

/** All that is wrong with the environment, one line a problem, each with what to do. Never holds a value that is secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration has ${problems.length} problem(s):\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Reads what `schema` asks for, secrets also from files; an empty value counts as not set. Throws ConfigError with every problem at once. */
export function read<S extends z.ZodObject>(
  schema: S,
  environment: Environment,
  readFile: (path: string) => string,
): { values: z.infer<S>; policySecrets: Record<string, string> } {
  const problems: string[] = [];
  const asked = secretVariables.filter((name) => name in schema.shape);
  const policySecrets = policySecretNames(environment);
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined && value !== '') given[name] = value;
  // A secret whose file cannot be read was given, wrongly: it is not missing as well.
  const unreadable = new Set<string>();
  for (const name of [...asked, ...policySecrets]) {
    const outcome = readSecret(name, given, readFile);
    if ('problem' in outcome) {
      problems.push(outcome.problem);
      unreadable.add(name);
    } else if (outcome.value !== undefined) given[name] = outcome.value;
  }

  const parsed = schema.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0]);
    if (!unreadable.has(name)) problems.push(`${name} ${issue.message}`);
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return {
    values: parsed.data,
    policySecrets: Object.fromEntries(policySecrets.map((name) => [name, given[name] ?? ''])),
  };
}

function readSecret(
  name: string,
  given: Readonly<Record<string, string>>,
  readFile: (path: string) => string,
): { value: string | undefined } | { problem: string } {
  const file = `${name}_FILE`;
  const path = given[file];
  if (path === undefined) return { value: given[name] };
  if (given[name] !== undefined) return { problem: `${name} and ${file} are both set: keep one of them` };
  try {
    const value = readFile(path).replace(/\r?\n$/, '');
    if (value === '') return { problem: `${file} points to ${path}, which is empty: put the secret into it` };
    return { value };
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return { problem: `${file} points to ${path}, which cannot be read (${why}): check the path and its permissions` };
  }
}

/** `LASTGOOD_SECRET_ROUTER_FILE` stands for `LASTGOOD_SECRET_ROUTER`. */
function policySecretNames(environment: Environment): string[] {
  const names = Object.entries(environment)
    .filter(([name, value]) => name.startsWith(policySecretPrefix) && value !== undefined && value !== '')
    .map(([name]) => name.replace(/_FILE$/, ''));
  return [...new Set(names)].sort();
}

export function readUtf8(path: string): string {
  return readFileSync(path, 'utf8');
}
