import type { Kysely } from 'kysely';
import type { ServiceState } from '../domain/state.ts';
import type { StoredState } from '../ports/store.ts';
import { type Engine, sqlite } from './engine.ts';
import { type Schema, STATE_SCHEMA } from './schema.ts';

/**
 * Reads states, and remembers each as it was read last: its version says whether it is still the same, and then it is neither
 * fetched nor parsed again. Most reads are of what has not changed: cards, looks at targets, and who asks every few seconds what
 * is under way. Only what is committed may be remembered; a state is never changed by who reads it.
 */
export class StateReader {
  readonly #known = new Map<string, StoredState & { readonly text: string }>();

  /** What was read in a unit may not have been committed after all. */
  forget(): void {
    this.#known.clear();
  }

  async load(db: Kysely<Schema>, service: string): Promise<StoredState | null> {
    const known = this.#known.get(service);
    if (known) {
      const present = await db
        .selectFrom('services')
        .select('version')
        .where('service', '=', service)
        .executeTakeFirst();
      if (present?.version === known.version) return { state: known.state, version: known.version };
    }
    return this.loadToWrite(db, service, sqlite);
  }

  /** In a unit that has not written it yet. */
  async loadToWrite(db: Kysely<Schema>, service: string, engine: Engine): Promise<StoredState | null> {
    const row = await engine
      .forUpdate(db.selectFrom('services').select(['state', 'version']).where('service', '=', service))
      .executeTakeFirst();
    return row ? this.#remembered(service, row) : null;
  }

  /** All of them, by name. */
  async all(db: Kysely<Schema>): Promise<readonly ServiceState[]> {
    const present = await db.selectFrom('services').select(['service', 'version']).orderBy('service').execute();
    const changed = present
      .filter(({ service, version }) => this.#known.get(service)?.version !== version)
      .map(({ service }) => service);
    const rows =
      changed.length === 0
        ? []
        : await db
            .selectFrom('services')
            .select(['service', 'state', 'version'])
            .where('service', 'in', changed)
            .execute();
    for (const row of rows) this.#remembered(row.service, row);
    return present.flatMap(({ service }) => this.#known.get(service)?.state ?? []);
  }

  #remembered(service: string, row: { state: string; version: number }): StoredState {
    const known = this.#known.get(service);
    // The text too: a database that was put back to before has other states at the same versions.
    if (known?.version === row.version && known.text === row.state)
      return { state: known.state, version: known.version };
    const stored = { state: parsed(service, row.state), version: row.version, text: row.state };
    this.#known.set(service, stored);
    return { state: stored.state, version: stored.version };
  }
}

/** Older shapes are brought up here once there are any. */
function parsed(service: string, text: string): ServiceState {
  const state = JSON.parse(text) as ServiceState;
  if (state.schema !== STATE_SCHEMA) {
    throw new Error(
      `The state of ${service} has schema ${String(state.schema)}; this Lastgood reads ${STATE_SCHEMA}. Run the version that wrote it.`,
    );
  }
  return state;
}
