import type { Generated } from 'kysely';
import type { EffectKind } from '../domain/effect.ts';

/** The tables, as the statements in `store*.ts` see them. Moments are Unix milliseconds; what is plain data is JSON text. */
export interface Schema {
  schema_migrations: { number: number; name: string; at: number; needs: number | null };
  services: { service: string; version: number; schema: number; state: string };
  events: { key: string; service: string; type: string; at: number; payload: string };
  jobs: JobTable;
  journal: {
    seq: Generated<number>;
    service: string;
    rollout_id: string | null;
    degradation_id: string | null;
    at: number;
    entry: string;
    /** In the journal of its service, from 1, without gaps. */
    position: number;
    /** Of this row and, through the one before it, of all before (journal/hash.ts). */
    hash: string;
  };
  /** Where each service's chain ends, and where it begins now that older rows were let go. */
  journal_chains: {
    service: string;
    position: number;
    hash: string;
    pruned_position: number;
    pruned_hash: string;
  };
  messages: {
    id: string;
    state: string;
    channel: string | null;
    ts: string | null;
    digest: string | null;
    at: number;
  };
  unmatched_alerts: {
    fingerprint: string;
    name: string;
    summary: string;
    labels: string;
    status: string;
    starts_at: number;
    first_seen: number;
    last_seen: number;
    count: number;
    /** The message in the default channel that it was put into; null: in none yet. */
    message: string | null;
    /** 1: that message stands there (or nobody has to be told). */
    told: number;
  };
  accepted_alerts: { id: Generated<number>; service: string; at: number; alerts: string };
  duties: { duty: string; owner: string; until: number };
  settings: { name: string; value: string };
  policy_revisions: { service: string; revision: string; yaml: string };
}

export interface JobTable {
  /** Never used twice: an outcome's event is named after it. */
  id: Generated<number>;
  service: string;
  key: string | null;
  lane: string | null;
  kind: string;
  effect: string;
  priority: number;
  due_at: number;
  created_at: number;
  attempt: number;
  /** Who runs it; null: it waits. */
  owner: string | null;
  lease_until: number | null;
  problem: string | null;
  progress: string | null;
}

/** Version of `ServiceState` this code reads and writes. Jobs of services whose state is newer are left to who can read it. */
export const STATE_SCHEMA = 1;

/** What this code can do; jobs of other kinds were made by a newer one, and are left to it. */
export const performedKinds: readonly EffectKind[] = [
  'shift',
  'timer',
  'measure',
  'probe',
  'silence',
  'page',
  'card',
  'say',
  'report',
];
