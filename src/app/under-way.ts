import { isUnderWay } from '../domain/turn.ts';
import type { Store } from '../ports/store.ts';

/** Of the services asked about those with a rollout under way or a question open, each with the revision it was decided by last (null: unknown). */
export async function servicesUnderWay(
  store: Pick<Store, 'services' | 'journal'>,
  isAsked: (service: string) => boolean = () => true,
): Promise<readonly { readonly service: string; readonly revision: string | null }[]> {
  const busy = (await store.services()).filter((state) => isAsked(state.service) && isUnderWay(state));
  return Promise.all(
    busy.map(async ({ service }) => {
      const [last] = await store.journal({ service, limit: 1 });
      return { service, revision: last?.entry.policyRevision ?? null };
    }),
  );
}
