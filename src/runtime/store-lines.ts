import type { Transaction } from 'kysely';
import type { WaitingLine } from '../ports/store.ts';
import { atMost } from './compiled.ts';
import type { Engine } from './engine.ts';
import type { Schema } from './schema.ts';

/** Lines of a thread that are not said yet, newest first. Nobody begins one of them before the unit is over. */
export async function waitingLines(
  trx: Transaction<Schema>,
  engine: Engine,
  lane: string,
  most: number,
): Promise<readonly WaitingLine[]> {
  const rows = await engine
    .forUpdate(
      trx
        .selectFrom('jobs')
        .select(['key', 'effect', 'owner'])
        .where('lane', '=', lane)
        .where('kind', '=', 'say')
        .orderBy('priority', 'desc')
        .orderBy('id', 'desc')
        .limit(atMost(most)),
    )
    .execute();
  return rows.map(({ key, effect, owner }) => ({
    key,
    effect: JSON.parse(effect) as WaitingLine['effect'],
    isRunning: owner !== null,
  }));
}
