import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/**
 * The most urgent of those that are due are found at once, however many wait: thousands of looks, timers or lines that are due, and
 * for which there is no place, were read and sorted at every claim. And which of a kind is due next, whenever there is nothing to do.
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
    await db.schema
      .createIndex('jobs_next')
      .on('jobs')
      .columns(['kind', 'due_at'])
      .where(sql.ref('owner'), 'is', null)
      .execute();
  },
};
