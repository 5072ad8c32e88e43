import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Settings } from '../ports/store.ts';

/** Where it is written down what operators were told. */
export interface OperatorsMemory {
  /** For messages about it. */
  readonly name: string;
  /** Null: nothing was written yet. */
  read(): Promise<string | null>;
  write(text: string): Promise<void>;
}

export function inFile(file: string): OperatorsMemory {
  return {
    name: file,
    async read() {
      try {
        return await readFile(file, 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw error;
      }
    },
    /** Whole or not at all: a crash in the middle leaves the file of before. */
    async write(text) {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    },
  };
}

const setting = 'operators';

/** In the database, for whichever replica tells them next. */
export function inSettings(settings: Settings): OperatorsMemory {
  return {
    name: `the setting ${setting} in the database`,
    read: () => settings.get(setting),
    write: (text) => settings.set(setting, text),
  };
}
