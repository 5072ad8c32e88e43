import { createHmac, hash, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Policy } from '../domain/policy.ts';
import { readPolicyFile } from './files.ts';
import type { LoadedPolicy } from './parse.ts';
import type { PolicyProblem } from './problem.ts';
import { SharedValues } from './shared-values.ts';

/** What a policy file without problems came to. */
export interface Reading {
  readonly policy: LoadedPolicy;
  readonly requires: string | null;
  readonly warnings: readonly PolicyProblem[];
}

/** One reading of a whole directory. */
export interface KeptLook {
  /** What a file came to before, where it and its templates are as they were then. */
  find(file: string, text: string): Promise<Reading | null>;
  /**
   * Keeps what a file came to. `named`: the same policy made with the secrets' names in the place of their values, the only one that
   * is written down; null: that cannot be made. Answers the reading to go on with: what it shares with others is held once.
   */
  keep(text: string, reading: Reading, named: Policy | null): Promise<Reading>;
  /** The whole directory was read: what was not asked for is forgotten. */
  end(): void;
}

interface Entry {
  readonly hash: string;
  /** Files and hashes of the templates, one after the other. */
  readonly templates: readonly string[];
  readonly requires: string | null;
  readonly warnings: readonly PolicyProblem[];
  /** Numbers of the values of its keys, in the order of `keys`. */
  readonly values: readonly number[];
  readonly reading: Reading;
}
type StoredEntry = readonly [string, Omit<Entry, 'reading'>];
interface Stored {
  readonly keys: readonly (keyof Policy)[];
  readonly values: readonly unknown[];
  readonly entries: readonly StoredEntry[];
}

/** Deriving the key of the seal: some milliseconds, so that secrets are not guessed by it quickly. */
const sealCost = 2048;
const saltBytes = 16;
const keyBytes = 32;

/**
 * What policy files came to when they were read before, so that thousands of them are not read anew at each start: in a file that may
 * be deleted at any time, sealed with a key made of its own random salt and all secrets. Where one of these is another, where it is
 * damaged, or written by other code, nothing in it counts. It holds the names of secrets, and no certificates.
 */
export class KeptPolicies {
  readonly #file: string;
  readonly #secrets: Readonly<Record<string, string>>;
  readonly #code: string;
  #shared: SharedValues;
  #keys: readonly (keyof Policy)[] = [];
  #entries: ReadonlyMap<string, Entry> = new Map();
  #isSaved = true;

  private constructor(file: string, secrets: Readonly<Record<string, string>>, code: string) {
    this.#file = file;
    this.#secrets = secrets;
    this.#code = code;
    this.#shared = new SharedValues(secrets);
  }

  /** Whatever is the matter with the file: then nothing is kept. `code`: what the sources are, for a test. */
  static async open(
    file: string,
    secrets: Readonly<Record<string, string>>,
    code = codeStamp(),
  ): Promise<KeptPolicies> {
    const kept = new KeptPolicies(file, secrets, code);
    const bytes = await bytesOf(file);
    if (bytes !== null) kept.#read(bytes);
    return kept;
  }

