import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/runtime/store.ts';
import { append, auditContract, entry } from './audit.contract.ts';

auditContract('SQLite in memory', () => openStore(':memory:'));

describe('a journal that somebody wrote into', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lastgood-audit-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  async function verifiedAfter(...statements: string[]) {
    const file = join(directory, 'lastgood.db');
    const store = await openStore(file);
    await append(store, 'a', ...[1, 2, 3, 4, 5].map((n) => entry(`entry ${n}`)));
    await store.close();
    const database = new DatabaseSync(file);
    for (const statement of statements) database.exec(statement);
    database.close();
    const again = await openStore(file);
    try {
      return (await again.audit.verify({ service: null, anchors: [] }))[0]?.problem;
    } finally {
      await again.close();
    }
  }
  const columns = 'service, rollout_id, degradation_id, at, entry, hash';

  it.each([
    ["UPDATE journal SET entry = replace(entry, 'entry 3', 'entry x') WHERE position = 3", 'changed', 3],
    ['UPDATE journal SET at = at + 1 WHERE position = 2', 'changed', 2],
    ["UPDATE journal SET degradation_id = 'd1' WHERE position = 5", 'changed', 5],
    ["UPDATE journal SET hash = replace(hash, substr(hash, 1, 1), 'g') WHERE position = 1", 'changed', 1],
    ['DELETE FROM journal WHERE position = 1', 'missing', 1],
    ['DELETE FROM journal WHERE position IN (3, 4)', 'missing', 3],
    ['DELETE FROM journal WHERE position = 5', 'missing', 5],
    ["UPDATE journal_chains SET hash = 'x'", 'changed', 5],
    [`INSERT INTO journal (position, ${columns}) SELECT 6, ${columns} FROM journal WHERE position = 5`, 'inserted', 6],
    [`INSERT INTO journal (position, ${columns}) SELECT 0, ${columns} FROM journal WHERE position = 5`, 'inserted', 0],
  ])('%s', async (statement, kind, position) => {
    expect(await verifiedAfter(statement)).toMatchObject({ kind, position });
  });

  it('names a row put in the middle, those behind it counted on', async () => {
    const problem = await verifiedAfter(
      'UPDATE journal SET position = -position WHERE position >= 3',
      'UPDATE journal SET position = 1 - position WHERE position < 0',
      `INSERT INTO journal (position, ${columns}) SELECT 3, ${columns} FROM journal WHERE position = 2`,
      'UPDATE journal_chains SET position = 6',
    );
    expect(problem).toMatchObject({ kind: 'inserted', position: 3 });
  });

  it('names the gap that was closed by counting anew', async () => {
    const problem = await verifiedAfter(
      'DELETE FROM journal WHERE position = 3',
      'UPDATE journal SET position = position - 1 WHERE position > 3',
      'UPDATE journal_chains SET position = 4',
    );
    expect(problem).toMatchObject({ kind: 'changed', position: 3, detail: expect.stringContaining('taken out') });
  });

  it('notices two rows that changed places', async () => {
    const problem = await verifiedAfter(
      'UPDATE journal SET position = -1 WHERE position = 3',
      'UPDATE journal SET position = 3 WHERE position = 4',
      'UPDATE journal SET position = 4 WHERE position = -1',
    );
    expect(problem).toMatchObject({ position: 3 });
  });

  it('chains what an older Lastgood wrote', async () => {
    const file = join(directory, 'old.db');
    const store = await openStore(file);
    const written = Array.from({ length: 1250 }, (_, n) => entry(`entry ${n}`));
    for (const name of ['a', 'b']) await append(store, name, ...written);
    await store.close();
    const database = new DatabaseSync(file);
    database.exec('DROP INDEX journal_position');
    for (const column of ['position', 'hash']) database.exec(`ALTER TABLE journal DROP COLUMN ${column}`);
    database.exec('DROP TABLE journal_chains');
    database.exec("DELETE FROM schema_migrations WHERE name = 'journal-chain'");
    database.close();
    const again = await openStore(file);
    await append(again, 'a', entry('new'));
    const reports = await again.audit.verify({ service: null, anchors: [] });
    await again.close();
    expect(reports).toMatchObject([
      { service: 'a', rows: 1251, problem: null },
      { service: 'b', rows: 1250, problem: null },
    ]);
  });
});
