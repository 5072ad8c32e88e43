import { unmetNeeds } from '../../app/checks.ts';
import {
  type ClientConfig,
  ConfigError,
  loadClientConfig,
  loadClientPlace,
  loadConfig,
  loadProvided,
  type Provided,
} from '../../config.ts';
import { formatProblems, formatWarnings, loadPolicies } from '../../policies/index.ts';
import { targetSchemas } from '../../targets/index.ts';
import type { Io } from '../command.ts';
import { type Finding, fine, problem, remark, type Section } from './findings.ts';

/** What the environment says, as far as it says anything. */
export interface Local {
  readonly section: Section;
  /** What policies may leave to the instance; null: something of it is wrong. */
  readonly config: Provided | null;
  /** What it takes to find the instance and, with a token, to be let in; null: not even that. */
  readonly client: ClientConfig | null;
}

export function examineConfiguration(io: Io): Local {
  const title = 'Configuration (the environment)';
  const [complete, problems] = attempt(() => loadConfig(io.env));
  const [config] = attempt(() => loadProvided(io.env));
  const [letIn] = attempt(() => loadClientConfig(io.env));
  const client = letIn ?? attempt(() => loadClientPlace(io.env))[0];
  const todo = 'Run it with the environment of the instance; `lastgood help` lists the variables.';
  const findings = complete ? [fine('complete')] : problems.map((text) => problem(text, todo));
  return { section: { title, findings }, config, client };
}

function attempt<T>(load: () => T): [T | null, readonly string[]] {
  try {
    return [load(), []];
  } catch (error) {
    if (error instanceof ConfigError) return [null, error.problems];
    throw error;
  }
}

/** The files as they are now, with what they need of the instance. */
export async function examinePolicies({ config, client }: Local): Promise<Section> {
  const { policyDir: directory, policySecrets: secrets } = client ?? { policyDir: '', policySecrets: {} };
  const title = `Policies (${directory})`;
  const { policies, problems, warnings } = await loadPolicies({ directory, targets: targetSchemas, secrets });
  if (problems.length > 0) {
    const todo =
      'Mend what is listed; `lastgood validate` checks again. A running instance keeps to the last good ones.';
    return { title, findings: [problem(formatProblems(problems), todo)] };
  }
  const unmet =
    config === null
      ? []
      : unmetNeeds(
          config,
          policies.map(({ policy }) => policy),
        );
  const findings: Finding[] = unmet.map((text) => problem(text, null));
  if (policies.length === 0)
    findings.push(
      problem('there is none', 'Put one file a service there; the repository has examples under policies/.'),
    );
  if (findings.length === 0)
    findings.push(fine(`${policies.length} valid: ${policies.map(({ policy }) => policy.service).join(', ')}`));
  if (warnings.length > 0) {
    const todo = 'These policies are in force all the same; docs/policy.md, "Will it be noticed in time?", says more.';
    findings.push(remark(formatWarnings(warnings), todo));
  }
  return { title, findings };
}
