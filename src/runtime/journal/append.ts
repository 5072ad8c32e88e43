import type { Kysely } from 'kysely';
import type { JournalEntry } from '../../domain/effect.ts';
import { StoreConflict } from '../../ports/store.ts';
import { compiled, insertsOf, type Runner } from '../compiled.ts';
import type { Engine } from '../engine.ts';
import type { Schema } from '../schema.ts';
import { beginning, linkHash } from './hash.ts';

export type JournalStatements = ReturnType<typeof journalStatements>;

/** What is said to the journal in every commit, put into words once. */
export function journalStatements(db: Kysely<Schema>, engine: Engine) {
  type End = { position: number; hash: string };
  return {
    end: compiled<[service: string], End>(1, (service) =>
      engine.forUpdate(db.selectFrom('journal_chains').select(['position', 'hash']).where('service', '=', service)),
    ),
    move: compiled<[position: number, hash: string, service: string, from: number], unknown>(
      4,
      (position, hash, service, from) =>
        db
          .updateTable('journal_chains')
          .set({ position, hash })
          .where('service', '=', service)
          .where('position', '=', from),
    ),
    begin: compiled<[service: string, position: number, hash: string], unknown>(3, (service, position, hash) =>
      db
        .insertInto('journal_chains')
        .values({ service, position, hash, pruned_position: 0, pruned_hash: beginning })
        .onConflict((conflict) => conflict.column('service').doNothing()),
    ),
    insert: insertsOf('journal', db, ['service', 'position', 'rollout_id', 'degradation_id', 'at', 'entry', 'hash']),
  };
}

/**
 * Appends to the chain of one service, in the unit's own transaction. One chain a service, not one of all: services are decided on
 * side by side, and one chain would make every commit wait for every other. The chain's end is moved first and only from where it
 * was read, so two writers never hang a row on the same one: the second waits, and where there was no chain yet
 * it is a StoreConflict, and tried again.
 */
export async function appendToJournal(
  run: Runner,
  statements: JournalStatements,
  service: string,
  entries: readonly JournalEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  const end = (await run.executeQuery(statements.end(service))).rows[0];
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
    return [service, position, link.rollout_id, link.degradation_id, link.at, link.entry, hash];
  });
  const move = end ? statements.move(position, hash, service, end.position) : statements.begin(service, position, hash);
  const { numAffectedRows } = await run.executeQuery(move);
  if (Number(numAffectedRows) !== 1)
    throw new StoreConflict(`Somebody else wrote into the journal of ${service} first.`);
  await statements.insert(run, rows);
}
