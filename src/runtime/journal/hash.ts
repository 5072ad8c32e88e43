import { createHash } from 'node:crypto';

/** What a row of the journal says, as stored. */
export interface ChainLink {
  readonly service: string;
  readonly position: number;
  readonly rollout_id: string | null;
  readonly degradation_id: string | null;
  readonly at: number;
  readonly entry: string;
}

/** The hash before the first row of a service. */
export const beginning = '0'.repeat(64);

/** Part of what is hashed: another way of hashing gets another name, and no row of the one passes for one of the other. */
const scheme = 'lastgood-journal-1';

/**
 * SHA-256 (hexadecimal) of a row and of the hash before it. The row is written as a JSON list of its columns, so that nothing can
 * move from one column into the next; the entry goes in as the text that is stored, byte for byte.
 */
export function linkHash(previous: string, link: ChainLink): string {
  const { service, position, rollout_id, degradation_id, at, entry } = link;
  // Numbers come back as text from some databases.
  const columns = [scheme, previous, service, Number(position), rollout_id, degradation_id, Number(at), entry];
  return createHash('sha256').update(JSON.stringify(columns)).digest('hex');
}
