import type { ServiceState } from '../domain/state.ts';
import type { Store } from '../ports/store.ts';

interface Known<T> {
  readonly version: number;
  readonly digest: T;
}

/**
 * What is needed of every service's state, for who asks again and again: kept from time to time, and taken anew of those only that
 * are others now in the store, whoever decided that. By the name of the service.
 */
export function createDigests<T>(
  store: Pick<Store, 'changes'>,
  digestOf: (state: ServiceState) => T,
): () => Promise<ReadonlyMap<string, T>> {
  let known: ReadonlyMap<string, Known<T>> = new Map();
  return async () => {
    const before = known;
    const next = new Map<string, Known<T>>();
    const same = await store.changes(
      (service) => before.get(service)?.version ?? null,
      ({ state, version }) => next.set(state.service, { version, digest: digestOf(state) }),
    );
    for (const service of same) {
      const kept = before.get(service);
      if (kept) next.set(service, kept);
    }
    known = next;
    return new Map([...next].map(([service, { digest }]) => [service, digest]));
  };
}
