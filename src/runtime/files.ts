import { type Stats, statSync } from 'node:fs';

/** The database's files as they lie on disk now; null: as they should, else what became of them, with what to do. */
export type FilesCheck = () => string | null;

/**
 * Whoever holds a file open writes on into it although it was deleted, and what is written is gone with the process: SQLite does
 * not notice. Looks by name whether what is there is what was opened; some microseconds a look.
 */
export function filesOf(database: string): FilesCheck {
  const files = ['', '-wal'].map((suffix) => new KnownFile(`${database}${suffix}`));
  return () => {
    for (const file of files) {
      const became = file.became();
      if (became !== null)
        return `${file.path} ${became} while Lastgood runs, and what is written now would be lost: nothing is decided any more. Stop Lastgood, keep what is left, restore the last backup (lastgood restore), and start it.`;
    }
    return null;
  };
}

class KnownFile {
  readonly path: string;
  #known: Stats | null = null;

  constructor(path: string) {
    this.path = path;
  }

  became(): string | null {
    const found = statSync(this.path, { throwIfNoEntry: false }) ?? null;
    const known = this.#known;
    if (known === null) {
      // The log is made with the first commit.
      this.#known = found;
      return null;
    }
    if (found === null) return 'was deleted or moved away';
    if (found.ino !== known.ino || found.dev !== known.dev) return 'was replaced';
    // Neither ever shrinks: what is free is used again, and the log is written over from its beginning. What was written since the
    // last look may have made a log that was cut longer again: then only the next start tells.
    if (found.size < known.size) return 'was cut short';
    this.#known = found;
    return null;
  }
}
