import { isUnderWay } from '../domain/turn.ts';
import type { Store } from '../ports/store.ts';

/** Of the services asked about those with a rollout under way or a question open, each with the revision it was decided by last (null: unknown). */
export async function servicesUnderWay(
  store: Pick<Store, 'serviceNames' | 'load' | 'journal'>,
  isAsked: (service: string) => boolean = () => true,
): Promise<readonly { readonly service: string; readonly revision: string | null }[]> {
  const busy: { service: string; revision: string | null }[] = [];
  // At the start nearly all have a policy, and nobody asks about those: there may be thousands.
  for (const service of (await store.serviceNames()).filter(isAsked)) {
    const stored = await store.load(service);
    if (!stored || !isUnderWay(stored.state)) continue;
    const [last] = await store.journal({ service, limit: 1 });
    busy.push({ service, revision: last?.entry.policyRevision ?? null });
  }
  return busy;
}
