import { counted, type Migration } from './migration.ts';

/** Alerts whose sender was told that they are stored, and that wait for their service's turn to be decided on. */
export const acceptedAlerts: Migration = {
  number: 6,
  name: 'accepted alerts',
  async up(db, engine) {
    await db.schema
      .createTable('accepted_alerts')
      .addColumn('id', counted(engine), (c) => (engine === 'sqlite' ? c.primaryKey().autoIncrement() : c.primaryKey()))
      .addColumn('service', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('alerts', 'text', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('accepted_alerts_at').on('accepted_alerts').columns(['at', 'id']).execute();
  },
};
