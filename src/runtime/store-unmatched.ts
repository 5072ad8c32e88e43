import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Alert } from '../domain/state.ts';
import type { UnmatchedAlert, UnmatchedBook } from '../ports/store.ts';
import type { Engine } from './engine.ts';
import type { Schema } from './schema.ts';

/** What an operator can look through; a flood of other teams' alerts must not fill the disk. */
const MOST = 1_000;

export function createUnmatchedBook(db: Kysely<Schema>, engine: Engine): UnmatchedBook {
  return {
    note: (alerts, nowMs) =>
      db.transaction().execute(async (trx) => {
        await engine.inTurn(trx, 'unmatched');
        for (const alert of alerts.slice(-MOST)) await note(trx, alert, nowMs);
        await trim(trx);
        await engine.notify(trx);
      }),
    async list(limit) {
      const rows = await newestFirst(db).limit(limit).execute();
      return rows.map(read);
    },
    toTell: (sinceMs) =>
      db.transaction().execute(async (trx) => {
        await engine.inTurn(trx, 'unmatched');
        return toTell(trx, sinceMs);
      }),
    async told(id) {
      await db.updateTable('unmatched_alerts').set({ told: 1 }).where('message', '=', id).execute();
    },
  };
}

async function note(trx: Transaction<Schema>, alert: Alert, nowMs: number): Promise<void> {
  const { fingerprint, name, summary, status, startsAtMs } = alert;
  const said = { name, summary, status, labels: JSON.stringify(alert.labels), last_seen: nowMs };
  const known = await trx
    .selectFrom('unmatched_alerts')
    .select(['starts_at', 'count', 'status'])
    .where('fingerprint', '=', fingerprint)
    .executeTakeFirst();
  // An end needs no telling: nobody can do anything about it.
  const untold = { starts_at: startsAtMs, message: null, told: status === 'firing' ? 0 : 1 };
  if (!known) {
    const row = { fingerprint, ...said, ...untold, first_seen: nowMs, count: 1 };
    await trx.insertInto('unmatched_alerts').values(row).execute();
    return;
  }
  // A late copy of what has ended, or of an earlier start, says nothing new.
  const late = startsAtMs < known.starts_at || (startsAtMs === known.starts_at && known.status === 'resolved');
  const anew = startsAtMs > known.starts_at ? untold : {};
  const news = late ? { last_seen: nowMs } : { ...said, ...anew };
  await trx
    .updateTable('unmatched_alerts')
    .set({ ...news, count: known.count + 1 })
    .where('fingerprint', '=', fingerprint)
    .execute();
}

async function trim(trx: Transaction<Schema>): Promise<void> {
  const kept = newestFirst(trx).clearSelect().select('fingerprint').limit(MOST);
  await trx.deleteFrom('unmatched_alerts').where('fingerprint', 'not in', kept).execute();
}

async function toTell(trx: Transaction<Schema>, sinceMs: number): ReturnType<UnmatchedBook['toTell']> {
  const begun = await newestFirst(trx).where('told', '=', 0).where('message', 'is not', null).execute();
  const [started] = begun;
  if (started?.message) {
    return { id: started.message, alerts: begun.filter(({ message }) => message === started.message).map(read) };
  }
  const waiting = newestFirst(trx).where('told', '=', 0).where('status', '=', 'firing');
  const rows = await waiting.where('last_seen', '>=', sinceMs).execute();
  const [first] = rows;
  if (!first) return null;
  // Told once, this start of this alert is never the first of another message.
  const id = `unmatched/${first.fingerprint}/${first.starts_at}`;
  const fingerprints = rows.map(({ fingerprint }) => fingerprint);
  await trx.updateTable('unmatched_alerts').set({ message: id }).where('fingerprint', 'in', fingerprints).execute();
  return { id, alerts: rows.map(read) };
}

function newestFirst(db: Kysely<Schema>) {
  return db.selectFrom('unmatched_alerts').selectAll().orderBy('last_seen', 'desc').orderBy('fingerprint');
}

function read(row: Selectable<Schema['unmatched_alerts']>): UnmatchedAlert {
  return {
    fingerprint: row.fingerprint,
    name: row.name,
    summary: row.summary,
    labels: JSON.parse(row.labels) as Record<string, string>,
    status: row.status === 'resolved' ? 'resolved' : 'firing',
    startsAtMs: row.starts_at,
    firstSeenMs: row.first_seen,
    lastSeenMs: row.last_seen,
    count: row.count,
  };
}
