import type { Kysely, Transaction } from 'kysely';
import type { ServiceState } from '../../domain/state.ts';
import type { Pruned } from '../../ports/audit.ts';
import type { Schema } from '../schema.ts';

/** Rows let go in one transaction: an old journal is let go in pieces, and decisions come in between. */
const PIECE = 5_000;

/** Lets go of the beginnings of the chains; see `Audit.prune`. */
export async function pruneJournal(db: Kysely<Schema>, beforeMs: number): Promise<readonly Pruned[]> {
  const pruned: Pruned[] = [];
  for (const { service } of await db.selectFrom('journal_chains').select('service').orderBy('service').execute()) {
    let rows = 0;
    for (;;) {
      const piece = await db.transaction().execute((trx) => prunePiece(trx, service, beforeMs));
      if (piece === null) break;
      rows += piece.rows;
      const same = pruned.findIndex((one) => one.service === service);
      if (same >= 0) pruned.splice(same, 1);
      pruned.push({ service, rows, upTo: piece.upTo });
    }
  }
  return pruned;
}

async function prunePiece(trx: Transaction<Schema>, service: string, beforeMs: number): Promise<Pruned | null> {
  const chain = await trx
    .selectFrom('journal_chains')
    .select('pruned_position')
    .where('service', '=', service)
    .executeTakeFirst();
  const kept = await firstKept(trx, service, beforeMs);
  let select = trx
    .selectFrom('journal')
    .select(['position', 'hash'])
    .where('service', '=', service)
    .orderBy('position')
    .limit(PIECE);
  if (kept !== null) select = select.where('position', '<', kept);
  const rows = await select.execute();
  const last = rows.at(-1);
  if (!chain || !last) return null;
  const position = Number(last.position);
  const moved = await trx
    .updateTable('journal_chains')
    .set({ pruned_position: position, pruned_hash: last.hash })
    .where('service', '=', service)
    .where('pruned_position', '=', chain.pruned_position)
    .executeTakeFirst();
  // Another instance was at it just now.
  if (Number(moved.numUpdatedRows) !== 1) return null;
  await trx.deleteFrom('journal').where('service', '=', service).where('position', '<=', position).execute();
  return { service, rows: rows.length, upTo: { service, position, hash: last.hash } };
}

/** The first row that is young enough, or belongs to what is not over; null: no row has to stay. */
async function firstKept(trx: Transaction<Schema>, service: string, beforeMs: number): Promise<number | null> {
  const under = await underWay(trx, service);
  const row = await trx
    .selectFrom('journal')
    .select((eb) => eb.fn.min('position').as('position'))
    .where('service', '=', service)
    .where((eb) =>
      eb.or([
        eb('at', '>=', beforeMs),
        ...(under.rolloutId === null ? [] : [eb('rollout_id', '=', under.rolloutId)]),
        ...(under.degradationId === null ? [] : [eb('degradation_id', '=', under.degradationId)]),
      ]),
    )
    .executeTakeFirst();
  return row?.position === null || row?.position === undefined ? null : Number(row.position);
}

async function underWay(trx: Transaction<Schema>, service: string) {
  const row = await trx.selectFrom('services').select('state').where('service', '=', service).executeTakeFirst();
  const state = row ? (JSON.parse(row.state) as ServiceState) : null;
  return { rolloutId: state?.rollout?.id ?? null, degradationId: state?.degradation?.id ?? null };
}
