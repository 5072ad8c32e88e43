import type { Policy } from '../../domain/policy.ts';
import type { Rollout } from '../../domain/state.ts';
import { isEnded } from '../../domain/turn.ts';
import { code } from './text.ts';

/** By which policy: what automation does is traced to a revision of a file, and to the Git commit it is in. */

const REVISION = 12;
const COMMIT = 20;

type InForce = Pick<Policy, 'service' | 'revision' | 'commit'>;

/** "`fraud-scorer@a1b2c3d4` (commit `4f5e6d7`)". Markdown, escaped. */
export function policyRef({ service, revision, commit }: InForce): string {
  return `${code(`${service.slice(0, 80)}@${short(revision)}`)}${commit === null ? '' : ` (commit ${code(commit, COMMIT)})`}`;
}

/** The policy of a card's rollout: while it runs, also what has changed since it began. Markdown, escaped. */
export function policyLine(policy: InForce, rollout: Rollout | null): string {
  const began = rollout?.plan.revision ?? policy.revision;
  if (began === policy.revision) return `policy ${policyRef(policy)}`;
  const then = policyRef({ service: policy.service, revision: began, commit: null });
  // What came after its end did not concern it.
  if (!rollout || isEnded(rollout.phase)) return `policy ${then}`;
  return `began under policy ${then}; approvers and channel follow ${policyRef(policy)}`;
}

function short(revision: string): string {
  return revision.slice(0, REVISION);
}
