import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../ports/clock.ts';

const fileName = 'instance';

/**
 * This installation's name, made once and kept beside the database: it tells its PagerDuty incidents from those of another
 * installation on the same account, also after a restart.
 */
export async function instanceName(dataDir: string, random: Random): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const path = join(dataDir, fileName);
  try {
    // Fails where the file is there already, so that of two starts only one names it.
    await writeFile(path, `${newInstanceName(random)}\n`, { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}

export function newInstanceName(random: Random): string {
  return `lastgood-${random.id()}`;
}
