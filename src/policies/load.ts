import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Policy } from '../domain/policy.ts';
import { reason } from './endpoint.ts';
import type { Finding } from './explain.ts';
import { readPolicyFile } from './files.ts';
import { type Commits, gitCommits } from './git.ts';
import { lintPolicy } from './lint.ts';
import type { Measured } from './lint-in-time.ts';
import { type LoadedPolicy, type ParseResult, type PolicyOptions, parsePolicy } from './parse.ts';
import { formatPath, formatProblems, formatWarnings, type PolicyProblem, sortProblems } from './problem.ts';
import { requirementProblems } from './requirements.ts';

export interface LoadOptions extends PolicyOptions {
  readonly directory: string;
  /** Which commit files were changed in last; Git's answer where nothing else is given. */
  readonly commits?: Commits;
  /** `LoadResult.linted` of the reading before: what has not changed since is not asked about again. */
  readonly linted?: Linted;
  /** Where the warnings go by real traffic instead of by what the policies expect. */
  readonly measure?: Measure;
}

/** Reads the real traffic of a policy's metrics, in their order. `problem`: why it could not be read, in a plain sentence. */
export type Measure = (
  policy: Policy,
) => Promise<{ readonly metrics: readonly Measured[]; readonly problem: string | null }>;

/** The warnings of every policy, by its file and revision. */
export type Linted = ReadonlyMap<string, readonly PolicyProblem[]>;

export interface LoadResult {
  /** Those without a problem. */
  readonly policies: readonly LoadedPolicy[];
  /** Every problem of every file, in the order of the files. */
  readonly problems: readonly PolicyProblem[];
  /** What is right and will not do what it is there for, of the policies without a problem: a regression nobody could notice. */
  readonly warnings: readonly PolicyProblem[];
  readonly linted: Linted;
  /** How many files were looked at. */
  readonly files: number;
}

/**
 * Reads every `*.yaml` and `*.yml` of a directory, with the templates they extend (those inside it are not policies). Never throws
 * for what a directory or a file can be like: that is a problem, and listed. Of two policies for one service the first file's counts.
 */
export async function loadPolicies(options: LoadOptions): Promise<LoadResult> {
  const { directory } = options;
  const listed = await listFiles(directory);
  if (listed.problem !== null) {
    return { ...nothing, problems: [fileProblem(directory, listed.problem)] };
  }
  const problems: PolicyProblem[] = [];
  const templates: PolicyOptions['templates'] = new Map();
  const parsed = new Map<string, ParseResult>();
  const policies: LoadedPolicy[] = [];
  const linted = new Map<string, readonly PolicyProblem[]>();
  for (const name of listed.names) {
    const file = join(directory, name);
    const read = await readPolicyFile(file);
    if (read.problem !== null) {
      problems.push(fileProblem(file, read.problem));
      continue;
    }
    const result = await parsePolicy(read.text, file, { ...options, templates });
    const { policy, service, place } = result;
    problems.push(...result.problems);
    const first = service === null ? undefined : parsed.get(service);
    if (first !== undefined) {
      const message = `${service} already has a policy: ${first.place(['service'], 'value').file}`;
      problems.push({ ...place(['service'], 'value'), path: 'service', message });
      continue;
    }
    if (service) parsed.set(service, result);
    if (policy) {
      policies.push(policy);
      const key = `${file}@${policy.policy.revision}`;
      linted.set(key, options.linted?.get(key) ?? (await warningsOf(result, policy, options.measure)));
    }
  }
  const unmet = requirementProblems(parsed);
  problems.push(...[...unmet.values()]);
  return {
    policies: await withCommits(
      policies.filter(({ policy }) => !unmet.has(policy.service)),
      options,
    ),
    problems: sortProblems(once(problems)),
    warnings: sortProblems(once([...linted.values()].flat())),
    linted,
    files: listed.names.length,
  };
}

const nothing = { policies: [], warnings: [], linted: new Map(), files: 0 };

async function warningsOf(
  { written, place }: ParseResult,
  { policy }: LoadedPolicy,
  measure: Measure | undefined,
): Promise<readonly PolicyProblem[]> {
  if (written === null) return [];
  const measured = (await measure?.(policy)) ?? { metrics: [], problem: null };
  const findings: Finding[] = [...lintPolicy(policy, written, measured.metrics)];
  if (measured.problem !== null) {
    findings.push({ path: ['metrics'], at: 'key', message: `the traffic could not be measured: ${measured.problem}` });
  }
  return findings.map(({ path, at, message }) => ({ ...place(path, at), path: formatPath(path), message }));
}

async function withCommits(policies: readonly LoadedPolicy[], options: LoadOptions): Promise<readonly LoadedPolicy[]> {
  const commits = options.commits ?? gitCommits;
  const found = await commits(
    options.directory,
    policies.map(({ files }) => files),
  );
  return policies.map((loaded, index) => ({ ...loaded, policy: { ...loaded.policy, commit: found[index] ?? null } }));
}

/** What is wrong in a template is found by every policy that extends it. */
function once(problems: readonly PolicyProblem[]): PolicyProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

/** What `lastgood validate DIR` prints, and whether all is well: warnings are no problems. */
export async function validateDirectory(
  directory: string,
  options: PolicyOptions & Pick<LoadOptions, 'measure'>,
): Promise<LoadResult & { readonly lines: readonly Line[]; readonly text: string; readonly ok: boolean }> {
  const result = await loadPolicies({ ...options, directory });
  const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;
  const warned = result.warnings.length === 0 ? '' : `, ${count(result.warnings.length, 'warning', 'warnings')}`;
  const summary = `${count(result.files, 'policy', 'policies')}, ${count(result.problems.length, 'problem', 'problems')}${warned}`;
  const each = (level: Line['level'], text: string): Line[] =>
    text === '' ? [] : text.split('\n').map((line) => ({ level, text: line }));
  const lines = [
    ...each('problem', formatProblems(result.problems)),
    ...each('warning', formatWarnings(result.warnings)),
    ...each('summary', summary),
  ];
  return { ...result, lines, text: lines.map(({ text }) => text).join('\n'), ok: result.problems.length === 0 };
}

/** A line of what `lastgood validate` prints. */
export interface Line {
  readonly level: 'problem' | 'warning' | 'summary';
  readonly text: string;
}

async function listFiles(
  directory: string,
): Promise<{ names: string[]; problem: null } | { names: null; problem: string }> {
  try {
    const names = (await readdir(directory)).filter((name) => /\.ya?ml$/i.test(name) && !name.startsWith('.'));
    // By code unit, the same on every machine.
    if (names.length > 0) return { names: names.sort(), problem: null };
    return { names: null, problem: 'holds no policy: there is no file that ends in .yaml' };
  } catch (error) {
    return { names: null, problem: `the directory of policies cannot be read: ${reason(error)}` };
  }
}

function fileProblem(file: string, message: string): PolicyProblem {
  return { file, line: 0, column: 0, path: '', message };
}
