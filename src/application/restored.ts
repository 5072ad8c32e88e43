import type { Store } from '../ports/store.ts';
import type { Application } from './api.ts';
import { SHIFT_JOB } from './jobs.ts';

/** Set by who put the database back from a backup; empty: what followed from it was done. */
const setting = 'restored';

/** Says that the database is a backup put back: the next instance that starts on it does nothing by itself that was under way. */
export function markRestored({ settings }: Pick<Store, 'settings'>, id: string): Promise<void> {
  return settings.set(setting, id);
}

export interface AfterRestoreParts {
  readonly store: Pick<Store, 'settings' | 'services' | 'transaction'>;
  readonly deliver: Application['deliver'];
}

/**
 * Before anything works on a database that was put back: what was on its way to a target is dropped, and what was under way waits
 * for people. May be cut off and done again, also by another replica.
 */
export async function afterRestore({ store, deliver }: AfterRestoreParts): Promise<void> {
  const id = await store.settings.get(setting);
  if (id === null || id === '') return;
  for (const { service, clockMs } of await store.services()) {
    await store.transaction((unit) => unit.cancel(service, SHIFT_JOB));
    await deliver(service, { type: 'restored', asOfMs: clockMs }, `restored/${id}/${service}`);
  }
  await store.settings.set(setting, '');
}
