import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Policy } from '../domain/policy.ts';
import {
  formatProblems,
  formatWarnings,
  type KeptPolicies,
  type LoadedPolicy,
  type LoadResult,
  loadPolicies,
  type PolicyOptions,
  parsePolicy,
  revisionOf,
} from '../policies/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { Policies } from '../ports/policies.ts';
import type { PolicyArchive } from '../ports/store.ts';
import { lookingAt } from './policy-files.ts';

/** Old revisions kept read; only rollouts under way need theirs. */
const maxArchived = 100;

export interface PolicyBookParts extends PolicyOptions {
  readonly directory: string;
  readonly archive: PolicyArchive;
  /** What files came to when they were read before; absent: they are read anew each time. */
  readonly kept?: KeptPolicies;
  /** They could not be written down. */
  readonly onUnkept?: (reason: string) => void;
  /** What is wrong with a set of policies beyond each file: such a set is not taken. One line a problem. */
  readonly check: (policies: readonly Policy[]) => readonly string[];
  readonly onProblem: (error: Error) => void;
  /** What is in force and will not do what it is there for, one line each; told when it is new. */
  readonly onWarnings?: (lines: string) => void;
  /** Of the services asked about those on which something is under way, with the revision each was decided by last (null: unknown). */
  readonly underWay: (
    isAsked: (service: string) => boolean,
  ) => Promise<readonly { readonly service: string; readonly revision: string | null }[]>;
  /** Services whose policy is new, edited or gone, after it took effect. */
  readonly onChange: (services: readonly string[]) => Promise<void>;
}

/** The policies in force, kept in step with the directory. */
export interface PolicyBook extends Policies {
  /** Archives what was read first; answers the services whose revision was never seen before. */
  open(): Promise<readonly string[]>;
  /** Looks at the directory now. A set with any problem is refused as a whole: the one in force stays. */
  reload(): Promise<void>;
  /** Looks every few seconds, until aborted. */
  watch(clock: Clock, signal: AbortSignal): Promise<void>;
  /** Why the directory's present content is not in force; null: it is. */
  problem(): string | null;
  /** When those in force were last read and found good, Unix ms. */
  loadedAtMs(): number;
}

/** `first`: what was read before the store was there. It is let go of: policies may all be others later, and are thousands. */
export function createPolicyBook(first: LoadResult, parts: PolicyBookParts): PolicyBook {
  let unopened: LoadResult | null = first;
  let current = byService(first.policies);
  const listOf = lister();
  let refused: string | null = null;
  const warnings = warningsOf(parts);
  let loadedAtMs = Date.now();
  /** Services whose file is gone, and on which something is under way. */
  let orphans: ReadonlySet<string> = new Set();
  const archived = new Map<string, LoadedPolicy>();

  /** People must be able to decide, and alerts to be heard, until what is under way has ended: those policies stay. */
  async function withOrphans(loaded: ReadonlyMap<string, LoadedPolicy>): Promise<ReadonlyMap<string, LoadedPolicy>> {
    const all = new Map(loaded);
    const found = new Set<string>();
    for (const { service, revision } of await parts.underWay((name) => !loaded.has(name))) {
      const shelves = { parts, current, archived };
      const kept = current.get(service) ?? (revision === null ? null : await loadedAt(shelves, service, revision));
      if (!kept) continue;
      all.set(service, kept);
      found.add(service);
      if (!orphans.has(service)) parts.onProblem(gone(service));
    }
    orphans = found;
    return all;
  }

  async function reload(): Promise<void> {
    // What stays without its file may come from the archive, and nobody looked for its warnings.
    const before = (service: string) => (orphans.has(service) ? undefined : current.get(service));
    const result = await loadPolicies({ ...parts, before });
    const wrong = wrongWith(result, parts);
    if (wrong !== '') {
      // Once for each kind of trouble, not at every look.
      if (wrong !== refused)
        parts.onProblem(
          new Error(`The policies were changed and have problems; those from before stay in force:\n${wrong}`),
        );
      refused = wrong;
      return;
    }
    const next = await withOrphans(byService(result.policies));
    const changed = differences(current, next);
    await keep(parts, next.values());
    current = next;
    refused = null;
    loadedAtMs = Date.now();
    warnings.tell(result);
    if (changed.length > 0) await parts.onChange(changed);
  }

  return {
    all: () => listOf(current),
    get: (service) => current.get(service)?.policy ?? null,
    at: async (service, revision) => (await loadedAt({ parts, current, archived }, service, revision))?.policy ?? null,
    async open() {
      if (unopened) warnings.tell(unopened);
      unopened = null;
      current = await withOrphans(current);
      return keep(parts, current.values());
    },
    reload,
    watch: (clock, signal) =>
      following(parts, lookingAt(parts.directory, clock), signal, async () => {
        await reload();
        // Those that only stay until something has ended are looked at again, whether or not a file changes.
        return orphans.size === 0;
      }),
    problem: () => refused,
    loadedAtMs: () => loadedAtMs,
  };
}

