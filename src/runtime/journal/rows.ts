import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { ChainLink } from './hash.ts';

export interface ChainRow extends ChainLink {
  readonly seq: number;
  readonly hash: string;
}

/** Between two pages others get their turn. */
const PAGE = 1_000;

/** Every row of a service in the order of its chain. */
export async function* readChain(db: Kysely<Schema>, service: string): AsyncGenerator<ChainRow, void, undefined> {
  for (let after: number | null = null; ; ) {
    let select = db
      .selectFrom('journal')
      .select(['seq', 'service', 'position', 'rollout_id', 'degradation_id', 'at', 'entry', 'hash'])
      .where('service', '=', service)
      .orderBy('position')
      .limit(PAGE);
    if (after !== null) select = select.where('position', '>', after);
    const rows = await select.execute();
    for (const row of rows) yield { ...row, seq: Number(row.seq), position: Number(row.position), at: Number(row.at) };
    const last = rows.at(-1);
    if (!last) return;
    after = Number(last.position);
  }
}
