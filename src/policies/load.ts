import { readdir } from 'node:fs/promises';
import type { Policy } from '../domain/policy.ts';
import { DirectoryReading, fileProblem } from './directory.ts';
import { reason } from './endpoint.ts';
import { type Commits, gitCommits } from './git.ts';
import type { KeptPolicies } from './kept.ts';
import type { Measured } from './lint-in-time.ts';
import type { LoadedPolicy, PolicyOptions } from './parse.ts';
import { formatProblems, formatWarnings, type PolicyProblem, sortProblems } from './problem.ts';
import { requirementProblems } from './requirements.ts';

export interface LoadOptions extends PolicyOptions {
  readonly directory: string;
  /** Which commit files were changed in last; Git's answer where nothing else is given. */
  readonly commits?: Commits;
  /** What the reading before found for a service: a policy that has not changed since is not asked about its warnings again. */
  readonly before?: (service: string) => LoadedPolicy | undefined;
  /** Where the warnings go by real traffic instead of by what the policies expect. */
  readonly measure?: Measure | undefined;
  /** What files came to when they were read before. */
  readonly kept?: KeptPolicies | undefined;
}

/** Reads the real traffic of a policy's metrics, in their order. `problem`: why it could not be read, in a plain sentence. */
export type Measure = (
  policy: Policy,
) => Promise<{ readonly metrics: readonly Measured[]; readonly problem: string | null }>;

export interface LoadResult {
  /** Those without a problem. */
  readonly policies: readonly LoadedPolicy[];
  /** Every problem of every file, in the order of the files. */
  readonly problems: readonly PolicyProblem[];
  /** What is right and will not do what it is there for, of the policies without a problem: a regression nobody could notice. */
  readonly warnings: readonly PolicyProblem[];
  /** How many files were looked at. */
  readonly files: number;
}

/**
 * Reads every `*.yaml` and `*.yml` of a directory, with the templates they extend (those inside it are not policies). Never throws
 * for what a directory or a file can be like: that is a problem, and listed. Of two policies for one service the first file's counts.
 */
export async function loadPolicies(options: LoadOptions): Promise<LoadResult> {
  const { directory, kept } = options;
  const listed = await listFiles(directory);
  if (listed.problem !== null) {
    return { ...nothing, problems: [fileProblem(directory, listed.problem)] };
  }
  const look = kept?.begin();
  const reading = new DirectoryReading(options, look);
  await reading.readAll(listed.names);
  const { problems } = reading;
  const unmet = requirementProblems(reading.parsed);
  // What is wrong among files that are right by themselves is said with its line, and lines are not kept.
  if (reading.wasAskedForPlaces) return loadPolicies({ ...options, kept: undefined });
  problems.push(...unmet.values());
  const policies = await withCommits(
    reading.policies.filter(({ policy }) => !unmet.has(policy.service)),
    options,
  );
  look?.end(policies);
  return {
    policies,
    problems: sortProblems(once(problems)),
    // Policies of one template have theirs in common.
    warnings: sortProblems(once([...new Set(reading.policies.map(({ warnings }) => warnings))].flat())),
    files: listed.names.length,
  };
}

const nothing = { policies: [], warnings: [], files: 0 };

async function withCommits(policies: readonly LoadedPolicy[], options: LoadOptions): Promise<readonly LoadedPolicy[]> {
  const commits = options.commits ?? gitCommits;
  const found = await commits(
    options.directory,
    policies.map(({ templates, file }) => [...templates, file]),
  );
  return policies.map((loaded, index) => {
    const commit = found[index] ?? null;
    return loaded.policy.commit === commit ? loaded : { ...loaded, policy: { ...loaded.policy, commit } };
  });
}

/** What is wrong in a template is found by every policy that extends it. */
function once(problems: readonly PolicyProblem[]): PolicyProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

/** Stands for a secret that is not set where a policy is only looked at. */
const standIn = 'not-set';

/**
 * As `loadPolicies`, where nobody acts on what was read: that a secret is not set is a warning, and the policy is looked at as if it
 * were. Whoever writes policies, or checks them in a pipeline, need not have the secrets.
 */
async function loadWithoutSecrets(options: LoadOptions): Promise<LoadResult> {
  const { problems } = await loadPolicies({ ...options, measure: undefined });
  const unset = problems.filter((problem) => problem.unset !== undefined);
  const standIns = Object.fromEntries(unset.map((problem) => [problem.unset ?? '', standIn]));
  const result = await loadPolicies({ ...options, secrets: { ...options.secrets, ...standIns } });
  const at = ({ file, path }: PolicyProblem) => `${file} ${path}`;
  const places = new Set(unset.map(at));
  return {
    ...result,
    // Of what the stand-in leads to nothing is the writer's doing.
    problems: result.problems.filter((problem) => !places.has(at(problem))),
    warnings: sortProblems([...unset, ...result.warnings]),
  };
}

/** What `lastgood validate DIR` prints, and whether all is well: warnings are no problems. */
export async function validateDirectory(
  directory: string,
  options: PolicyOptions & Pick<LoadOptions, 'measure'>,
): Promise<LoadResult & { readonly lines: readonly Line[]; readonly text: string; readonly ok: boolean }> {
  const result = await loadWithoutSecrets({ ...options, directory });
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
