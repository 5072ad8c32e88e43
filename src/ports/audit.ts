import type { JournalEntry } from '../domain/effect.ts';

/** A service's journal up to one row, in one value: kept elsewhere, it shows later whether anything up to there was changed. */
export interface Anchor {
  readonly service: string;
  /** The row's number in the journal of its service, from 1. */
  readonly position: number;
  /** SHA-256, hexadecimal: of that row and, through it, of every row before. */
  readonly hash: string;
}

/** Where a journal stops being what was written. `position` is the first row concerned. */
export interface ChainBreak {
  readonly kind: 'changed' | 'missing' | 'inserted' | 'not-as-anchored';
  readonly position: number;
  /** A sentence for the reader. */
  readonly detail: string;
}

export interface ChainReport {
  readonly service: string;
  /** Rows looked at. */
  readonly rows: number;
  /** Rows up to this one were let go by the retention; 0: none. */
  readonly prunedPosition: number;
  /** The newest row; null: every row was let go, or none ever was. */
  readonly anchor: Anchor | null;
  /** Anchors given for this service that lie within what was let go, and so show nothing any more. */
  readonly anchorsPruned: readonly Anchor[];
  /** Null: nothing was changed. */
  readonly problem: ChainBreak | null;
}

/** One row of the journal with its place in the chain. */
export interface ChainedEntry {
  readonly service: string;
  readonly position: number;
  readonly hash: string;
  readonly entry: JournalEntry;
}

export interface Pruned {
  readonly service: string;
  readonly rows: number;
  /** The last row let go. */
  readonly upTo: Anchor;
}

/** The journal as evidence: every row carries a hash over itself and the row before it of the same service. */
export interface Audit {
  /** Walks the chains; null: of every service. A service of an anchor that has no journal is a problem. */
  verify(query: { service: string | null; anchors: readonly Anchor[] }): Promise<readonly ChainReport[]>;
  /** Oldest first within a service. */
  entries(query: { service: string | null }): AsyncIterable<ChainedEntry>;
  /**
   * Lets go of what is older than `beforeMs`, from each service's beginning on, and keeps the hash of the last row let go: what
   * stays can be verified from there. What belongs to a rollout or a degradation that is not over stays.
   */
  prune(beforeMs: number): Promise<readonly Pruned[]>;
}
