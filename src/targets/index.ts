import type { Policy } from '../domain/policy.ts';
import { PortError } from '../ports/failure.ts';
import type { Target } from '../ports/target.ts';
import type { TargetDeps, TargetKind } from './define.ts';
import { haproxyTarget } from './haproxy.ts';
import { httpTarget } from './http.ts';

/** Every kind of target there is, by the word a policy names it with. A new one: one file, one line here. */
export const targetKinds = {
  http: httpTarget,
  haproxy: haproxyTarget,
} satisfies Record<string, TargetKind>;

/** What checks a policy's `target`, by kind. */
export const targetSchemas: Readonly<Record<string, Pick<TargetKind, 'steps' | 'config'>>> = targetKinds;

/** The target of a policy, connected. The function it gives throws PortError (permanent) for a kind there is not. */
export function createTargets(deps: TargetDeps): (policy: Pick<Policy, 'target'>) => Target {
  const kinds: Readonly<Record<string, TargetKind>> = targetKinds;
  return ({ target: { kind, config } }) => {
    const found = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (found) return found.connect(config, deps);
    throw new PortError(
      'permanent',
      `There is no target of kind "${kind}": there is ${Object.keys(kinds).join(', ')}.`,
    );
  };
}
