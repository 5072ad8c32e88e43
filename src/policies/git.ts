import { execFile } from 'node:child_process';
import { realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';

/**
 * Answers, for each list of files, the short hash of the last commit that touched any of them, with `+` behind it where one of them
 * differs from what is committed; null: not in a Git work tree, never committed, or not known. Never throws.
 */
export type Commits = (
  directory: string,
  groups: readonly (readonly string[])[],
) => Promise<readonly (string | null)[]>;

/** Loading the policies must not wait longer for what is only told. */
const limitMs = 2_000;
const maxOutputBytes = 8 * 1024 * 1024;

/** How Git is asked; a test has its own. */
export interface GitOptions {
  readonly command: string;
  /** After this it is stopped, ms. */
  readonly limitMs: number;
}
const usual: GitOptions = { command: 'git', limitMs };

/** `git` is looked for here, and gets nothing of our environment: neither its `GIT_*` nor our secrets. */
export const gitSearchPath = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/usr/local/git/bin';
/** Nothing that the repository's own settings could make Git run. */
const harmless = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'core.quotePath=false'];

/** What Git says; one call for the history and one for the work tree, however many files there are. */
export async function gitCommits(
  directory: string,
  groups: readonly (readonly string[])[],
  options: GitOptions = usual,
): ReturnType<Commits> {
  const nothing = groups.map(() => null);
  const root = await workTreeOf(directory);
  if (root === null) return nothing;
  const named = await Promise.all(groups.map((files) => Promise.all(files.map((file) => nameIn(root, file)))));
  const names = [...new Set(named.flat().filter((name) => name !== null))];
  if (names.length === 0) return nothing;
  const [history, status] = await Promise.all([
    git(root, options, ['log', '-c', '--no-renames', '--name-only', '--format=%x01%h', '-z', '--', ...names]),
    git(root, options, ['status', '--porcelain=v1', '--no-renames', '--untracked-files=all', '-z', '--', ...names]),
  ]);
  // Without the work tree's state it cannot be said whether a file is as committed.
  if (history === null || status === null || !status.whole) return nothing;
  const commits = commitsByFile(history.text);
  const differing = new Set(status.text.split('\0').map((entry) => entry.slice(3)));
  return named.map((files) => commitOf(files, commits, differing));
}

/** The newest of the commits that touched them. A file that Git does not know (a template not added yet) counts as differing. */
function commitOf(
  files: readonly (string | null)[],
  commits: ReadonlyMap<string, { readonly hash: string; readonly age: number }>,
  differing: ReadonlySet<string>,
): string | null {
  const own = files.at(-1) ?? null;
  if (own === null || !commits.has(own)) return null;
  const found = files.flatMap((file) => (file === null ? [] : (commits.get(file) ?? [])));
  const [newest] = found.sort((a, b) => a.age - b.age);
  const isEdited = found.length < files.length || files.some((file) => file === null || differing.has(file));
  return newest ? `${newest.hash}${isEdited ? '+' : ''}` : null;
}

/** The log is the newest first: where a file is named first is the commit that touched it last. */
function commitsByFile(log: string): ReadonlyMap<string, { readonly hash: string; readonly age: number }> {
  const commits = new Map<string, { hash: string; age: number }>();
  for (const [age, entry] of log.split('\x01').slice(1).entries()) {
    const [hash = '', ...files] = entry.split('\0').map((part) => part.replace(/^\n/, ''));
    for (const file of files) if (file !== '' && !commits.has(file)) commits.set(file, { hash: hash.trim(), age });
  }
  return commits;
}

/** Where the work tree begins that a directory lies in, links followed (a git-sync directory is one); null: it lies in none. */
async function workTreeOf(directory: string): Promise<string | null> {
  try {
    let here = await realpath(directory);
    for (;;) {
      if (await exists(join(here, '.git'))) return here;
      const above = dirname(here);
      if (above === here) return null;
      here = above;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

/** Changes with every commit made in the work tree a directory lies in; a commit by itself changes no file of it. */
export async function headStamp(directory: string): Promise<string> {
  const root = await workTreeOf(directory);
  if (root === null) return '';
  try {
    const { size, mtimeMs } = await stat(join(root, '.git', 'logs', 'HEAD'));
    return `${size}:${mtimeMs}`;
  } catch (error) {
    // A linked work tree (git-sync's) has it elsewhere: there a new commit is a new directory.
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}

/** How Git names a file, links followed; null: it lies outside of the work tree. */
async function nameIn(root: string, file: string): Promise<string | null> {
  try {
    const name = relative(root, await realpath(file));
    return name === '' || name.split(sep)[0] === '..' ? null : name.split(sep).join('/');
  } catch (error) {
    // Gone since it was read.
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}

/**
 * Null: there is no git, or it refuses (another owner's directory, no commit yet). `whole`: it came to its end; a long history cut
 * off by the time limit still says what is new.
 */
function git(
  root: string,
  { command, limitMs: timeout }: GitOptions,
  args: readonly string[],
): Promise<{ text: string; whole: boolean } | null> {
  const env = {
    PATH: gitSearchPath,
    HOME: homedir(),
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_LAZY_FETCH: '1',
  };
  const options = { cwd: root, env, timeout, killSignal: 'SIGKILL' as const, maxBuffer: maxOutputBytes };
  return new Promise((resolve) => {
    execFile(command, [...harmless, ...args], options, (error, text) => {
      if (!error) resolve({ text, whole: true });
      else resolve(error.killed ? { text, whole: false } : null);
    });
  });
}
