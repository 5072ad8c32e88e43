import type { Store } from '../ports/store.ts';
import { type FilesCheck, filesOf } from './files.ts';

/** The database cannot be used as it should: what is wrong with it, and what to do. */
export class StoreTrouble extends Error {
  override readonly name = 'StoreTrouble';
}

/** So often at most it is tried whether the database can be written, where nothing else is. */
const PROBE_EVERY_MS = 15_000;
/** A full disk takes a byte when it takes nothing else; after a write that failed, what is free by chance is not enough either. */
const PROBE_BYTES = 16_384;
const PROBE_AFTER_TROUBLE_BYTES = 524_288;
const PROBE = 'write-probe';

/**
 * SQLite's own codes in words (https://www.sqlite.org/rescode.html); null: it is no trouble of the database.
 * @param file named in the words, so that the reader knows where to look.
 */
export function troubleOf(error: unknown, file: string): StoreTrouble | null {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  const words = wordsOf(code, file);
  return words === null ? null : new StoreTrouble(words, { cause: error });
}

function wordsOf(code: number, file: string): string | null {
  switch (code) {
    case 8:
      return `The database ${file} can only be read. Give this user write access to the file and to its directory; Lastgood goes on by itself then.`;
    case 10:
      return `The disk below the database ${file} fails (input/output error). Look at the system's log; then restart Lastgood on a sound disk.`;
    case 11:
    case 26:
      return `The database ${file} is damaged. Stop Lastgood, keep the file, restore the last backup (lastgood restore), and look at the disk.`;
    case 13:
      return `The disk of the database ${file} is full. Free space there; Lastgood goes on by itself then, and what was refused is sent again.`;
    case 14:
      return `The database ${file} cannot be opened any more. Its directory was taken away or may not be read: put it back, and restart Lastgood.`;
    default:
      return null;
  }
}

/**
 * The embedded store, telling its troubles in words. That it can be read says little of a disk that is full: `jobs.pending`, which is
 * what health and readiness ask for, rejects for as long as it cannot be written. Nothing is committed into files that are not there
 * any more under their names.
 */
export function tellingTrouble(
  store: Store,
  file: string,
  { now = () => performance.now(), files = filesOf(file) }: { now?: () => number; files?: FilesCheck } = {},
): Store {
  let trouble: StoreTrouble | null = null;
  let probedMs = Number.NEGATIVE_INFINITY;
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      const found = troubleOf(error, file);
      if (found === null) throw error;
      trouble = found;
      throw found;
    }
  };
  const onSolidGround = () => {
    const became = files();
    if (became !== null) throw new StoreTrouble(became);
  };
  const probe = async () => {
    const bytes = trouble === null ? PROBE_BYTES : PROBE_AFTER_TROUBLE_BYTES;
    await told(store.settings.set(PROBE, 'x'.repeat(bytes)));
    await told(store.settings.set(PROBE, ''));
    trouble = null;
  };
  const jobs = telling(store.jobs, told);
  return {
    ...telling(store, told),
    transaction: async (work) => {
      onSolidGround();
      return told(store.transaction(work));
    },
    jobs: {
      ...jobs,
      async pending() {
        onSolidGround();
        if (trouble !== null || now() - probedMs >= PROBE_EVERY_MS) {
          probedMs = now();
          await probe();
        }
        return jobs.pending();
      },
    },
    messages: telling(store.messages, told),
    policies: telling(store.policies, told),
    unmatched: telling(store.unmatched, told),
    accepted: telling(store.accepted, told),
    duties: telling(store.duties, told),
    settings: telling(store.settings, told),
    // Rows are read one after the other, so there is no one promise of theirs.
    audit: { ...telling(store.audit, told), entries: (query) => store.audit.entries(query) },
    // A file that cannot be written elsewhere is no trouble of the database.
    backup: (file) => store.backup(file),
  };
}

/** The same, its functions telling their troubles. */
function telling<T extends object>(part: T, told: <R>(work: Promise<R>) => Promise<R>): T {
  const tell = (call: unknown): unknown =>
    typeof call === 'function' ? (...args: unknown[]) => told(Promise.resolve(call.apply(part, args))) : call;
  return Object.fromEntries(Object.entries(part).map(([name, call]) => [name, tell(call)])) as T;
}
