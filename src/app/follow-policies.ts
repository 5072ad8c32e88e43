import type { Application } from '../application/api.ts';
import type { Store } from '../ports/store.ts';
import type { Logger } from '../server/logger.ts';

/** Rollouts under way and their cards follow an edit. A service nothing ever happened to has nothing to follow. */
export async function followPolicies(
  { store, log }: { readonly store: Store; readonly log: Logger },
  application: Application,
  services: readonly string[],
): Promise<void> {
  for (const service of services) {
    if ((await store.load(service)) === null) continue;
    // Every replica reads the directory: the first to come tells, and the others find it told.
    const revision = application.policies().find((policy) => policy.service === service)?.revision ?? 'gone';
    const [last] = await store.journal({ service, limit: 1 });
    if (last?.entry.policyRevision === revision) continue;
    await application.deliver(
      service,
      { type: 'policy_changed' },
      `policy/${service}/${revision}/${last?.sequence ?? 0}`,
    );
  }
  log.info({ services }, `policies changed: ${services.join(', ')}`);
}
