import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/runtime/store.ts';
import { enqueue, newJob, t0 } from './support.ts';

let directory: string;
let store: Store;
/** What SQLite was asked to prepare. */
let said: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lastgood-plans-'));
  said = [];
  store = await openStore(join(directory, 'lastgood.db'));
  await enqueue(store, newJob());
  const prepare = DatabaseSync.prototype.prepare;
  vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (this: DatabaseSync, text: string) {
    said.push(text);
    return prepare.call(this, text);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

/** How SQLite goes about what was said. */
async function plans(): Promise<readonly string[]> {
  vi.restoreAllMocks();
  await store.close();
  const database = new DatabaseSync(join(directory, 'lastgood.db'));
  try {
    return said.flatMap((text) => {
      const values = Array.from({ length: text.split('?').length - 1 }, () => 1);
      return database
        .prepare(`EXPLAIN QUERY PLAN ${text}`)
        .all(...values)
        .map(({ detail }) => String(detail));
    });
  } finally {
    database.close();
  }
}

describe('what is asked again and again, with thousands of jobs', () => {
  it('finds what is due next by an index, and sorts nothing', async () => {
    expect(await store.jobs.nextDueMs()).toBe(t0);
    const found = await plans();
    expect(found.filter((detail) => detail.includes('jobs_next')).length).toBeGreaterThan(0);
    expect(found.filter((detail) => /^SCAN jobs\b|TEMP B-TREE/.test(detail))).toEqual([]);
  });

  it('finds what can be claimed by an index, and sorts none of those that wait', async () => {
    expect(await store.jobs.claim({ owner: 'w', nowMs: t0, leaseMs: 1_000, limit: 8 })).toHaveLength(1);
    const found = await plans();
    expect(found.filter((detail) => detail.includes('jobs_waiting')).length).toBeGreaterThan(0);
    expect(found.filter((detail) => /^SCAN jobs\b/.test(detail))).toEqual([]);
    // Of those whose lease has ended: there are few.
    expect(found.filter((detail) => detail.includes('TEMP B-TREE'))).toHaveLength(1);
  });
});
