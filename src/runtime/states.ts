import { hash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { ServiceState } from '../domain/state.ts';
import type { StoredState } from '../ports/store.ts';
import { roundOfTheLoop } from './clock.ts';
import { compiled, type Runner } from './compiled.ts';
import type { Engine } from './engine.ts';
import { type Schema, STATE_SCHEMA } from './schema.ts';
import { StateTexts } from './state-text.ts';

/** What those that are remembered take together (bytes). */
const MOST_REMEMBERED = 8 * 1024 * 1024;
/** Bytes that a parsed state takes for each character of its text: 1.7 were measured with rollouts under way. */
const BYTES_A_CHARACTER = 2;
/** How many of those that were read last and not remembered are known by name. */
const MOST_ASKED = 256;
/** Texts that are held at a time while all states are read. */
const READ_AT_A_TIME = 20;

/** A state as it stands in the database. */
export interface KnownState extends StoredState {
  /** What it takes (bytes). */
  readonly size: number;
  /** Of its text; null where its version says enough. */
  readonly fingerprint: string | null;
}

/**
 * Reads states, and remembers each as it was read or written last: its version says whether it is still the same, and then it is
 * neither fetched nor parsed again. Most reads are of what has not changed or of what we wrote ourselves: a storm of alerts, cards,
 * looks at targets, and who asks every few seconds what is under way. Only what is committed may be remembered; a state is never
 * changed by who reads it. Those not used for longest are forgotten first, but not for one that is read once: thousands that are read
 * in turn would push out what is in use, and none of them would be there when its turn comes again.
 */
export class StateReader {
  readonly #engine: Engine;
  readonly #known = new Map<string, KnownState>();
  readonly #most: number;
  readonly #asked = new Set<string>();
  readonly texts = new StateTexts();
  readonly #statements: ReturnType<typeof stateStatements>;
  #size = 0;

  constructor(db: Kysely<Schema>, engine: Engine, mostRemembered = MOST_REMEMBERED) {
    this.#engine = engine;
    this.#statements = stateStatements(db, engine);
    this.#most = mostRemembered;
  }

  /** Outside of units: what is committed. */
  async load(run: Runner, service: string): Promise<StoredState | null> {
    const read = await this.#readUnlessKnown(run, service);
    if (!read) this.#forget(service);
    else if (this.#hasRoomFor(read) || this.#wasAsked(service)) this.remember(read);
    return storedOf(read);
  }

  /** Or it is there already. */
  #hasRoomFor({ state, size }: KnownState): boolean {
    return this.#known.has(state.service) || this.#size + size <= this.#most;
  }

  /** Whether it was read a short while ago; if not, it is now. */
  #wasAsked(service: string): boolean {
    if (this.#asked.delete(service)) return true;
    this.#asked.add(service);
    const [first] = this.#asked;
    if (first !== undefined && this.#asked.size > MOST_ASKED) this.#asked.delete(first);
    return false;
  }

  /** In a unit that has not written it yet: to be remembered when that is committed. */
  async loadToWrite(run: Runner, service: string): Promise<KnownState | null> {
    if (this.#engine.kind === 'sqlite') return this.#readUnlessKnown(run, service);
    const [row] = (await run.executeQuery(this.#statements.toWrite(service))).rows;
    if (!row) return null;
    const known = this.#known.get(service);
    // The text too: a database that was put back to before has other states at the same versions.
    const isSame = known?.version === row.version && known.fingerprint === this.#fingerprintOf(row.state);
    return isSame ? known : this.knownAs(parsed(service, row.state), row.version, row.state);
  }

  /** All of them, by name. */
  async all(db: Kysely<Schema>): Promise<readonly ServiceState[]> {
    const all: ServiceState[] = [];
    await this.changes(
      db,
      () => null,
      ({ state }) => all.push(state),
    );
    return all.sort((a, b) => (a.service < b.service ? -1 : 1));
  }

  /** Gives those that are not at the version that is known to `changed`; answers the names of the others. */
  async changes(
    db: Kysely<Schema>,
    known: (service: string) => number | null,
    changed: (stored: StoredState) => void,
  ): Promise<readonly string[]> {
    const present = await db.selectFrom('services').select(['service', 'version']).orderBy('service').execute();
    const same: string[] = [];
    const unknown: string[] = [];
    for (const { service, version } of present) {
      const remembered = this.#known.get(service);
      if (known(service) === version) same.push(service);
      else if (remembered?.version === version) changed({ state: remembered.state, version });
      else unknown.push(service);
    }
    await this.#read(db, unknown, changed);
    return same;
  }

  async #read(db: Kysely<Schema>, services: string[], changed: (stored: StoredState) => void): Promise<void> {
    while (services.length > 0) {
      const some = services.splice(0, READ_AT_A_TIME);
      const columns = ['service', 'state', 'version'] as const;
      const rows = await db.selectFrom('services').select(columns).where('service', 'in', some).execute();
      for (const { service, state, version } of rows) {
        const read = this.knownAs(parsed(service, state), version, state);
        changed({ state: read.state, version });
        // Who goes through all of them is no reason to forget those in use.
        if (this.#hasRoomFor(read)) this.remember(read);
      }
      // Thousands take a second to parse: whoever waits for an answer has it in between.
      if (services.length > 0) await roundOfTheLoop();
    }
  }

  /** What is remembered of a state with this text. */
  knownAs(state: ServiceState, version: number, text: string): KnownState {
    return { state, version, size: text.length * BYTES_A_CHARACTER, fingerprint: this.#fingerprintOf(text) };
  }

  /** Only what is committed. */
  remember(known: KnownState): void {
    const { service } = known.state;
    this.#forget(service);
    this.#known.set(service, known);
    this.#size += known.size;
    for (const oldest of this.#known.keys()) {
      if (this.#size <= this.#most) return;
      this.#forget(oldest);
    }
  }

  #forget(service: string): void {
    this.#size -= this.#known.get(service)?.size ?? 0;
    this.#known.delete(service);
  }

  async #readUnlessKnown(run: Runner, service: string): Promise<KnownState | null> {
    const known = this.#known.get(service);
    // Versions begin at 1.
    const [row] = (await run.executeQuery(this.#statements.unlessKnown(known?.version ?? 0, service))).rows;
    if (!row) return null;
    if (row.state !== null) return this.knownAs(parsed(service, row.state), row.version, row.state);
    return known ?? null;
  }

  /** One process owns an embedded database, so nobody else puts it back to before. */
  #fingerprintOf(text: string): string | null {
    return this.#engine.kind === 'sqlite' ? null : hash('sha256', text, 'base64url');
  }
}

/** Put into words once: one of them is asked before everything that is done. */
function stateStatements(db: Kysely<Schema>, engine: Engine) {
  type Read<State> = { version: number; state: State };
  return {
    /** Its version, and its text unless it is known at that version. */
    unlessKnown: compiled<[knownVersion: number, service: string], Read<string | null>>(2, (knownVersion, service) =>
      db
        .selectFrom('services')
        .select([
          'version',
          sql<string | null>`CASE WHEN version = ${knownVersion} THEN NULL ELSE state END`.as('state'),
        ])
        .where('service', '=', service),
    ),
    toWrite: compiled<[service: string], Read<string>>(1, (service) =>
      engine.forUpdate(db.selectFrom('services').select(['state', 'version']).where('service', '=', service)),
    ),
  };
}

/** What others need to know of it. */
export function storedOf(known: KnownState | null): StoredState | null {
  return known && { state: known.state, version: known.version };
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
