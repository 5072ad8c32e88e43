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
import { heldOnce, isNamed, Numbers, SharedValues } from './shared-values.ts';

/** One reading of a whole directory. */
export interface KeptLook {
  /** What a file came to before, where it and its templates are as they were then. */
  find(file: string, text: string): Promise<LoadedPolicy | null>;
  /**
   * Keeps what a file came to. `named`: the same policy made with the secrets' names in the place of their values, the only one that
   * is written down; null: that cannot be made. Answers the policy to go on with: what it shares with others is held once.
   */
  keep(text: string, loaded: LoadedPolicy, named: Policy | null): Promise<LoadedPolicy>;
  /** The whole directory was read, and these are in force now: what was not asked for is forgotten. */
  end(policies: readonly LoadedPolicy[]): void;
}

/** Templates that files extend, each with the hash of its text: one for all files that extend the same. */
interface Extended {
  readonly files: readonly string[];
  readonly hashes: readonly string[];
}
/** There is one for each of thousands of files: it holds nothing that others have or that can be made again. */
interface Entry {
  readonly hash: string;
  readonly extended: Extended;
  readonly loaded: LoadedPolicy;
}
/** What is new in a look is compared with these by its text, so that it is held once. */
interface Known {
  readonly values: Map<string, unknown>;
  readonly extended: Map<string, Extended>;
  readonly warnings: Map<string, readonly PolicyProblem[]>;
}
interface Stored {
  readonly keys: readonly (keyof Policy)[];
  readonly values: readonly unknown[];
  /** The numbers of those values that name secrets. */
  readonly named: readonly number[];
  readonly extended: readonly Extended[];
  readonly warnings: readonly (readonly PolicyProblem[])[];
  readonly files: readonly string[];
  readonly hashes: readonly string[];
  /** For each file the numbers of what it extends, of its warnings, and of the values of its keys in the order of `keys`. */
  readonly numbers: readonly number[];
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
  readonly #shared: SharedValues;
  #keys: readonly (keyof Policy)[] = [];
  #make = policyMaker([]);
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
    let known: Known | null = null;
    return {
      find: async (file, text) => {
        const entry = this.#entries.get(file);
        if (!entry || entry.hash !== stamp(text)) return null;
        for (const [at, template] of entry.extended.files.entries()) {
          if ((await hashOf(template)) !== entry.extended.hashes[at]) return null;
        }
        used.set(entry.loaded.file, entry);
        return entry.loaded;
      },
      keep: async (text, loaded, named) => {
        const hashes = await Promise.all(loaded.templates.map(async (name) => (await hashOf(name)) ?? ''));
        known ??= this.#known();
        const extended = heldOnce(known.extended, { files: loaded.templates, hashes });
        const entry = this.#entryOf({ hash: stamp(text), extended }, loaded, named, known);
        if (entry === null) return loaded;
        used.set(loaded.file, entry);
        this.#isSaved = false;
        // Whoever reads it now archives its text; it is not kept here, where it would take more room than all the rest.
        return { ...entry.loaded, yaml: loaded.yaml };
      },
      end: (policies) => {
        if (used.size !== this.#entries.size) this.#isSaved = false;
        for (const loaded of policies) {
          const entry = used.get(loaded.file);
          if (!entry || entry.loaded.policy === loaded.policy) continue;
          // It has its commit now: held once, and the same again at the next look.
          used.set(loaded.file, { ...entry, loaded: { ...entry.loaded, policy: loaded.policy } });
        }
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
  #entryOf(
    at: Omit<Entry, 'loaded'>,
    { policy, file, warnings }: LoadedPolicy,
    named: Policy | null,
    known: Known,
  ): Entry | null {
    if (named === null) return null;
    if (this.#keys.length === 0) this.#setKeys(keysOf(named));
    const texts = this.#keys.map((key) => JSON.stringify(named[key]) ?? 'null');
    // A certificate's file may change by itself, and a key belongs nowhere else.
    if (texts.some((text) => text.includes('-----BEGIN '))) return null;
    const again = this.#make(texts.map((text) => this.#valueOf(text, known)));
    if (!isDeepStrictEqual(again, policy)) return null;
    const { files: templates } = at.extended;
    return {
      ...at,
      loaded: { policy: again, file, templates, warnings: heldOnce(known.warnings, warnings), yaml: null },
    };
  }

  #setKeys(keys: readonly (keyof Policy)[]): void {
    this.#keys = keys;
    this.#make = policyMaker(keys);
  }

  #valueOf(text: string, { values }: Known): unknown {
    if (!values.has(text)) values.set(text, this.#shared.valueOf(text));
    return values.get(text);
  }

  #known(): Known {
    const values = new Set<unknown>();
    const extended = new Map<string, Extended>();
    const warnings = new Map<string, readonly PolicyProblem[]>();
    for (const entry of this.#entries.values()) {
      for (const key of this.#keys) values.add(entry.loaded.policy[key]);
      heldOnce(extended, entry.extended);
      heldOnce(warnings, entry.loaded.warnings);
    }
    return { values: new Map([...values].map((value) => [this.#shared.textOf(value), value])), extended, warnings };
  }

  #written(): Buffer {
    const values = new Numbers<unknown>();
    const extended = new Numbers<Extended>();
    const warnings = new Numbers<readonly PolicyProblem[]>();
    const entries = [...this.#entries.values()];
    const numbers = entries.flatMap((entry) => [
      extended.of(entry.extended),
      warnings.of(entry.loaded.warnings),
      ...this.#keys.map((key) => values.of(entry.loaded.policy[key])),
    ]);
    const texts = values.all().map((value) => this.#shared.textOf(value));
    const stored: Omit<Stored, 'values'> = {
      keys: this.#keys,
      named: [...texts.keys()].filter((number) => isNamed(texts[number] ?? '')),
      extended: extended.all(),
      warnings: warnings.all(),
      files: entries.map(({ loaded }) => loaded.file),
      hashes: entries.map(({ hash }) => hash),
      numbers,
    };
    return Buffer.from(`{"values":[${texts.join(',')}],${JSON.stringify(stored).slice(1)}`);
  }

  #read(bytes: Buffer): void {
    const salt = bytes.subarray(0, saltBytes);
    const seal = bytes.subarray(saltBytes, saltBytes + keyBytes);
    const body = bytes.subarray(saltBytes + keyBytes);
    if (seal.length < keyBytes || !timingSafeEqual(seal, this.#seal(salt, body))) return;
    // Sealed by this very code.
    const stored = JSON.parse(body.toString('utf8')) as Stored;
    const { keys, numbers } = stored;
    this.#setKeys(keys);
    const values = [...stored.values];
    for (const number of stored.named) values[number] = this.#shared.valueOf(JSON.stringify(values[number]));
    const entries = new Map<string, Entry>();
    for (const [index, file] of stored.files.entries()) {
      const from = index * (2 + keys.length);
      const [extended, warnings] = [stored.extended[numbers[from] ?? -1], stored.warnings[numbers[from + 1] ?? -1]];
      if (!extended || !warnings) return;
      const own = keys.map((_, at) => values[numbers[from + 2 + at] ?? -1]);
      const loaded = { policy: this.#make(own), file, templates: extended.files, warnings, yaml: null };
      entries.set(file, { hash: stored.hashes[index] ?? '', extended, loaded });
    }
    this.#entries = entries;
  }

  #seal(salt: Buffer, body: Buffer): Buffer {
    const known = JSON.stringify([this.#code, Object.entries(this.#secrets).sort(([a], [b]) => (a < b ? -1 : 1))]);
    const key = scryptSync(known, salt, keyBytes, { cost: sealCost });
    return createHmac('sha256', key).update(body).digest();
  }
}

/** Makes policies of the values of their keys. */
function policyMaker(keys: readonly (keyof Policy)[]): (values: readonly unknown[]) => Policy {
  // The copy of an object that was made whole has room for its keys and no more; one made key by key has a second part.
  const blank = JSON.parse(JSON.stringify(Object.fromEntries(keys.map((key) => [key, null]))));
  return (values) => {
    const policy = { ...blank };
    for (const [index, key] of keys.entries()) policy[key] = values[index];
    // The very keys and values of a policy that was checked.
    return policy;
  };
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
