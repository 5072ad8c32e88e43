import { createHash } from 'node:crypto';
import { dirname, relative } from 'node:path';
import { z } from 'zod';
import type { Endpoint, Policy } from '../domain/policy.ts';
import { buildPolicy } from './build.ts';
import { crossCheck } from './checks.ts';
import { readDocument } from './document.ts';
import { buildEndpoint, readTls } from './endpoint.ts';
import { check, type Finding, valueAt } from './explain.ts';
import { maxPolicyBytes, tooLarge } from './files.ts';
import { isMapping, type Layer, locate, type Mapping, mergeLayers, selfContained } from './layers.ts';
import { formatPath, nearest, oneOf, type Path, type PolicyProblem, sortProblems } from './problem.ts';
import { type PolicyFile, policySchema } from './schema.ts';
import { type Resolved, resolveSecrets, withoutSecrets } from './secrets.ts';
import { withTheOneStep } from './strategy.ts';
import { gatherTemplates, type KnownTemplates } from './templates.ts';

/** What each kind of target can do and how it is configured (everything under `target` but `kind`). */
export type TargetSchemas = Readonly<Record<string, { readonly steps: 'any' | 'switch'; readonly config: z.ZodType }>>;

export interface PolicyOptions {
  readonly targets: TargetSchemas;
  /** `LASTGOOD_SECRET_*` by full name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Shared by policies that are read together. */
  readonly templates?: KnownTemplates;
}

export interface LoadedPolicy {
  readonly policy: Policy;
  readonly file: string;
  /** The files of the templates it extends, in the order they count in: the last word has its own file. */
  readonly templates: readonly string[];
  /** What is right in it and will not do what it is there for; none where nobody has looked for it. */
  readonly warnings: readonly PolicyProblem[];
  /**
   * What can be archived: the file as written or, with templates, one text that says the same as all of them. Secrets are only named
   * in it, and `parsePolicy` makes the same policy of it, with the same revision, whatever has become of the files. Null: the files
   * were not read anew, and say the same as when they were (`KeptPolicies`); or it is archived: who has done that lets go of it, as
   * those of thousands of policies take more room than the policies.
   */
  yaml: string | null;
}

export interface ParseResult {
  /** Null where there are problems. */
  readonly policy: LoadedPolicy | null;
  /** The service it says it is for, also where there are problems. */
  readonly service: string | null;
  /** The service it says it requires, also where there are problems. */
  readonly requires: string | null;
  /**
   * The file with its templates as it was read, secrets filled in: for what is asked of a policy and is not part of it (`traffic`).
   * Null where it does not have its form. Its keys' places: `place(['metrics', 0, 'traffic'], 'value')`.
   */
  readonly written: PolicyFile | null;
  /** Whether the value of a secret stands in it. */
  readonly holdsSecrets: boolean;
  /** Where a key stands, for problems that are found later. */
  readonly place: (path: Path, at: 'key' | 'value') => { file: string; line: number; column: number };
  readonly problems: readonly PolicyProblem[];
}

/** The name of a policy's content: what decisions were made by. */
export function revisionOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 12);
}

/**
 * Reads one policy with the templates it extends; everything wrong with it is listed, nothing is thrown. `file` is for the messages;
 * templates and certificates are looked for beside it. It need not exist (an archived revision).
 */
export async function parsePolicy(text: string, file: string, options: PolicyOptions): Promise<ParseResult> {
  if (Buffer.byteLength(text) > maxPolicyBytes) return refused(file, tooLarge);
  const document = readDocument(text);
  const early = document.problems.map(({ at, path, message }) => problem({ file, ...at }, path, message));
  if (document.value === undefined) return { ...nothing, problems: sortProblems(early) };
  if (!isMapping(document.value)) {
    const what = document.value === null ? 'is empty' : 'is not a policy';
    return refused(file, `${what}: a policy is a list of keys and values, the first of them usually service`);
  }
  const given = valueAt(document.value, ['service']);
  const service = typeof given === 'string' ? given.trim() : null;
  const { layers, problems: unread } = await gatherTemplates(
    { file, text, document, value: document.value },
    options.templates,
  );
  const place: ParseResult['place'] = (path, at) => locate(layers, path, at);
  if (unread.length > 0) return { ...nothing, service, place, problems: sortProblems([...early, ...unread]) };
  const whole = wholeText(layers, text);
  if (Buffer.byteLength(whole.text) > maxPolicyBytes) {
    return { ...refused(file, `with its templates ${tooLarge}`), service, place };
  }
  const resolved = resolveSecrets(whole.value, options.secrets);
  const { policy, written, findings } = await evaluate(resolved, file, options, revisionOf(whole.text));
  const problems = unique(findings, resolved).map((finding) =>
    Object.assign(
      problem(place(finding.path, finding.at), finding.path, withoutSecrets(finding.message, resolved.used)),
      finding.unset !== undefined && { unset: finding.unset },
    ),
  );
  const all = sortProblems([...early, ...problems]);
  const templates = layers.slice(0, -1).map((layer) => layer.file);
  return {
    policy: policy && all.length === 0 ? { policy, file, templates, warnings: [], yaml: whole.text } : null,
    service,
    requires: requiredBy(whole.value),
    written,
    holdsSecrets: resolved.used.length > 0,
    place,
    problems: all,
  };
}

