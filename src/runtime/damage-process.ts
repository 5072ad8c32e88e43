import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/**
 * A process of its own: reads every page of the file that is named, and says `ok` or what is wrong with it. The file is read as it
 * lies there, without its log and whoever has it locked: it must not change meanwhile.
 */
const file = pathToFileURL(process.argv[2] ?? '');
file.searchParams.set('immutable', '1');
/** SQLite's codes for what is no sound database, https://www.sqlite.org/rescode.html */
const damaged = [11, 26];

try {
  const database = new DatabaseSync(file, { readOnly: true });
  const found = database.prepare('PRAGMA quick_check(1)').get();
  process.stdout.write(String(found?.quick_check));
} catch (error) {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  if (!damaged.includes(code)) throw error;
  process.stdout.write(error instanceof Error ? error.message : String(error));
}
