import type { Kysely } from 'kysely';
import { beginning, linkHash } from '../journal/hash.ts';
import type { Migration } from './migration.ts';

/** Rows read at a time: all of an old journal need not fit into memory. */
const PAGE = 1_000;

/** Every row of the journal hangs on the one before it of its service; those written before this are chained as they are found. */
export const journalChain: Migration = {
  number: 3,
  name: 'journal-chain',
  async up(db) {
    await db.schema
      .alterTable('journal')
      .addColumn('position', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
    await db.schema
      .alterTable('journal')
      .addColumn('hash', 'text', (c) => c.notNull().defaultTo(''))
      .execute();
    await db.schema
      .createTable('journal_chains')
      .addColumn('service', 'text', (c) => c.primaryKey().notNull())
      .addColumn('position', 'integer', (c) => c.notNull())
      .addColumn('hash', 'text', (c) => c.notNull())
      .addColumn('pruned_position', 'integer', (c) => c.notNull())
      .addColumn('pruned_hash', 'text', (c) => c.notNull())
      .execute();
    await chain(db as Kysely<Chained>);
    await db.schema.createIndex('journal_position').on('journal').columns(['service', 'position']).unique().execute();
  },
};

interface Chained {
  journal: {
    seq: number;
    service: string;
    rollout_id: string | null;
    degradation_id: string | null;
    at: number;
    entry: string;
    position: number;
    hash: string;
  };
  journal_chains: {
    service: string;
    position: number;
    hash: string;
    pruned_position: number;
    pruned_hash: string;
  };
}

async function chain(db: Kysely<Chained>): Promise<void> {
  const ends = new Map<string, { position: number; hash: string }>();
  for (let after = -1; ; ) {
    const rows = await db
      .selectFrom('journal')
      .selectAll()
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(PAGE)
      .execute();
    for (const row of rows) {
      const end = ends.get(row.service) ?? { position: 0, hash: beginning };
      const position = end.position + 1;
      const hash = linkHash(end.hash, { ...row, position });
      await db.updateTable('journal').set({ position, hash }).where('seq', '=', row.seq).execute();
      ends.set(row.service, { position, hash });
    }
    const last = rows.at(-1);
    if (!last) break;
    after = last.seq;
  }
  for (const [service, end] of ends) {
    await db
      .insertInto('journal_chains')
      .values({ service, ...end, pruned_position: 0, pruned_hash: beginning })
      .execute();
  }
}
