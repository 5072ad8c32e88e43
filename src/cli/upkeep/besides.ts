import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const files = { instance: 'instance', operators: 'operators.json' } as const;

/** What lies beside a database file, by the name it has among its settings: the installation's name, and what operators were told. */
export function besides(database: string): Partial<Record<keyof typeof files, string>> {
  return Object.fromEntries(
    Object.entries(files).flatMap(([setting, name]) => {
      const path = join(dirname(database), name);
      return existsSync(path) ? [[setting, readFileSync(path, 'utf8').trim()]] : [];
    }),
  );
}
