import { execFile } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Kysely, sql } from 'kysely';
import type { Inspection } from '../ports/store.ts';
import type { Schema } from './schema.ts';

/** Tens of gigabytes are read in this time; meanwhile the log of the database only grows. */
const LIMIT_MS = 60_000;
/** A unit that nobody waits for may be open; it is not a moment later. */
const TRIES = 5;
/** SQLite's own number of pages after which the log is written into the file. */
const CHECKPOINT_PAGES = 1_000;

/**
 * Reads every page of the embedded database, also those that nothing would read for weeks, while it goes on being used: another
 * process at the lowest priority reads the file, and what is decided meanwhile stays in the log. Structure is looked at, not what
 * stands in it: a text that is another is found by `lastgood audit verify`.
 * @returns null where there is no file, or it could not be held still just now.
 * @throws where the file could not be read, or not in a minute.
 */
export async function inspectFile(db: Kysely<Schema>, signal: AbortSignal): Promise<Inspection | null> {
  const { rows } = await sql<{ name: string; file: string }>`PRAGMA database_list`.execute(db);
  const file = rows.find(({ name }) => name === 'main')?.file ?? '';
  if (file === '') return null;
  await sql`PRAGMA wal_autocheckpoint = 0`.execute(db);
  try {
    if (!(await isAllInFile(db))) return null;
    const said = await read(file, signal);
    return { ok: said === 'ok', detail: said === 'ok' ? 'every page is sound' : said.replaceAll('\n', ' ') };
  } finally {
    await sql.raw(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`).execute(db);
  }
}

/** Only then it is whole without its log. Takes a few milliseconds, as every thousand pages anyway. */
async function isAllInFile(db: Kysely<Schema>): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      const checkpoint = sql<{ busy: number; log: number; checkpointed: number }>`PRAGMA wal_checkpoint(PASSIVE)`;
      const [done] = (await checkpoint.execute(db)).rows;
      return done?.busy === 0 && done.log === done.checkpointed;
    } catch (error) {
      const isOpen = error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 6;
      if (!isOpen) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return false;
}

function read(file: string, signal: AbortSignal): Promise<string> {
  // Type stripping runs the source; the published package has JavaScript.
  const name = import.meta.url.endsWith('.ts') ? './damage-process.ts' : './damage-process.js';
  const script = fileURLToPath(new URL(name, import.meta.url));
  return new Promise((resolve, reject) => {
    const options = { signal, timeout: LIMIT_MS, killSignal: 'SIGKILL', env: {}, encoding: 'utf8' } as const;
    const child = execFile(process.execPath, [script, file], options, (error, said, complaint) => {
      if (!error) resolve(said.trim());
      else if (error.killed) reject(new Error(`${file} could not be read within ${LIMIT_MS / 1000} s.`));
      else reject(new Error(`${file} could not be read: ${complaint.trim().slice(0, 500)}`, { cause: error }));
    });
    lower(child.pid);
  });
}

function lower(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It is over already, or the system knows no priorities.
  }
}