/** Reads where a look finds another directory than the one read last, until stopped. `read`: whether that one is settled. */
async function following(
  { onProblem }: PolicyBookParts,
  look: (signal: AbortSignal) => Promise<string | null>,
  signal: AbortSignal,
  read: () => Promise<boolean>,
): Promise<void> {
  // The first look reads anew: the directory may have changed since the first reading.
  let seen = '';
  for (let now = await look(signal); now !== null; now = await look(signal)) {
    if (now === seen) continue;
    try {
      seen = (await read()) ? now : '';
    } catch (error) {
      onProblem(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** One line a problem; empty: they can be in force. */
function wrongWith({ problems, policies }: LoadResult, { check }: PolicyBookParts): string {
  return problems.length > 0 ? formatProblems(problems) : check(policies.map(({ policy }) => policy)).join('\n');
}

/** What cannot be written down is only slower the next time. */
async function save({ kept, onUnkept }: PolicyBookParts): Promise<void> {
  try {
    await kept?.save();
  } catch (error) {
    onUnkept?.(`What the policies came to is not kept for the next start: ${messageOf(error)}`);
  }
}

/** What was last found worth a warning, told when it changes. */
function warningsOf({ onWarnings }: PolicyBookParts) {
  // Of thousands of policies they are a megabyte, and only compared.
  let told = revisionOf('');
  return {
    tell(result: LoadResult): void {
      const lines = formatWarnings(result.warnings);
      const now = revisionOf(lines);
      if (now !== told && lines !== '') onWarnings?.(lines);
      told = now;
    },
  };
}

interface Shelves {
  readonly parts: PolicyBookParts;
  readonly current: ReadonlyMap<string, LoadedPolicy>;
  readonly archived: Map<string, LoadedPolicy>;
}

async function loadedAt(
  { parts, current, archived }: Shelves,
  service: string,
  revision: string,
): Promise<LoadedPolicy | null> {
  const present = current.get(service);
  if (present?.policy.revision === revision) return present;
  const key = `${service}@${revision}`;
  const known = archived.get(key);
  if (known) return known;
  const yaml = await parts.archive.find(service, revision);
  if (yaml === null) return null;
  // Certificates are looked for beside the file, so it is read as if it still lay where it lay.
  const file = present?.file ?? join(parts.directory, `${service}.yaml`);
  const { policy, problems } = await parsePolicy(yaml, file, parts);
  if (!policy) {
    parts.onProblem(new Error(`The policy ${key} cannot be read any more:\n${formatProblems(problems)}`));
    return null;
  }
  const oldest = archived.size >= maxArchived ? archived.keys().next().value : undefined;
  if (oldest !== undefined) archived.delete(oldest);
  archived.set(key, policy);
  return policy;
}

function gone(service: string): Error {
  return new Error(
    `The file of ${service}'s policy is gone, and something is under way on ${service}: it stays in force until that has ended. Put the file back if it was not meant.`,
  );
}

function byService(policies: readonly LoadedPolicy[]): ReadonlyMap<string, LoadedPolicy> {
  return new Map(policies.map((loaded) => [loaded.policy.service, loaded]));
}

function differences(before: ReadonlyMap<string, LoadedPolicy>, after: ReadonlyMap<string, LoadedPolicy>): string[] {
  const services = new Set([...before.keys(), ...after.keys()]);
  return [...services].filter((s) => before.get(s)?.policy.revision !== after.get(s)?.policy.revision);
}

/** Keeps every revision as it can be read again; answers the services whose revision was not kept before. */
async function keep(parts: PolicyBookParts, policies: Iterable<LoadedPolicy>): Promise<readonly string[]> {
  const fresh: string[] = [];
  for (const loaded of policies) {
    const { service, revision } = loaded.policy;
    if ((await parts.archive.find(service, revision)) === null) {
      const yaml = loaded.yaml ?? (await readAnew(parts, loaded));
      // Its file has changed since it was looked at: what it says now is read at the next look.
      if (yaml === null) continue;
      await parts.archive.keep(service, revision, yaml);
      fresh.push(service);
    }
    loaded.yaml = null;
  }
  await save(parts);
  return fresh;
}

/** The whole text of a policy that was not read anew, for a database that has never seen it. Null: it is another one by now. */
async function readAnew(parts: PolicyBookParts, { file, policy }: LoadedPolicy): Promise<string | null> {
  const { policy: again } = await parsePolicy(await readFile(file, 'utf8'), file, parts);
  return again?.policy.revision === policy.revision ? again.yaml : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The same list for as long as they are the same: it is asked for with every alert. */
function lister(): (policies: ReadonlyMap<string, LoadedPolicy>) => readonly Policy[] {
  let known: ReadonlyMap<string, LoadedPolicy> | null = null;
  let list: readonly Policy[] = [];
  return (policies) => {
    if (policies !== known) list = Array.from(policies.values(), ({ policy }) => policy);
    known = policies;
    return list;
  };
}
