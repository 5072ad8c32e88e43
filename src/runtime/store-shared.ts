import type { Kysely } from 'kysely';
import type { Duties, Settings } from '../ports/store.ts';
import { compiled } from './compiled.ts';
import type { Schema } from './schema.ts';

export function createDuties(db: Kysely<Schema>): Duties {
  type Hold = [duty: string, owner: string, until: number, nowMs: number];
  const hold = compiled<Hold, unknown>(4, (duty, owner, until, nowMs) =>
    db
      .insertInto('duties')
      .values({ duty, owner, until })
      .onConflict((conflict) =>
        conflict
          .column('duty')
          .doUpdateSet({ owner, until })
          .where((eb) => eb.or([eb('duties.owner', '=', owner), eb('duties.until', '<=', nowMs)])),
      ),
  );
  return {
    async hold(duty, { owner, nowMs, leaseMs }) {
      const { numAffectedRows } = await db.executeQuery(hold(duty, owner, nowMs + leaseMs, nowMs));
      return Number(numAffectedRows) > 0;
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
