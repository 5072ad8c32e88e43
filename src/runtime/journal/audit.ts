import type { Kysely } from 'kysely';
import type { JournalEntry } from '../../domain/effect.ts';
import type { Audit } from '../../ports/audit.ts';
import type { Schema } from '../schema.ts';
import { pruneJournal } from './prune.ts';
import { readChain } from './rows.ts';
import { verifyChain } from './verify.ts';

/** The journal's chains, of whatever database. */
export function createAudit(db: Kysely<Schema>): Audit {
  return {
    async verify({ service, anchors }) {
      const named = anchors.map((anchor) => anchor.service);
      const services = service === null ? [...new Set([...(await servicesOf(db)), ...named])].sort() : [service];
      const reports = [];
      for (const one of services) {
        reports.push(
          await verifyChain(
            db,
            one,
            anchors.filter((anchor) => anchor.service === one),
          ),
        );
      }
      return reports;
    },
    async *entries({ service }) {
      for (const one of service === null ? await servicesOf(db) : [service]) {
        for await (const row of readChain(db, one)) {
          const { position, hash } = row;
          yield { service: one, position, hash, entry: JSON.parse(row.entry) as JournalEntry };
        }
      }
    },
    prune: (beforeMs) => pruneJournal(db, beforeMs),
  };
}

/** Also those of which only rows are left, or only the chain's end. */
async function servicesOf(db: Kysely<Schema>): Promise<string[]> {
  const chains = await db.selectFrom('journal_chains').select('service').execute();
  const rows = await db.selectFrom('journal').select('service').distinct().execute();
  return [...new Set([...chains, ...rows].map((row) => row.service))].sort();
}
