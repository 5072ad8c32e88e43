import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/**
 * The most urgent of those that are due are found at once, however many wait: thousands of looks, timers or lines that are due, and
 * for which there is no place, were read and sorted at every claim.
 */
export const waitingJobs: Migration = {
  number: 7,
  name: 'waiting jobs',
  async up(db) {
    await db.schema
      .createIndex('jobs_waiting')
      .on('jobs')
      .columns(['kind', 'priority', 'due_at', 'id'])
      .where(sql.ref('owner'), 'is', null)
      .execute();
  },
};
