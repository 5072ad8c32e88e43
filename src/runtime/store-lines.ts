import type { Kysely, Selectable } from 'kysely';
import type { WaitingLine } from '../ports/store.ts';
import { atMost, compiled, type Runner } from './compiled.ts';
import type { Engine } from './engine.ts';
import type { JobTable, Schema } from './schema.ts';

export type LineStatement = ReturnType<typeof lineStatement>;

export function lineStatement(db: Kysely<Schema>, engine: Engine) {
  type Row = Pick<Selectable<JobTable>, 'key' | 'effect' | 'owner'>;
  return compiled<[lane: string, most: number], Row>(2, (lane, most) =>
    engine.forUpdate(
      db
        .selectFrom('jobs')
        .select(['key', 'effect', 'owner'])
        .where('lane', '=', lane)
        .where('kind', '=', 'say')
        .orderBy('priority', 'desc')
        .orderBy('id', 'desc')
        .limit(atMost(most)),
    ),
  );
}

/** Lines of a thread that are not said yet, newest first. Nobody begins one of them before the unit is over. */
export async function waitingLines(
  run: Runner,
  statement: LineStatement,
  lane: string,
  most: number,
): Promise<readonly WaitingLine[]> {
  const { rows } = await run.executeQuery(statement(lane, most));
  return rows.map(({ key, effect, owner }) => ({
    key,
    effect: JSON.parse(effect) as WaitingLine['effect'],
    isRunning: owner !== null,
  }));
}
