import type { Policy } from '../domain/policy.ts';
import type { ServiceState } from '../domain/state.ts';
import { isEnded } from '../domain/turn.ts';
import type { Store } from '../ports/store.ts';
import type { Readings } from '../server/metrics.ts';
import type { ServiceReading } from '../server/service-gauges.ts';
import { createDigests } from './digests.ts';

export interface ReadingsParts {
  readonly store: Pick<Store, 'changes'> & { readonly jobs: Pick<Store['jobs'], 'pending'> };
  readonly policies: () => readonly Pick<Policy, 'service'>[];
}

/**
 * What is true now, for the gauges: as it is in the store, whichever replica decided it. Of each service only what is shown is kept
 * from scrape to scrape, and only states that are others now are looked into.
 */
export function createReadings({ store, policies }: ReadingsParts): () => Promise<Readings> {
  const digests = createDigests(store, (state) => readingOf(state.service, state));
  /** Of services that nothing ever happened to. */
  const empty = new Map<string, ServiceReading>();
  const emptyOf = (service: string) => {
    const reading = empty.get(service) ?? readingOf(service, null);
    empty.set(service, reading);
    return reading;
  };
  return async () => {
    const [known, jobsPending] = await Promise.all([digests(), store.jobs.pending()]);
    return { services: policies().map(({ service }) => known.get(service) ?? emptyOf(service)), jobsPending };
  };
}

function readingOf(service: string, state: ServiceState | null): ServiceReading {
  const rollout = state?.rollout ?? null;
  const degradation = state?.degradation ?? null;
  return {
    service,
    phase: rollout?.phase.name ?? null,
    exposurePercent: rollout && !isEnded(rollout.phase) ? rollout.exposurePercent : null,
    degradationOpen: degradation !== null && degradation.stage.name !== 'ended',
    frozen: (state?.freeze ?? null) !== null,
    automationOff: (state?.automationOff ?? null) !== null,
  };
}
