import type { Kysely, Selectable } from 'kysely';
import type { Alert } from '../domain/state.ts';
import type { AcceptedAlerts, AcceptedBook } from '../ports/store.ts';
import { atMost, byShape, compiled, pieces, type Runner } from './compiled.ts';
import type { Schema } from './schema.ts';

type Row = Selectable<Schema['accepted_alerts']>;

export function acceptedStatements(db: Kysely<Schema>) {
  return {
    put: compiled<[service: string, atMs: number, alerts: string], Pick<Row, 'id'>>(3, (service, at, alerts) =>
      db.insertInto('accepted_alerts').values({ service, at, alerts }).returning('id'),
    ),
    // Asked for every few seconds, also where nothing ever waits.
    list: compiled<[beforeMs: number, limit: number], Row>(2, (beforeMs, limit) =>
      db
        .selectFrom('accepted_alerts')
        .selectAll()
        .where('at', '<', beforeMs)
        .orderBy('at')
        .orderBy('id')
        .limit(atMost(limit)),
    ),
    settle: byShape((count) =>
      compiled<number[], Pick<Row, 'id'>>(count, (...ids) =>
        db.deleteFrom('accepted_alerts').where('id', 'in', ids).returning('id'),
      ),
    ),
  };
}

export type AcceptedStatements = ReturnType<typeof acceptedStatements>;

export function createAcceptedBook(db: Kysely<Schema>, statements: AcceptedStatements): AcceptedBook {
  return {
    // In a unit of its own, which shares its flush with the others of the moment.
    put: ({ service, atMs, alerts }) =>
      db.transaction().execute(async (trx) => {
        const { rows } = await trx.executeQuery(statements.put(service, atMs, JSON.stringify(alerts)));
        const [row] = rows;
        if (!row) throw new Error('The database gave no number to alerts that it was to store.');
        return row.id;
      }),
    async list(beforeMs, limit) {
      const { rows } = await db.executeQuery(statements.list(beforeMs, limit));
      return rows.map(read);
    },
  };
}

function read({ id, service, at, alerts }: Row): AcceptedAlerts {
  return { id, service, atMs: at, alerts: JSON.parse(alerts) as Alert[] };
}

export async function settleAccepted(
  run: Runner,
  statements: AcceptedStatements,
  ids: readonly number[],
): Promise<ReadonlySet<number>> {
  const settled = new Set<number>();
  for (const some of pieces(ids)) {
    const { rows } = await run.executeQuery(statements.settle(some.length)(...some));
    for (const { id } of rows) settled.add(id);
  }
  return settled;
}
