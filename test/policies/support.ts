import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { z } from 'zod';
import type { Policy } from '../../src/domain/policy.ts';
import { type PolicyProblem, parsePolicy, type TargetSchemas } from '../../src/policies/index.ts';

const pointer = z.string().startsWith('/', 'must be a JSON pointer, beginning with "/"');

/** Targets of the test's own: one that can do any step, one that can only switch. */
export const targets: TargetSchemas = {
  http: {
    steps: 'any',
    config: z.strictObject({
      timeout: z.string().optional(),
      observe: z.strictObject({
        url: z.string(),
        headers: z.record(z.string(), z.string()).optional(),
        stable: pointer,
        candidate: pointer,
        exposure: pointer,
        exposureScale: z.enum(['percent', 'share']).optional(),
        ready: pointer,
        readyDetail: pointer.optional(),
        revision: pointer.optional(),
      }),
      shift: z.strictObject({
        method: z.string(),
        url: z.string(),
        headers: z.record(z.string(), z.string()).optional(),
        body: z.unknown(),
      }),
    }),
  },
  alias: { steps: 'switch', config: z.strictObject({ model: z.string() }) },
  /** Quotes what it was given, as a careless adapter would. */
  careless: {
    steps: 'any',
    config: z.strictObject({
      token: z.string().superRefine((text, context) => context.addIssue(`the token "${text.slice(0, 20)}…" is wrong`)),
    }),
  },
};

export const secrets = {
  LASTGOOD_SECRET_ROUTER: 'router-secret-value',
  LASTGOOD_SECRET_PAGERDUTY: 'pagerduty-secret-value',
  LASTGOOD_SECRET_PROM: 'prometheus-secret-value',
};

export const base = `service: fraud-scorer
mode: enforce
channel: "#ml-rollouts"
target: { kind: alias, model: fraud }
steps:
  - { exposure: 100 }
metrics:
  - name: errors
    kind: proportion
    bad: 'errors{version="{{version}}"}'
    total: 'all{version="{{version}}"}'
alerts:
  - match: ['service="fraud-scorer"']
approvers: { users: [U1, U2, U3], quorum: 2 }
`;

/** The base with stepwise traffic; `more` is put behind it, and takes the place of what has the same key. */
export function policyText(more = '', text = base.replace('{ kind: alias, model: fraud }', httpTarget)): string {
  const replaced = [...more.matchAll(/^(\w+):/gm)].map((match) => match[1]);
  const kept = text.split(/^(?=\w)/m).filter((section) => !replaced.includes(/^\w+/.exec(section)?.[0]));
  return kept.join('') + more;
}
const httpTarget =
  '{ kind: http, observe: { url: "http://r/split", stable: /s, candidate: /c, exposure: /e, ready: /r }, shift: { method: PUT, url: "http://r/split", body: {} } }';

export async function problemsOf(text: string, file = 'p.yaml'): Promise<readonly PolicyProblem[]> {
  return (await parsePolicy(text, file, { targets, secrets })).problems;
}

/** `12:5 steps[1].exposure: message` for each. */
export async function linesOf(text: string): Promise<string[]> {
  return (await problemsOf(text)).map(
    ({ line, column, path, message }) => `${line}:${column} ${path ? `${path}: ` : ''}${message}`,
  );
}

/** `steps[1].exposure: message` for each, where the place is not the point. */
export async function messagesOf(text: string): Promise<string[]> {
  return (await problemsOf(text)).map(({ path, message }) => (path ? `${path}: ${message}` : message));
}

export async function policyOf(text: string): Promise<Policy> {
  const { policy, problems } = await parsePolicy(text, 'p.yaml', { targets, secrets });
  if (!policy) throw new Error(`expected no problems: ${JSON.stringify(problems, null, 1)}`);
  return policy.policy;
}

const made: string[] = [];
export async function directoryWith(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-policies-'));
  made.push(directory);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), content);
  }
  return directory;
}
afterEach(async () => {
  for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true });
});
