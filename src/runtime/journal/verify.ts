import type { Kysely } from 'kysely';
import type { Anchor, ChainBreak, ChainReport } from '../../ports/audit.ts';
import type { Schema } from '../schema.ts';
import { beginning, linkHash } from './hash.ts';
import { type ChainRow, readChain } from './rows.ts';

/** Walks one service's chain from where it begins and names the first row that is not as it was written. */
export async function verifyChain(
  db: Kysely<Schema>,
  service: string,
  anchors: readonly Anchor[],
): Promise<ChainReport> {
  for (;;) {
    const chain = await chainOf(db, service);
    const report = await walk(db, chain, anchors);
    // Rows let go in the middle of the walk look as if they were missing.
    const isUnchanged = (await chainOf(db, service)).prunedPosition === chain.prunedPosition;
    if (report.problem === null || isUnchanged) return report;
  }
}

interface Chain {
  readonly service: string;
  readonly position: number;
  readonly hash: string;
  readonly prunedPosition: number;
  readonly prunedHash: string;
}

async function chainOf(db: Kysely<Schema>, service: string): Promise<Chain> {
  const row = await db.selectFrom('journal_chains').selectAll().where('service', '=', service).executeTakeFirst();
  return {
    service,
    position: Number(row?.position ?? 0),
    hash: row?.hash ?? beginning,
    prunedPosition: Number(row?.pruned_position ?? 0),
    prunedHash: row?.pruned_hash ?? beginning,
  };
}

async function walk(db: Kysely<Schema>, chain: Chain, anchors: readonly Anchor[]): Promise<ChainReport> {
  const end: Walked = {
    rows: 0,
    seq: Number.NEGATIVE_INFINITY,
    position: chain.prunedPosition,
    hash: chain.prunedHash,
    hashBefore: null,
  };
  const waiting = new Map(anchors.filter((a) => a.position >= chain.prunedPosition).map((a) => [a.position, a.hash]));
  const anchored = () => {
    const expected = waiting.get(end.position);
    waiting.delete(end.position);
    return expected === undefined || expected === end.hash ? null : notAsAnchored(end.position);
  };
  let problem = anchored();
  if (problem === null) {
    for await (const row of readChain(db, chain.service)) {
      // What was written since the walk began is the next walk's.
      if (row.position > chain.position && (await chainOf(db, chain.service)).position >= row.position) break;
      problem = (await step(db, chain, end, row)) ?? anchored();
      if (problem !== null) break;
    }
  }
  problem ??= endOf(chain, end);
  const beyond = [...waiting.keys()].sort((a, b) => a - b)[0];
  if (problem === null && beyond !== undefined && beyond > end.position) {
    problem = missing(
      end.position + 1,
      `The anchor is of row ${beyond}, and the journal ends with row ${end.position}: what came after it was taken out.`,
    );
  }
  const { service, prunedPosition } = chain;
  const anchor = end.position === 0 ? null : { service, position: end.position, hash: end.hash };
  const anchorsPruned = anchors.filter((a) => a.position < prunedPosition);
  return { service, rows: end.rows, prunedPosition, anchor, anchorsPruned, problem };
}

/** How far a walk came. */
interface Walked {
  rows: number;
  seq: number;
  position: number;
  hash: string;
  /** The hash before the row walked over last; null before the first. */
  hashBefore: string | null;
}

async function step(db: Kysely<Schema>, chain: Chain, end: Walked, row: ChainRow): Promise<ChainBreak | null> {
  const expected = end.position + 1;
  if (row.position > chain.position || row.position < expected) {
    return inserted(row.position, `Row ${row.position} stands outside of the chain: it was put in.`);
  }
  if (row.position > expected) {
    const last = row.position - 1;
    const which = last === expected ? `Row ${expected} is` : `Rows ${expected} to ${last} are`;
    return missing(expected, `${which} missing.`);
  }
  const hash = linkHash(end.hash, row);
  if (hash !== row.hash) return await nature(db, chain, end, row);
  if (row.seq <= end.seq) return inserted(row.position, `Row ${row.position} was written before the row it follows.`);
  Object.assign(end, { rows: end.rows + 1, seq: row.seq, position: row.position, hash, hashBefore: end.hash });
  return null;
}

/** A row that does not fit was changed, or it or the one before it was put in and those behind were counted on. */
async function nature(db: Kysely<Schema>, chain: Chain, end: Walked, row: ChainRow): Promise<ChainBreak> {
  const { position } = row;
  const [next] = await db
    .selectFrom('journal')
    .selectAll()
    .where('service', '=', chain.service)
    .where('position', '=', position + 1)
    .execute();
  if (next && linkHash(end.hash, { ...next, position }) === next.hash) {
    return inserted(position, `Row ${position} was put in: what follows was written without it.`);
  }
  if (end.hashBefore !== null && linkHash(end.hashBefore, { ...row, position: position - 1 }) === row.hash) {
    return inserted(position - 1, `Row ${position - 1} was put in: what follows was written without it.`);
  }
  const detail = `Row ${position} is not what was written: it was changed, or what stood before it was taken out.`;
  return { kind: 'changed', position, detail };
}

function endOf(chain: Chain, end: Walked): ChainBreak | null {
  if (end.position < chain.position) {
    const which =
      end.position + 1 === chain.position
        ? `Row ${chain.position} is`
        : `Rows ${end.position + 1} to ${chain.position} are`;
    return missing(end.position + 1, `${which} missing at the end.`);
  }
  if (end.hash === chain.hash) return null;
  const detail = `Row ${end.position} is not what the end of the chain was when it was written.`;
  return { kind: 'changed', position: end.position, detail };
}

function notAsAnchored(position: number): ChainBreak {
  const detail = `Row ${position} is sound in itself, and has another hash than the anchor: the journal was written anew, up to there at least.`;
  return { kind: 'not-as-anchored', position, detail };
}

function missing(position: number, detail: string): ChainBreak {
  return { kind: 'missing', position, detail };
}

function inserted(position: number, detail: string): ChainBreak {
  return { kind: 'inserted', position, detail };
}
