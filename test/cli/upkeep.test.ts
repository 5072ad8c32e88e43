import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { instanceName } from '../../src/app/instance.ts';
import { runCli } from '../../src/cli/run.ts';
import type { Store } from '../../src/ports/store.ts';
import { openStore } from '../../src/runtime/store.ts';
import { createUpkeepDoor, upkeepSocket } from '../../src/server/upkeep.ts';
import { append, entry } from '../runtime/audit.contract.ts';
import { enqueue, newJob, saveState, service, state } from '../runtime/support.ts';

let directory: string;
let ending: (() => Promise<void>)[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lg-upkeep-'));
  ending = [];
});
afterEach(async () => {
  for (const end of ending.reverse()) await end();
  rmSync(directory, { recursive: true, force: true });
});

async function lastgood(argv: string[], dataDir = join(directory, 'data')) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(argv, {
    env: { DATA_DIR: dataDir },
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    colours: false,
    stopRequested: () => Promise.resolve('SIGTERM'),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

async function filled(): Promise<Store> {
  mkdirSync(join(directory, 'data'), { recursive: true });
  const store = await openStore(join(directory, 'data', 'lastgood.db'));
  await saveState(store, state());
  await append(store, service, entry('one'), entry('two'), entry('three'));
  await append(store, 'other', entry('else'));
  await enqueue(store, newJob());
  return store;
}

/** As an instance has it: open, with the door for the commands. */
async function running(): Promise<Store> {
  const store = await filled();
  const door = createUpkeepDoor({ dataDir: join(directory, 'data'), store, random: { id: () => 'x1' } });
  expect(await door.open()).toEqual({ problem: null });
  ending.push(
    () => store.close(),
    () => door.close(),
  );
  return store;
}

async function stopped(): Promise<void> {
  await (await filled()).close();
}

function tamper(statement: string, file = join(directory, 'data', 'lastgood.db')): void {
  const database = new DatabaseSync(file);
  database.exec(statement);
  database.close();
}

describe.each([
  ['a running instance', async () => void (await running())],
  ['a stopped one', stopped],
])('%s', (_what, begin) => {
  beforeEach(begin);

  it('is backed up into a file that can be verified and restored elsewhere', async () => {
    const file = join(directory, 'copy.db');
    expect(await lastgood(['backup', file])).toMatchObject({ code: 0, err: '' });
    expect(await lastgood(['audit', 'verify', '--database', file])).toMatchObject({ code: 0, err: '' });
    const elsewhere = join(directory, 'elsewhere');
    const restored = await lastgood(['restore', file], elsewhere);
    expect(restored).toMatchObject({ code: 0, err: '' });
    expect(restored.out).toContain('1 service, 4 journal entries and 1 job');
    const again = await openStore(join(elsewhere, 'lastgood.db'));
    expect(await again.load(service)).toMatchObject({ version: 1 });
    expect(await again.jobs.pending()).toBe(1);
    await again.close();
    // Nothing is left lying about.
    expect(existsSync(join(directory, 'data', 'backup-x1.db'))).toBe(false);
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  it('does not overwrite a file with a backup', async () => {
    const file = join(directory, 'mine.txt');
    writeFileSync(file, 'mine');
    expect(await lastgood(['backup', file])).toMatchObject({
      code: 1,
      err: expect.stringContaining('is there already'),
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('says what is in the way of a backup', async () => {
    const { code, err } = await lastgood(['backup', join(directory, 'missing', 'copy.db')]);
    expect([code, err]).toEqual([1, expect.stringMatching(/could not be written to .*missing/)]);
  });

  it('is verified, and says anchors that are held against it later', async () => {
    const first = await lastgood(['audit', 'verify']);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toContain('The journal is as it was written: 4 rows of 2 services.');
    const kept = join(directory, 'anchors.txt');
    writeFileSync(kept, first.out);
    expect(await lastgood(['audit', 'verify', '--anchor', kept])).toMatchObject({ code: 0 });
    const anchor = /fraud-scorer:3:[0-9a-f]{64}/.exec(first.out)?.[0] ?? '';
    const wrong = await lastgood(['audit', 'verify', '--anchor', anchor.replace(/.{8}$/, '00000000')]);
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('not-as-anchored, row 3') });
    expect(await lastgood(['audit', 'verify', '--service', 'other', '--anchor', anchor])).toMatchObject({ code: 2 });
  });

  it('gives its journal as JSON lines', async () => {
    const { code, out } = await lastgood(['journal', 'export', '--service', service]);
    const lines = out.split('\n').map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(lines.map((line) => [line.service, line.position, line.entry.text])).toEqual([
      [service, 1, 'one'],
      [service, 2, 'two'],
      [service, 3, 'three'],
    ]);
    expect(lines[0].hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is not restored over', async () => {
    const file = join(directory, 'copy.db');
    await lastgood(['backup', file]);
    const { code, err } = await lastgood(['restore', file]);
    expect([code, err]).toEqual([1, expect.stringMatching(/was left as it is|in use by another process/)]);
    expect(await lastgood(['audit', 'verify'])).toMatchObject({ code: 0 });
  });
});

describe('lastgood audit verify', () => {
  it('names the first row that was changed, and of which service', async () => {
    await stopped();
    tamper("UPDATE journal SET entry = replace(entry, 'two', 'TWO') WHERE position = 2");
    const { code, out, err } = await lastgood(['audit', 'verify']);
    expect(code).toBe(1);
    expect(err).toContain('fraud-scorer: Row 2 is not what was written');
    expect(out).toContain('other: 1 rows, anchor other:1:');
  });

  it('is not understood without its word, and says where there is no database', async () => {
    expect(await lastgood(['audit'])).toMatchObject({ code: 2 });
    expect(await lastgood(['audit', 'check'])).toMatchObject({ code: 2 });
    expect(await lastgood(['audit', 'verify'])).toMatchObject({ code: 1, err: expect.stringContaining('DATA_DIR') });
    expect(existsSync(join(directory, 'data', 'lastgood.db'))).toBe(false);
  });

  it('does not take a socket left behind for an instance', async () => {
    await running();
    await ending.pop()?.();
    await ending.pop()?.();
    writeFileSync(upkeepSocket(join(directory, 'data')), '');
    const { code } = await lastgood(['audit', 'verify']);
    expect(code).toBe(0);
  });
});

describe('lastgood restore', () => {
  it('takes an empty database for none, and leaves what is not sound', async () => {
    await stopped();
    const file = join(directory, 'copy.db');
    await lastgood(['backup', file]);
    const empty = join(directory, 'empty');
    await (await openStore(join(empty, 'lastgood.db'))).close();
    expect(await lastgood(['restore', file], empty)).toMatchObject({ code: 0 });
    const bytes = readFileSync(file);
    bytes.fill(7, 4096, 12_288);
    writeFileSync(file, bytes);
    const fresh = join(directory, 'fresh');
    expect(await lastgood(['restore', file], fresh)).toMatchObject({
      code: 1,
      err: expect.stringContaining('is not a sound backup'),
    });
    expect(existsSync(join(fresh, 'lastgood.db'))).toBe(false);
    expect(await lastgood(['restore', join(directory, 'none.db')], fresh)).toMatchObject({ code: 1 });
  });
});

describe('the name of the installation', () => {
  const named = async (name: string | null, setting: string | null) => {
    const store = await filled();
    if (setting !== null) await store.settings.set('instance', setting);
    await store.close();
    if (name !== null) writeFileSync(join(directory, 'data', 'instance'), `${name}\n`);
    const file = join(directory, 'copy.db');
    expect(await lastgood(['backup', file])).toMatchObject({ code: 0, err: '' });
    return file;
  };
  const random = { id: () => 'fresh' };
  const begunWith = async (dataDir: string) => {
    const store = await openStore(join(dataDir, 'lastgood.db'));
    const name = await instanceName(dataDir, store.settings, random);
    await store.close();
    return { name, beside: readFileSync(join(dataDir, 'instance'), 'utf8') };
  };

  it.each([
    ['as the database has it', null, 'lastgood-prod'],
    ['as only the file has it, where it was never started since', 'lastgood-prod', null],
  ])('goes with a backup %s, and stands against that of where it is restored', async (_, name, setting) => {
    const file = await named(name, setting);
    const elsewhere = join(directory, 'elsewhere');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'instance'), 'lastgood-other\n');
    const { code, out } = await lastgood(['restore', file], elsewhere);
    expect([code, out]).toEqual([0, expect.stringContaining('goes on as lastgood-prod')]);
    expect(await begunWith(elsewhere)).toEqual({ name: 'lastgood-prod', beside: 'lastgood-prod\n' });
  });

  it('is asked for where the backup does not hold it, and the file of then does', async () => {
    const file = await named(null, null);
    // As it was before there were settings.
    tamper('DROP TABLE settings; DROP TABLE duties; ALTER TABLE schema_migrations DROP COLUMN needs', file);
    tamper('DELETE FROM schema_migrations WHERE number = 4', file);
    const elsewhere = join(directory, 'elsewhere');
    expect((await lastgood(['restore', file], elsewhere)).out).toContain('put the file `instance` of then');
    const third = join(directory, 'third');
    mkdirSync(third);
    writeFileSync(join(third, 'instance'), 'lastgood-prod\n');
    expect((await lastgood(['restore', file], third)).out).toContain('lastgood-prod is beside it');
  });

  it('is taken over from a file, made once, and the same ever after', async () => {
    const old = join(directory, 'old');
    mkdirSync(old);
    writeFileSync(join(old, 'instance'), 'lastgood-old\n');
    expect((await begunWith(old)).name).toBe('lastgood-old');
    rmSync(join(old, 'instance'));
    expect(await begunWith(old)).toEqual({ name: 'lastgood-old', beside: 'lastgood-old\n' });
    expect((await begunWith(join(directory, 'new'))).name).toBe('lastgood-fresh');
  });
});

describe('the socket of an instance', () => {
  it('lies where only its user gets, and is no reason not to start', async () => {
    await running();
    expect(statSync(join(directory, 'data', 'run')).mode & 0o777).toBe(0o700);
    const store = await openStore(':memory:');
    const dataDir = join(directory, 'x'.repeat(120));
    const door = createUpkeepDoor({ dataDir, store, random: { id: () => 'x' } });
    expect((await door.open()).problem).toContain('too long');
    await door.close();
    await store.close();
  });
});
