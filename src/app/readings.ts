import type { Policy } from '../domain/policy.ts';
import type { Phase } from '../domain/state.ts';
import { isEnded } from '../domain/turn.ts';
import type { Store, StoredState } from '../ports/store.ts';
import type { Readings } from '../server/metrics.ts';
import type { ServiceReading } from '../server/service-gauges.ts';
import { createDigests, type Digest } from './digests.ts';

type Named = Pick<Policy, 'service'>;

export interface ReadingsParts {
  readonly store: Pick<Store, 'changes'> & { readonly jobs: Pick<Store['jobs'], 'pending'> };
  readonly policies: { all(): readonly Named[]; get(service: string): Named | null };
}

/**
 * What is true now, for the gauges: as it is in the store, whichever replica decided it. Of each service only what is shown is kept
 * from scrape to scrape, and only states that are others now are looked into.
 */
export function createReadings({ store, policies }: ReadingsParts): () => Promise<Readings> {
  // Each state that is read has its words for itself: of the same names one is kept, that of the service's policy is there anyway.
  const phases = new Map<string, Phase['name']>();
  const digests = createDigests(store, (stored) => {
    const { service } = policies.get(stored.state.service) ?? stored.state;
    const reading = readingOf(service, stored);
    if (reading.phase === null) return reading;
    const phase = phases.get(reading.phase) ?? reading.phase;
    phases.set(phase, phase);
    return { ...reading, phase };
  });
  return async () => {
    const [known, jobsPending] = await Promise.all([digests(), store.jobs.pending()]);
    const services = policies.all().map(({ service }) => known.get(service) ?? readingOf(service, null));
    return { services, jobsPending };
  };
}

function readingOf(service: string, stored: StoredState | null): Digest & ServiceReading {
  const state = stored?.state ?? null;
  const rollout = state?.rollout ?? null;
  const degradation = state?.degradation ?? null;
  return {
    service,
    version: stored?.version ?? 0,
    phase: rollout?.phase.name ?? null,
    exposurePercent: rollout && !isEnded(rollout.phase) ? rollout.exposurePercent : null,
    degradationOpen: degradation !== null && degradation.stage.name !== 'ended',
    frozen: (state?.freeze ?? null) !== null,
    automationOff: (state?.automationOff ?? null) !== null,
  };
}
