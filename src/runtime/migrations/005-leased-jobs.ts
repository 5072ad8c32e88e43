import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Which lease ends next is asked many times a second, and only a few of tens of thousands of jobs are leased. */
export const leasedJobs: Migration = {
  number: 5,
  name: 'leased jobs',
  async up(db) {
    await db.schema
      .createIndex('jobs_leased')
      .on('jobs')
      .columns(['lease_until'])
      .where(sql.ref('owner'), 'is not', null)
      .execute();
  },
};