  begin(): KeptLook {
    const hashes = new Map<string, Promise<string | null>>();
    const hashOf = (file: string) => {
      const found = hashes.get(file) ?? readPolicyFile(file).then(({ text }) => (text === null ? null : stamp(text)));
      hashes.set(file, found);
      return found;
    };
    const used = new Map<string, Entry>();
    return {
      find: async (file, text) => {
        const entry = this.#entries.get(file);
        if (!entry || entry.hash !== stamp(text)) return null;
        for (let at = 0; at < entry.templates.length; at += 2) {
          if ((await hashOf(entry.templates[at] ?? '')) !== entry.templates[at + 1]) return null;
        }
        used.set(file, entry);
        return entry.reading;
      },
      keep: async (text, reading, named) => {
        const { file, files } = reading.policy;
        const templates = files.slice(0, -1);
        const stamps = await Promise.all(templates.map(async (name) => [name, (await hashOf(name)) ?? '']));
        const entry = this.#entryOf({ hash: stamp(text), templates: stamps.flat() }, reading, named);
        if (entry === null) return reading;
        used.set(file, entry);
        this.#isSaved = false;
        // Whoever reads it now archives its text; it is not kept here, where it would take more room than all the rest.
        const { yaml } = reading.policy;
        return { ...entry.reading, policy: { ...entry.reading.policy, yaml } };
      },
      end: () => {
        if (used.size !== this.#entries.size) this.#isSaved = false;
        this.#entries = used;
      },
    };
  }

  /** Writes it down where it has changed, whole or not at all, readable by nobody else. Rejects where it cannot be written. */
  async save(): Promise<void> {
    if (this.#isSaved) return;
    const body = this.#written();
    const salt = randomBytes(saltBytes);
    const fresh = `${this.#file}.new`;
    const handle = await open(fresh, 'w', 0o600);
    try {
      // One from before may have been readable by others.
      await handle.chmod(0o600);
      await handle.writeFile(Buffer.concat([salt, this.#seal(salt, body), body]));
    } finally {
      await handle.close();
    }
    await rename(fresh, this.#file);
    this.#isSaved = true;
  }

  /** Null: it would not be the same again (what is made of a secret, such as basic credentials), or it must not be written down. */
  #entryOf(at: Pick<Entry, 'hash' | 'templates'>, reading: Reading, named: Policy | null): Entry | null {
    if (named === null) return null;
    const { policy, ...loaded } = reading.policy;
    if (this.#keys.length === 0) this.#keys = keysOf(named);
    const texts = this.#keys.map((key) => JSON.stringify(named[key]) ?? 'null');
    // A certificate's file may change by itself, and a key belongs nowhere else.
    if (texts.some((text) => text.includes('-----BEGIN '))) return null;
    const values = texts.map((text) => this.#shared.add(text));
    const again = this.#policyOf(values);
    if (!isDeepStrictEqual(again, policy)) return null;
    const { requires, warnings } = reading;
    return {
      ...at,
      requires,
      warnings,
      values,
      reading: { ...reading, policy: { ...loaded, yaml: null, policy: again } },
    };
  }

  #policyOf(values: readonly number[]): Policy {
    const pairs = this.#keys.map((key, index) => [key, this.#shared.at(values[index] ?? -1)]);
    // The very keys and values of a policy that was checked.
    return Object.fromEntries(pairs) as Policy;
  }

  #written(): Buffer {
    const numbers = new Map<number, number>();
    const numberOf = (value: number) => {
      const known = numbers.get(value) ?? numbers.size;
      numbers.set(value, known);
      return known;
    };
    const entries = [...this.#entries].map(
      ([file, { reading: _, values, ...entry }]): StoredEntry => [file, { ...entry, values: values.map(numberOf) }],
    );
    const values = [...numbers.keys()].map((value) => this.#shared.text(value)).join(',');
    return Buffer.from(
      `{"keys":${JSON.stringify(this.#keys)},"values":[${values}],"entries":${JSON.stringify(entries)}}`,
    );
  }

  #read(bytes: Buffer): void {
    const salt = bytes.subarray(0, saltBytes);
    const seal = bytes.subarray(saltBytes, saltBytes + keyBytes);
    const body = bytes.subarray(saltBytes + keyBytes);
    if (seal.length < keyBytes || !timingSafeEqual(seal, this.#seal(salt, body))) return;
    // Sealed by this very code.
    const { keys, values, entries } = JSON.parse(body.toString('utf8')) as Stored;
    this.#keys = keys;
    this.#shared = new SharedValues(this.#secrets);
    const numbers = values.map((value) => this.#shared.add(JSON.stringify(value)));
    // Thousands of files extend the same few templates.
    const names = new Map<string, string>();
    const shared = (name: string) => {
      const known = names.get(name) ?? name;
      names.set(name, known);
      return known;
    };
    const read = entries.map(([file, entry]): [string, Entry] => {
      const { requires, warnings } = entry;
      const templates = entry.templates.map(shared);
      const own = entry.values.map((value) => numbers[value] ?? -1);
      const files = [...templates.filter((_, index) => index % 2 === 0), file];
      const policy = { policy: this.#policyOf(own), file, files, yaml: null };
      return [file, { ...entry, values: own, reading: { policy, requires, warnings } }];
    });
    this.#entries = new Map(read);
  }

  #seal(salt: Buffer, body: Buffer): Buffer {
    const known = JSON.stringify([this.#code, Object.entries(this.#secrets).sort(([a], [b]) => (a < b ? -1 : 1))]);
    const key = scryptSync(known, salt, keyBytes, { cost: sealCost });
    return createHmac('sha256', key).update(body).digest();
  }
}

function keysOf(policy: Policy): readonly (keyof Policy)[] {
  return Object.keys(policy) as (keyof Policy)[];
}

function stamp(text: string): string {
  return hash('sha256', text, 'base64url');
}

async function bytesOf(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    // Not there yet, or not ours to read: the policies are read as they stand.
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

/** What a policy comes to depends on these. */
const codeFolders = ['analysis', 'domain', 'policies', 'ports', 'targets'];

/** Another one wherever the code that reads policies is another, released or not. */
function codeStamp(): string {
  const sources = fileURLToPath(new URL('..', import.meta.url));
  const files = codeFolders.flatMap((folder) =>
    readdirSync(join(sources, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const texts = [join(sources, '..', 'package.json'), ...files.sort()].map((file) => readFileSync(file, 'utf8'));
  return stamp([process.version, ...texts].join('\0'));
}
