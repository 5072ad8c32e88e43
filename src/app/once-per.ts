import type { Policy } from '../domain/policy.ts';

/**
 * Makes something of one part of a policy, once for all policies that have the very same part, as those of one template have: with
 * thousands of services one target is connected, not thousands. Nothing else of a policy may matter to what is made.
 */
export function oncePer<T extends object>(
  part: (policy: Policy) => object,
  make: (policy: Policy) => T,
): (policy: Policy) => T {
  const made = new WeakMap<object, T>();
  return (policy) => {
    const key = part(policy);
    const known = made.get(key);
    if (known) return known;
    const fresh = make(policy);
    made.set(key, fresh);
    return fresh;
  };
}
