import type { Application } from '../application/api.ts';
import type { Policy } from '../domain/policy.ts';
import type { ServiceState } from '../domain/state.ts';
import type { DegradedMode } from '../ports/health.ts';
import type { Store } from '../ports/store.ts';
import { createDigests } from './digests.ts';

export interface WayOutParts {
  readonly store: Pick<Store, 'changes'>;
  readonly policies: { get(service: string): Policy | null };
  readonly deliver: Application['deliver'];
}

/**
 * A question that cannot be seen where it is asked is nobody's: whoever is on call is woken at once, not when they would be for
 * having given no answer. Called after each round of health checks; once a question, however often it is called.
 */
export function createWayOut({
  store,
  policies,
  deliver,
}: WayOutParts): (modes: readonly DegradedMode[]) => Promise<void> {
  const questions = createDigests(store, ({ state, version }) => {
    return { service: state.service, version, id: unansweredOf(state) };
  });
  return async (modes) => {
    if (!modes.some(({ part }) => part === 'slack' || part === 'channel')) return;
    for (const { service, id } of (await questions()).values()) {
      if (id === null) continue;
      const why = unseen(policies.get(service), modes);
      if (why !== null) await deliver(service, { type: 'unseen', degradationId: id, why }, `unseen/${id}`);
    }
  };
}

/** The open question, where nobody is called about it; null: there is none. */
function unansweredOf({ degradation }: ServiceState): string | null {
  return degradation?.stage.name === 'asking' && degradation.page.state === 'none' ? degradation.id : null;
}

/** Why a question of the service cannot be seen; null: it can, or nobody can be called. */
function unseen(policy: Policy | null, modes: readonly DegradedMode[]): string | null {
  if (!policy?.escalate) return null;
  if (modes.some(({ part }) => part === 'slack')) return 'Slack does not answer';
  if (modes.some(({ part, name }) => part === 'channel' && name === policy.channel))
    return `the Slack channel ${policy.channel} takes no messages`;
  return null;
}
