import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/**
 * What is asked many times a second of tens of thousands of jobs: which lease ends next, of which there are few; and which services a
 * newer Lastgood wrote, of which there are none most of the time.
 */
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
    await db.schema.createIndex('services_schema').on('services').columns(['schema', 'service']).execute();
  },
};
