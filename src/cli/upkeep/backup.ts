import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { markRestored } from '../../application/restored.ts';
import { loadStorePlace } from '../../config.ts';
import { BackupRefused, inWords, restoreDatabase } from '../../runtime/backup.ts';
import { openPostgresStore } from '../../runtime/postgres/open.ts';
import { type CliCommand, type Io, parse, UsageError } from '../command.ts';
import { besides } from './besides.ts';
import { databaseFile, reachStore, Unreachable } from './reach.ts';
import { said } from './said.ts';

export const backup: CliCommand = {
  name: 'backup',
  usage: 'FILE',
  summary: 'a copy of the database as it is at one moment, also of a running instance',
  run: (args, io) =>
    said(io, async () => {
      const { positionals } = parse(args, {}, ['FILE']);
      const file = resolve(positionals[0] ?? '');
      if (existsSync(file))
        throw new BackupRefused(`${file} is there already, and was left as it is: name another file.`);
      const store = await reachStore(io, undefined);
      try {
        if ('into' in store.backup) await store.backup.into(file);
        else await writeWhole(await store.backup.stream(), file);
      } finally {
        await store.close();
      }
      io.out(`The database is in ${file}. lastgood audit verify --database ${file} shows that its journal is whole.`);
      return 0;
    }),
};

export const restore: CliCommand = {
  name: 'restore',
  usage: 'FILE | --done',
  summary:
    'put a backup in the place of a database that is missing or empty, never over one that holds anything; --done: pg_restore did so',
  run: (args, io) =>
    said(io, async () => {
      const isDone = args.includes('--done');
      const { positionals } = parse(args, { done: { type: 'boolean' } }, isDone ? [] : ['FILE']);
      if (isDone) await markDone(io);
      else await putBack(io, positionals[0] ?? '');
      io.out('What was under way when it was backed up stands still after the start, until a person goes on.');
      return 0;
    }),
};

async function putBack(io: Io, backupFile: string): Promise<void> {
  const target = databaseFile(io);
  await mkdir(dirname(target), { recursive: true });
  const contents = await restoreDatabase(backupFile, target, (store) => markRestored(store, randomUUID()));
  io.out(`${target} is restored: ${inWords(contents)}.`);
  for (const line of whoseWords(contents.instance, besides(target).instance ?? null)) io.out(line);
}

/** PostgreSQL is put back with its own tools: what follows from it has to be said. */
async function markDone(io: Io): Promise<void> {
  const { databaseUrl } = loadStorePlace(io.env);
  if (databaseUrl === null)
    throw new UsageError('--done is for PostgreSQL, and DATABASE_URL is missing: name the FILE.');
  const { store } = await openPostgresStore(databaseUrl, { onProblem: () => undefined }).catch((error: unknown) => {
    throw new Unreachable(error instanceof Error ? error.message : String(error), { cause: error });
  });
  try {
    await markRestored(store, randomUUID());
  } finally {
    await store.close();
  }
}

/** Under another name, what it had opened in PagerDuty and silenced is a stranger's to it. */
function whoseWords(instance: string | null, beside: string | null): readonly string[] {
  if (instance !== null) return [`It goes on as ${instance}: its PagerDuty incidents and silences are still its own.`];
  if (beside !== null) return [`The backup does not hold the installation's name; ${beside} is beside it, and stays.`];
  return [
    "The backup does not hold the installation's name: put the file `instance` of then into DATA_DIR before the start, or PagerDuty incidents and silences of before are not its own.",
  ];
}

/** The file is there when all of it is, on disk. Rejects where the sender ends early. */
async function writeWhole(stream: Readable, file: string): Promise<void> {
  const unfinished = `${file}.part`;
  try {
    const handle = await open(unfinished, 'wx', 0o600);
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) await handle.write(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    const why = error instanceof Error ? error.message : String(error);
    throw new BackupRefused(`The backup could not be written to ${file}: ${why}.`, { cause: error });
  }
}
