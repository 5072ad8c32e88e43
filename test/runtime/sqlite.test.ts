import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/runtime/store.ts';
import { storeContract } from './store.contract.ts';
import { sharedStoreContract } from './store-shared.contract.ts';
import { event, newJob, service } from './support.ts';

storeContract('SQLite in memory', () => openStore(':memory:'));
sharedStoreContract('SQLite in memory, shared', () => openStore(':memory:'));

let directory: string;
let children: ChildProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lastgood-store-'));
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  children = [];
  rmSync(directory, { recursive: true, force: true });
});
const file = () => join(directory, 'lastgood.db');

function run(script: string, ...args: string[]) {
  const path = new URL(script, import.meta.url).pathname;
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, line: async () => String((await lines.next()).value) };
}

function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

describe('SQLite in a file', () => {
  storeContract('contract', () => openStore(join(directory, 'contract.db')));

  it('is made with its directory, and everything is there after a restart', async () => {
    const path = join(directory, 'a', 'b', 'lastgood.db');
    const store = await openStore(path);
    await store.transaction(async (unit) => {
      await unit.insertEvent(event('e1'));
      await unit.enqueue(newJob());
    });
    await store.close();
    const again = await openStore(path);
    expect(await again.transaction((unit) => unit.insertEvent(event('e1')))).toBe(false);
    expect(await again.jobs.pending()).toBe(1);
    await again.close();
  });

  it('never uses a job number twice, also after the last job is done and a restart', async () => {
    const claimOne = async () => {
      const store = await openStore(file());
      await store.transaction((unit) => unit.enqueue(newJob()));
      const [job] = await store.jobs.claim({ owner: 'a', nowMs: newJob().dueAtMs, leaseMs: 1, limit: 1 });
      await store.jobs.complete(job!.lease);
      await store.close();
      return job!.id;
    };
    expect(await claimOne()).not.toBe(await claimOne());
  });

  it('belongs to one process: a second is refused with the file named, until the first is gone, however it went', async () => {
    const holder = run('./child-open.ts', 'hold', file());
    expect(await holder.line()).toBe('open');
    const second = await run('./child-open.ts', 'try', file()).line();
    expect(second).toMatch(/^refused: .*in use by another process/);
    expect(second).toContain(file());
    await kill(holder.child);
    expect(await run('./child-open.ts', 'try', file()).line()).toBe('open');
  });

  it('of a newer version is refused, and left as it was', async () => {
    await (await openStore(file())).close();
    const database = new DatabaseSync(file());
    database.exec("INSERT INTO schema_migrations VALUES (999, 'from the future', 0, 999)");
    database.close();
    await expect(openStore(file())).rejects.toThrow(
      /newer Lastgood \(schema 999, which needs 999; this one knows \d+\)/,
    );
  });

  it('that is no database is refused in words', async () => {
    writeFileSync(file(), 'Dear diary, this is quite certainly not a database file.'.repeat(50));
    await expect(openStore(file())).rejects.toThrow(`The file ${file()} is not a sound SQLite database`);
    await expect(openStore(directory)).rejects.toThrow(`The database file ${directory} cannot be opened`);
  });

  it('loses nothing acknowledged when its process is killed in the middle of writing', async () => {
    let acknowledged = 0;
    for (let round = 0; round < 3; round += 1) {
      const writer = run('./child-write.ts', file());
      const enough = acknowledged + 150 + round * 37;
      while (acknowledged < enough) acknowledged = Number(await writer.line());
      const dead = kill(writer.child);
      for (let line = await writer.line(); line !== 'undefined'; line = await writer.line())
        acknowledged = Number(line);
      await dead;
      const store = await openStore(file());
      const reached = (await store.load(service))?.state.sequence ?? 0;
      expect(reached).toBeGreaterThanOrEqual(acknowledged);
      // One unit may have been committed and not yet acknowledged; none is there by halves.
      expect(reached).toBeLessThanOrEqual(acknowledged + 1);
      expect(await store.jobs.pending()).toBe(reached);
      for (const n of [1, acknowledged, reached]) {
        expect(await store.transaction((unit) => unit.insertEvent(event(`e${n}`)))).toBe(false);
      }
      await store.close();
    }
  });
});
