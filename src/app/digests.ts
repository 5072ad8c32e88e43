import type { Store, StoredState } from '../ports/store.ts';

/** What is kept of a state says whose it is, and which. */
export interface Digest {
  readonly service: string;
  readonly version: number;
}

/**
 * What is needed of every service's state, for who asks again and again: kept from time to time, and taken anew of those only that
 * are others now in the store, whoever decided that. By the name of the service.
 */
export function createDigests<T extends Digest>(
  store: Pick<Store, 'changes'>,
  digestOf: (stored: StoredState) => T,
): () => Promise<ReadonlyMap<string, T>> {
  let known: ReadonlyMap<string, T> = new Map();
  return async () => {
    const before = known;
    const next = new Map<string, T>();
    // By the name that is kept: thousands of others that say the same would stay in memory with it.
    const keep = (digest: T) => next.set(digest.service, digest);
    const same = await store.changes(
      (service) => before.get(service)?.version ?? null,
      (stored) => keep(digestOf(stored)),
    );
    for (const service of same) {
      const kept = before.get(service);
      if (kept) keep(kept);
    }
    known = next;
    return next;
  };
}
