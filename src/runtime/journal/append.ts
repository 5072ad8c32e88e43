import type { Transaction } from 'kysely';
import type { JournalEntry } from '../../domain/effect.ts';
import { StoreConflict } from '../../ports/store.ts';
import type { Engine } from '../engine.ts';
import type { Schema } from '../schema.ts';
import { beginning, linkHash } from './hash.ts';

/**
 * Appends to the chain of one service, in the unit's own transaction. One chain a service, not one of all: services are decided on
 * side by side, and one chain would make every commit wait for every other. The chain's end is moved first and only from where it
 * was read, so two writers never hang a row on the same one: the second waits, and where there was no chain yet
 * it is a StoreConflict, and tried again.
 */
export async function appendToJournal(
  trx: Transaction<Schema>,
  engine: Engine,
  service: string,
  entries: readonly JournalEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  const end = await engine
    .forUpdate(trx.selectFrom('journal_chains').select(['position', 'hash']).where('service', '=', service))
    .executeTakeFirst();
  let hash = end?.hash ?? beginning;
  let position = Number(end?.position ?? 0);
  const rows = entries.map((entry) => {
    position += 1;
    const link = {
      service,
      position,
      rollout_id: entry.rolloutId,
      degradation_id: entry.degradationId,
      at: entry.atMs,
      entry: JSON.stringify(entry),
    };
    hash = linkHash(hash, link);
    return { ...link, hash };
  });
  const moved = end
    ? (
        await trx
          .updateTable('journal_chains')
          .set({ position, hash })
          .where('service', '=', service)
          .where('position', '=', end.position)
          .executeTakeFirst()
      ).numUpdatedRows
    : (
        await trx
          .insertInto('journal_chains')
          .values({ service, position, hash, pruned_position: 0, pruned_hash: beginning })
          .onConflict((conflict) => conflict.column('service').doNothing())
          .executeTakeFirst()
      ).numInsertedOrUpdatedRows;
  if (Number(moved) !== 1) throw new StoreConflict(`Somebody else wrote into the journal of ${service} first.`);
  for (const row of rows) await trx.insertInto('journal').values(row).execute();
}
