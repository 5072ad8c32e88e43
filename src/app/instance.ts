import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../ports/clock.ts';
import type { Settings } from '../ports/store.ts';

const fileName = 'instance';
const setting = 'instance';

/**
 * This installation's name, made once and kept in its database: it tells its PagerDuty incidents and silences from those of another
 * installation on the same account, also after a restart, and after a restore elsewhere.
 *
 * The file beside the database is where versions before this one have it: a name that only it has is taken over, and it is kept in
 * step, so that going back to such a version keeps the name. Where both have one, the database's stands: a restored backup brings
 * its own.
 */
export async function instanceName(dataDir: string, settings: Settings, random: Random): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const file = join(dataDir, fileName);
  const besides = await nameBeside(dataDir);
  const name = await settings.settle(setting, besides ?? newInstanceName(random));
  if (besides !== name) {
    const fresh = `${file}.new`;
    await writeFile(fresh, `${name}\n`);
    await rename(fresh, file);
  }
  return name;
}

/** The name in the file beside the database; null: there is none. */
async function nameBeside(dataDir: string): Promise<string | null> {
  try {
    const name = (await readFile(join(dataDir, fileName), 'utf8')).trim();
    return name === '' ? null : name;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** The same name for all replicas on a shared database. */
export function sharedInstanceName(settings: Settings, random: Random): Promise<string> {
  return settings.settle(setting, newInstanceName(random));
}

function newInstanceName(random: Random): string {
  return `lastgood-${random.id()}`;
}
