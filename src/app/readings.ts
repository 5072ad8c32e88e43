import type { Policy } from '../domain/policy.ts';
import type { ServiceState } from '../domain/state.ts';
import { isEnded } from '../domain/turn.ts';
import type { Store } from '../ports/store.ts';
import type { Readings } from '../server/metrics.ts';
import type { ServiceReading } from '../server/service-gauges.ts';

export interface ReadingsParts {
  readonly store: Pick<Store, 'changes'> & { readonly jobs: Pick<Store['jobs'], 'pending'> };
  readonly policies: () => readonly Pick<Policy, 'service'>[];
}

interface Known {
  /** Null: nothing ever happened to it. */
  readonly version: number | null;
  readonly reading: ServiceReading;
}

/**
 * What is true now, for the gauges: as it is in the store, whichever replica decided it. Of each service only what is shown is kept
 * from scrape to scrape, and only states that are others now are looked into.
 */
export function createReadings({ store, policies }: ReadingsParts): () => Promise<Readings> {
  let known: ReadonlyMap<string, Known> = new Map();
  return async () => {
    const before = known;
    const [changes, jobsPending] = await Promise.all([
      store.changes((service) => before.get(service)?.version ?? null),
      store.jobs.pending(),
    ]);
    const next = new Map<string, Known>();
    for (const service of changes.same) {
      const same = before.get(service);
      if (same) next.set(service, same);
    }
    for (const { state, version } of changes.others)
      next.set(state.service, { version, reading: readingOf(state.service, state) });
    const services = policies().map(({ service }) => {
      const found = next.get(service) ?? emptyOf(before.get(service), service);
      next.set(service, found);
      return found.reading;
    });
    known = next;
    return { services, jobsPending };
  };
}

function emptyOf(before: Known | undefined, service: string): Known {
  return before?.version === null ? before : { version: null, reading: readingOf(service, null) };
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
