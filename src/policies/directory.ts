import { join } from 'node:path';
import type { Policy } from '../domain/policy.ts';
import type { Finding } from './explain.ts';
import { readPolicyFile } from './files.ts';
import type { KeptLook } from './kept.ts';
import { lintPolicy } from './lint.ts';
import type { LoadOptions } from './load.ts';
import { type LoadedPolicy, type ParseResult, type PolicyOptions, parsePolicy } from './parse.ts';
import { formatPath, type PolicyProblem } from './problem.ts';

/** So many files are read at once. */
const readAtOnce = 64;

/** Reads the policies of a directory, file by file; `look` knows what some of them came to before. */
export class DirectoryReading {
  readonly problems: PolicyProblem[] = [];
  readonly policies: LoadedPolicy[] = [];
  /** By service; also those with problems. */
  readonly parsed = new Map<string, Pick<ParseResult, 'requires' | 'place'>>();
  /** Somebody wanted to know where in a file something stands that was not read anew: nobody knows. */
  wasAskedForPlaces = false;
  readonly #options: LoadOptions;
  readonly #look: KeptLook | undefined;
  readonly #templates: NonNullable<PolicyOptions['templates']> = new Map();

  constructor(options: LoadOptions, look: KeptLook | undefined) {
    this.#options = options;
    this.#look = look;
  }

  async readAll(names: readonly string[]): Promise<void> {
    for (let from = 0; from < names.length; from += readAtOnce) {
      const files = names.slice(from, from + readAtOnce).map((name) => join(this.#options.directory, name));
      const texts = await Promise.all(files.map(async (file) => ({ file, read: await readPolicyFile(file) })));
      for (const { file, read } of texts) {
        if (read.problem === null) await this.#take(file, read.text);
        else this.problems.push(fileProblem(file, read.problem));
      }
    }
  }

  async #take(file: string, text: string): Promise<void> {
    const known = await this.#look?.find(file, text);
    if (known) {
      const place = () => {
        this.wasAskedForPlaces = true;
        return { file, line: 0, column: 0 };
      };
      const { service, requires } = known.policy;
      if (this.#isFirst(service, { requires: requires?.service ?? null, place })) this.policies.push(known);
      return;
    }
    const result = await parsePolicy(text, file, { ...this.#options, templates: this.#templates });
    const { policy, service } = result;
    this.problems.push(...result.problems);
    if (service && !this.#isFirst(service, result)) return;
    if (!policy) return;
    const loaded = { ...policy, warnings: await this.#warningsOf(result, policy) };
    this.policies.push((await this.#look?.keep(text, loaded, await this.#named(text, result))) ?? loaded);
  }

  /** Of two policies for one service the first file's counts. */
  #isFirst(service: string, { requires, place }: Pick<ParseResult, 'requires' | 'place'>): boolean {
    const first = this.parsed.get(service);
    if (first === undefined) {
      this.parsed.set(service, { requires, place });
      return true;
    }
    const message = `${service} already has a policy: ${first.place(['service'], 'value').file}`;
    this.problems.push({ ...place(['service'], 'value'), path: 'service', message });
    return false;
  }

  /** The policy with its secrets only named, to be written down; null: it is none then. */
  async #named(text: string, { policy, holdsSecrets }: ParseResult): Promise<Policy | null> {
    if (policy === null || !holdsSecrets) return policy?.policy ?? null;
    const secrets = Object.fromEntries(Object.keys(this.#options.secrets).map((name) => [name, `\${${name}}`]));
    const again = await parsePolicy(text, policy.file, { ...this.#options, secrets, templates: this.#templates });
    return again.policy?.policy ?? null;
  }

  async #warningsOf(
    { written, place }: ParseResult,
    { policy, file }: LoadedPolicy,
  ): Promise<readonly PolicyProblem[]> {
    const before = this.#options.before?.(policy.service);
    if (before?.file === file && before.policy.revision === policy.revision) return before.warnings;
    if (written === null) return [];
    const measured = (await this.#options.measure?.(policy)) ?? { metrics: [], problem: null };
    const findings: Finding[] = [...lintPolicy(policy, written, measured.metrics)];
    if (measured.problem !== null) {
      const message = `the traffic could not be measured: ${measured.problem}`;
      findings.push({ path: ['metrics'], at: 'key', message });
    }
    return findings.map(({ path, at, message }) => ({ ...place(path, at), path: formatPath(path), message }));
  }
}

export function fileProblem(file: string, message: string): PolicyProblem {
  return { file, line: 0, column: 0, path: '', message };
}
