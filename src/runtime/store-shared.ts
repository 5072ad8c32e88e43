import type { Kysely } from 'kysely';
import type { Duties, Settings } from '../ports/store.ts';
import type { Schema } from './schema.ts';

export function createDuties(db: Kysely<Schema>): Duties {
  return {
    async hold(duty, { owner, nowMs, leaseMs }) {
      const mine = { owner, until: nowMs + leaseMs };
      const result = await db
        .insertInto('duties')
        .values({ duty, ...mine })
        .onConflict((conflict) =>
          conflict
            .column('duty')
            .doUpdateSet(mine)
            .where((eb) => eb.or([eb('duties.owner', '=', owner), eb('duties.until', '<=', nowMs)])),
        )
        .executeTakeFirst();
      return Number(result.numInsertedOrUpdatedRows) > 0;
    },
    async release(duty, owner) {
      await db.deleteFrom('duties').where('duty', '=', duty).where('owner', '=', owner).execute();
    },
    async lapsed(prefix, nowMs) {
      const rows = await db.selectFrom('duties').select('duty').where('until', '<=', nowMs).execute();
      return rows.map(({ duty }) => duty).filter((duty) => duty.startsWith(prefix));
    },
  };
}

export function createSettings(db: Kysely<Schema>): Settings {
  const get = async (name: string) => {
    const row = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst();
    return row?.value ?? null;
  };
  return {
    get,
    async set(name, value) {
      await db
        .insertInto('settings')
        .values({ name, value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
        .execute();
    },
    async settle(name, value) {
      await db
        .insertInto('settings')
        .values({ name, value })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .execute();
      return (await get(name)) ?? value;
    },
  };
}
