import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/runtime/store.ts';

const PAGE_BYTES = 4_096;
const never = new AbortController().signal;

let directory: string;
let file: string;
let store: Store;

beforeEach(async () => {
  // A name that is none of an address, if it is taken for one.
  directory = mkdtempSync(join(tmpdir(), 'lastgood damage #1 ?'));
  file = join(directory, 'lastgood.db');
  store = await openStore(file);
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const keep = (from: number, to: number) =>
  store.transaction(async (unit) => {
    for (let i = from; i < to; i += 1) {
      const event = { type: 'policy_changed' } as const;
      await unit.insertEvent({ key: `${i}/${'x'.repeat(400)}`, service: 'scorer', event, atMs: i });
    }
  });
const isKept = (i: number) =>
  store.transaction((unit) =>
    unit
      .insertEvent({ key: `${i}/${'x'.repeat(400)}`, service: 'scorer', event: { type: 'policy_changed' }, atMs: 0 })
      .then((isNew) => !isNew),
  );

/** By somebody who goes around the database. */
async function overwrite(fromPage: number, pages: number): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(pages * PAGE_BYTES, 0x5a), 0, pages * PAGE_BYTES, fromPage * PAGE_BYTES);
  await handle.close();
}

describe('the embedded database is read whole while it is used', { timeout: 120_000 }, () => {
  it('is sound, also with what stands in its log only, and goes on being written meanwhile', async () => {
    await keep(0, 2_000);
    const inspection = store.inspect(never);
    await keep(2_000, 3_000);
    expect(await inspection).toEqual({ ok: true, detail: 'every page is sound' });
    expect(await isKept(2_999)).toBe(true);
    await keep(3_000, 8_000);
    expect(await store.inspect(never)).toMatchObject({ ok: true });
  });

  it('is damaged in the middle, where nothing reads just now', async () => {
    await keep(0, 3_000);
    expect(await store.inspect(never)).toMatchObject({ ok: true });
    await overwrite(200, 3);
    const found = await store.inspect(never);
    expect(found?.ok).toBe(false);
    expect(found?.detail).toMatch(/page 20[1-4]|malformed/);
    // What is not damaged is still there.
    expect(await isKept(2_999)).toBe(true);
  });

  it('keeps its file to itself: another process is refused as before', async () => {
    await store.inspect(never);
    await expect(openStore(file)).rejects.toThrow(/in use by another process/);
  });

  it('leaves off at once when asked to, and can be looked at again', async () => {
    await keep(0, 1_000);
    const ending = new AbortController();
    const inspection = store.inspect(ending.signal);
    ending.abort();
    await expect(inspection).rejects.toThrow();
    expect(await store.inspect(never)).toMatchObject({ ok: true });
  });

  it('says nothing of a database that is no file', async () => {
    const inMemory = await openStore(':memory:');
    expect(await inMemory.inspect(never)).toBeNull();
    await inMemory.close();
  });
});
