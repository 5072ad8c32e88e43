import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readDocument } from './document.ts';
import { reason } from './endpoint.ts';
import { type LoadedPolicy, maxPolicyBytes, type PolicyOptions, parsePolicy } from './parse.ts';
import { formatProblems, type PolicyProblem, sortProblems } from './problem.ts';

export interface LoadOptions extends PolicyOptions {
  readonly directory: string;
}

export interface LoadResult {
  /** Those without a problem. */
  readonly policies: readonly LoadedPolicy[];
  /** Every problem of every file, in the order of the files. */
  readonly problems: readonly PolicyProblem[];
  /** How many files were looked at. */
  readonly files: number;
}

/**
 * Reads every `*.yaml` and `*.yml` of a directory (not of those inside it). Never throws for what a directory or a file can be
 * like: that is a problem, and listed. Of two policies for one service the first file's counts.
 */
export async function loadPolicies(options: LoadOptions): Promise<LoadResult> {
  const { directory } = options;
  const listed = await listFiles(directory);
  if (listed.problem !== null) return { policies: [], problems: [fileProblem(directory, listed.problem)], files: 0 };
  const policies: LoadedPolicy[] = [];
  const problems: PolicyProblem[] = [];
  const firstFiles = new Map<string, string>();
  for (const name of listed.names) {
    const file = join(directory, name);
    const read = await readPolicyFile(file);
    if (read.problem !== null) {
      problems.push(fileProblem(file, read.problem));
      continue;
    }
    const { policy, service, problems: found } = await parsePolicy(read.text, file, options);
    problems.push(...found);
    const first = service === null ? undefined : firstFiles.get(service);
    if (first !== undefined) {
      const { line, column } = readDocument(read.text).place(['service'], 'value');
      problems.push({ file, line, column, path: 'service', message: `${service} already has a policy: ${first}` });
      continue;
    }
    if (service) firstFiles.set(service, file);
    if (policy) policies.push(policy);
  }
  return { policies, problems: sortProblems(problems), files: listed.names.length };
}

/** What `lastgood validate DIR` prints, and whether all is well. */
export async function validateDirectory(
  directory: string,
  options: PolicyOptions,
): Promise<LoadResult & { readonly text: string; readonly ok: boolean }> {
  const result = await loadPolicies({ ...options, directory });
  const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;
  const summary = `${count(result.files, 'policy', 'policies')}, ${count(result.problems.length, 'problem', 'problems')}`;
  const text = result.problems.length > 0 ? `${formatProblems(result.problems)}\n${summary}` : summary;
  return { ...result, text, ok: result.problems.length === 0 };
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

async function readPolicyFile(
  file: string,
): Promise<{ text: string; problem: null } | { text: null; problem: string }> {
  try {
    const status = await stat(file);
    if (!status.isFile()) return { text: null, problem: 'is not a file' };
    if (status.size > maxPolicyBytes) {
      return { text: null, problem: `is larger than a policy can be (${maxPolicyBytes / 1024} KiB)` };
    }
    return {
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file)),
      problem: null,
    };
  } catch (error) {
    if (error instanceof TypeError) return { text: null, problem: 'is not text in UTF-8' };
    return { text: null, problem: `cannot be read: ${reason(error)}` };
  }
}

function fileProblem(file: string, message: string): PolicyProblem {
  return { file, line: 0, column: 0, path: '', message };
}