/** A policy that extends nothing is its file, as it was written. */
function wholeText(layers: readonly Layer[], text: string): { text: string; value: Mapping } {
  const value = mergeLayers(layers);
  const own = layers.at(-1);
  if (layers.length === 1 || own === undefined) return { text, value };
  const madeFrom = layers.toReversed().map((layer) => {
    const name = layer === own ? 'the file of the service' : relative(dirname(own.file), layer.file);
    return { name, hash: revisionOf(layer.text) };
  });
  return { text: selfContained(value, madeFrom), value };
}

function requiredBy(value: Mapping): string | null {
  const { requires } = value;
  const service = isMapping(requires) ? requires.service : requires;
  return typeof service === 'string' ? service.trim() : null;
}

async function evaluate(
  resolved: Resolved,
  file: string,
  options: PolicyOptions,
  revision: string,
): Promise<{ policy: Policy | null; written: PolicyFile | null; findings: readonly Finding[] }> {
  const target = checkTarget(resolved.value, options.targets);
  const value = withTheOneStep(resolved.value, target.steps);
  const form = check(policySchema, value);
  const findings: Finding[] = [
    ...resolved.problems.map((found): Finding => ({ ...found, at: 'value' })),
    ...(form.findings ?? []),
    ...target.findings,
    ...crossCheck(value, target.steps),
  ];
  const endpoints: Record<string, Endpoint | null> = { prometheus: null, alertmanager: null };
  for (const key of ['prometheus', 'alertmanager'] as const) {
    const given = policySchema.shape[key].safeParse(valueAt(value, [key]));
    if (!given.success || given.data === undefined) continue;
    const built = await buildEndpoint(given.data, [key], file);
    endpoints[key] = built.endpoint;
    findings.push(...built.findings);
  }
  if (findings.length > 0 || form.value === null) return { policy: null, written: form.value, findings };
  const { prometheus = null, alertmanager = null } = endpoints;
  const { config, findings: unread } = await withTlsFiles(target.config, file);
  if (unread.length > 0) return { policy: null, written: form.value, findings: unread };
  const spec = { kind: form.value.target.kind, config };
  const parts = { revision, target: spec, targetSteps: target.steps, prometheus, alertmanager };
  return { policy: buildPolicy(form.value, parts), written: form.value, findings };
}

const tlsForm = z.looseObject({
  tls: z.object({
    ca: z.string().nullish(),
    cert: z.string().nullish(),
    key: z.string().nullish(),
    insecure: z.boolean().optional(),
  }),
});

/** Targets that have a `tls` like the endpoints' get their files read like theirs. */
async function withTlsFiles(config: unknown, file: string): Promise<{ config: unknown; findings: Finding[] }> {
  const given = tlsForm.safeParse(config);
  if (!given.success) return { config, findings: [] };
  const { tls, findings } = await readTls(given.data.tls, ['target', 'tls'], file);
  return { config: { ...given.data, tls }, findings };
}

function checkTarget(
  value: unknown,
  targets: TargetSchemas,
): { steps: 'any' | 'switch' | null; config: unknown; findings: Finding[] } {
  const given = valueAt(value, ['target']);
  const kind = valueAt(given, ['kind']);
  // A missing or empty one is said by the policy's own schema.
  if (typeof given !== 'object' || given === null || typeof kind !== 'string' || kind.trim() === '') {
    return { steps: null, config: null, findings: [] };
  }
  const schema = Object.hasOwn(targets, kind) ? targets[kind] : undefined;
  if (!schema) {
    const known = Object.keys(targets);
    const close = nearest(kind, known);
    const message = `there is no target of kind ${JSON.stringify(kind)}: ${close ? `did you mean ${close}?` : `there is ${oneOf(known)}`}`;
    return { steps: null, config: null, findings: [{ path: ['target', 'kind'], at: 'value', message }] };
  }
  const settings = Object.fromEntries(Object.entries(given).filter(([key]) => key !== 'kind'));
  const result = check(schema.config, settings, ['target']);
  return { steps: schema.steps, config: result.value, findings: result.findings ?? [] };
}

/** One problem a place is enough, and where a secret is missing what it leads to is not worth saying. */
function unique(findings: readonly Finding[], resolved: Resolved): Finding[] {
  const unresolved = new Set(resolved.problems.map((found) => JSON.stringify(found.path)));
  const seen = new Set<string>();
  return findings.filter((finding, index) => {
    const path = JSON.stringify(finding.path);
    if (index >= resolved.problems.length && unresolved.has(path)) return false;
    const key = `${path} ${finding.message}`;
    return !seen.has(key) && Boolean(seen.add(key));
  });
}

const nothing = {
  policy: null,
  service: null,
  requires: null,
  written: null,
  holdsSecrets: false,
  place: () => ({ file: '', line: 0, column: 0 }),
};

function refused(file: string, message: string): ParseResult {
  return { ...nothing, problems: [{ file, line: 0, column: 0, path: '', message }] };
}

function problem(at: { file: string; line: number; column: number }, path: Path, message: string): PolicyProblem {
  return { file: at.file, line: at.line, column: at.column, path: formatPath(path), message };
}
