import { isNews } from '../domain/drift.ts';
import type { Observed } from '../domain/event.ts';
import { initialState } from '../domain/initial.ts';
import type { Policy } from '../domain/policy.ts';
import type { Rollout, ServiceState } from '../domain/state.ts';
import { isEnded } from '../domain/turn.ts';
import type { Clock } from '../ports/clock.ts';
import type { Policies } from '../ports/policies.ts';
import type { Store } from '../ports/store.ts';
import type { Target } from '../ports/target.ts';
import type { Application } from './api.ts';

export interface LookAtTargetParts {
  readonly store: Pick<Store, 'load'>;
  readonly clock: Clock;
  readonly policies: Policies;
  readonly targets: (policy: Policy) => Target;
  readonly deliver: Application['deliver'];
}

/**
 * Looks at what a service's target shows between our shifts, and delivers it where it is news: moved by hand, lost by a reload, or what
 * served before Lastgood came. Null: a shift is in flight, and whoever shifts looks for himself. Throws PortError.
 */
export type LookAtTarget = (service: string, signal: AbortSignal) => Promise<Observed | null>;

export function createLookAtTarget(parts: LookAtTargetParts): LookAtTarget {
  const { store, clock, policies, targets, deliver } = parts;
  return async (service, signal) => {
    const present = policies.get(service);
    const state = (await store.load(service))?.state ?? initialState(service, clock.now());
    if (!present || state.shift) return null;
    const rollout = underWay(state);
    const policy = (rollout && (await policies.at(service, rollout.plan.revision))) ?? present;
    const askedAtMs = clock.now();
    const observed = await targets(policy).observe(signal, rollout ? [rollout.stable.id, rollout.candidate.id] : []);
    if (isNews(state, observed, askedAtMs)) await tell(service, observed, askedAtMs);
    return observed;
  };

  async function tell(service: string, observed: Observed, askedAtMs: number): Promise<void> {
    await deliver(service, { type: 'seen', observed, askedAtMs }, `seen/${service}/${askedAtMs}`);
  }
}

function underWay({ rollout }: ServiceState): Rollout | null {
  return rollout && !isEnded(rollout.phase) ? rollout : null;
}
