import type { CompiledQuery, Kysely, Selectable, Transaction } from 'kysely';
import type { Effect } from '../domain/effect.ts';
import { cardMessageId, type Haste, type MessageBook, type MessageEntry, messageIdOf } from '../ports/store.ts';
import { compiled } from './compiled.ts';
import type { Engine } from './engine.ts';
import type { JobTable, Schema } from './schema.ts';
import { behindAnother, messageKinds } from './store-claims.ts';

/** What is said of nearly every message, put into words once. */
function messageStatements(db: Kysely<Schema>) {
  type Posted = [id: string, channel: string, ts: string, digest: string];
  return {
    get: compiled<[id: string], Selectable<Schema['messages']>>(1, (id) =>
      db.selectFrom('messages').selectAll().where('id', '=', id),
    ),
    begin: compiled<[id: string, atMs: number], unknown>(2, (id, atMs) => {
      const values = { ...posting, at: atMs };
      return db
        .insertInto('messages')
        .values({ id, ...values })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(values));
    }),
    posted: compiled<Posted, unknown>(4, (id, channel, ts, digest) => {
      const values = { state: 'posted', channel, ts, digest };
      return db
        .insertInto('messages')
        .values({ id, at: 0, ...values })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(values));
    }),
    forget: compiled<[id: string], unknown>(1, (id) => db.deleteFrom('messages').where('id', '=', id)),
  };
}

const posting = { state: 'posting', channel: null, ts: null, digest: null };

/** Which message stands for which of our ids. */
export function createMessageBook(db: Kysely<Schema>, engine: Engine): MessageBook {
  const statements = messageStatements(db);
  /** Said here and not yet known to be on the disk: whatever becomes of that commit, we know of it. */
  const said = new Map<string, MessageEntry | null>();
  const isAlone = engine.kind === 'sqlite';
  const run = engine.runner(db);
  const say = async (id: string, entry: MessageEntry | null, query: CompiledQuery, haste: Haste): Promise<void> => {
    said.set(id, entry);
    const stored = run.executeQuery(query).then(() => {
      if (said.get(id) === entry) said.delete(id);
    });
    if (haste === 'flushed' || !isAlone) return stored;
    // It fails together with the end of its job, which is in the same commit or a later one, and is told of there.
    stored.catch(() => undefined);
  };
  return {
    async get(id) {
      const known = said.get(id);
      if (isAlone && known !== undefined) return known;
      const row = (await run.executeQuery(statements.get(id))).rows[0];
      if (!row) return known ?? null;
      const address = row.channel !== null && row.ts !== null ? { channel: row.channel, ts: row.ts } : null;
      return { state: row.state === 'posted' ? 'posted' : 'posting', atMs: row.at, address, digest: row.digest };
    },
    async begin(id, atMs, haste = 'flushed') {
      const entry = { state: 'posting', atMs, address: null, digest: null } as const;
      const query = statements.begin(id, atMs);
      if (haste === 'flushed') return say(id, entry, query, haste);
      said.set(id, entry);
      await run.executeQuery(engine.unhurriedly(query));
    },
    posted(id, address, digest, haste = 'flushed') {
      const entry = { state: 'posted', atMs: 0, address, digest } as const;
      return say(id, entry, statements.posted(id, address.channel, address.ts, digest), haste);
    },
    forget: (id, haste = 'flushed') => say(id, null, statements.forget(id), haste),
    beginLeftBehind: (nowMs) => db.transaction().execute((trx) => beginLeftBehind(trx, nowMs)),
  };
}

async function beginLeftBehind(trx: Transaction<Schema>, nowMs: number): Promise<void> {
  const first = await trx
    .selectFrom('jobs')
    .select(['id', 'service', 'effect'])
    .where('kind', 'in', [...messageKinds])
    .where((eb) => eb.not(behindAnother(eb)))
    .execute();
  for (const job of first)
    for (const id of messagesOf(job))
      await trx
        .insertInto('messages')
        .values({ id, ...posting, at: nowMs })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
}

/** Its own message, and the card in whose thread it stands: that is posted first where it is not there. */
function messagesOf({ id, service, effect: text }: Pick<Selectable<JobTable>, 'id' | 'service' | 'effect'>): string[] {
  const effect = JSON.parse(text) as Effect;
  if (effect.kind !== 'card' && effect.kind !== 'say' && effect.kind !== 'report') return [];
  return [...new Set([cardMessageId(effect.card), messageIdOf({ id, service }, effect)])];
}
