import type { Application } from '../application/api.ts';
import type { Policy } from '../domain/policy.ts';
import type { ServiceState } from '../domain/state.ts';
import type { DegradedMode } from '../ports/health.ts';
import type { Store } from '../ports/store.ts';

export interface WayOutParts {
  readonly store: Pick<Store, 'services'>;
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
  return async (modes) => {
    if (!modes.some(({ part }) => part === 'slack' || part === 'channel')) return;
    for (const state of await store.services()) {
      const why = unseen(state, policies.get(state.service), modes);
      const id = state.degradation?.id;
      if (why !== null && id !== undefined)
        await deliver(state.service, { type: 'unseen', degradationId: id, why }, `unseen/${id}`);
    }
  };
}

/** Why the open question cannot be seen; null: it can, or somebody is called already, or nobody can be. */
function unseen(state: ServiceState, policy: Policy | null, modes: readonly DegradedMode[]): string | null {
  const question = state.degradation;
  if (question?.stage.name !== 'asking' || question.page.state !== 'none' || !policy?.escalate) return null;
  if (modes.some(({ part }) => part === 'slack')) return 'Slack does not answer';
  if (modes.some(({ part, name }) => part === 'channel' && name === policy.channel))
    return `the Slack channel ${policy.channel} takes no messages`;
  return null;
}
