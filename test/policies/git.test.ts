import { execFileSync } from 'node:child_process';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gitCommits as askGit, gitSearchPath } from '../../src/policies/git.ts';
import { type Commits, headStamp, loadPolicies } from '../../src/policies/index.ts';
import { base, directoryWith, secrets, targets } from './support.ts';

const hasGit = isGitThere();

function isGitThere(): boolean {
  try {
    execFileSync('git', ['--version'], { stdio: 'ignore', env: { PATH: gitSearchPath } });
    return true;
  } catch {
    return false;
  }
}

/** A busy machine is given time: what is asked here is the answer, not how soon it comes. */
const patient = { command: 'git', limitMs: 60_000 };
const gitCommits: Commits = (directory, groups) => askGit(directory, groups, patient);

/** Git as the test uses it, without the settings of whoever runs it. */
function git(directory: string, ...args: string[]): string {
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'init.defaultBranch=main'];
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  const env = { ...Object.fromEntries(environment), GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  return execFileSync('git', [...who, ...args], { cwd: directory, env, encoding: 'utf8' }).trim();
}

/** A commit of everything, and its short hash. */
function commit(directory: string, message: string): string {
  git(directory, 'add', '--all');
  git(directory, 'commit', '--quiet', '--allow-empty', `--message=${message}`);
  return git(directory, 'rev-parse', '--short', 'HEAD');
}

async function repository(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await directoryWith(files);
  git(directory, 'init', '--quiet');
  return directory;
}

const at = (directory: string, ...names: string[]) => names.map((name) => join(directory, name));

describe.skipIf(!hasGit)('the commit of a file (skipped where git is not installed)', () => {
  it('is the last one that touched it, with a + where it was edited since', async () => {
    const root = await repository({ 'policies/a.yaml': 'a', 'policies/b c.yaml': 'b', 'other.txt': '1' });
    const first = commit(root, 'first');
    await writeFile(join(root, 'policies/a.yaml'), 'a2');
    const second = commit(root, 'second');
    await writeFile(join(root, 'other.txt'), '2');
    commit(root, 'third');
    const directory = join(root, 'policies');
    const ask = () => gitCommits(directory, [at(directory, 'a.yaml'), at(directory, 'b c.yaml')]);
    expect(await ask()).toEqual([second, first]);
    await writeFile(join(root, 'policies/b c.yaml'), 'edited');
    expect(await ask()).toEqual([second, `${first}+`]);
    git(root, 'add', '--all');
    expect(await ask()).toEqual([second, `${first}+`]);
    expect(commit(root, 'fourth')).toBe((await ask())[1]);
  });

  it('of a policy with a template is the newer one, with a + where either was edited or is not added', async () => {
    const root = await repository({ 'a.yaml': 'a', 'b.yaml': 'b', 'templates/t.yaml': 't' });
    const first = commit(root, 'first');
    await writeFile(join(root, 'templates/t.yaml'), 't2');
    const second = commit(root, 'second');
    const ask = (template: string) => gitCommits(root, [at(root, template, 'a.yaml'), at(root, 'b.yaml')]);
    expect(await ask('templates/t.yaml')).toEqual([second, first]);
    await writeFile(join(root, 'templates/t.yaml'), 't3');
    expect(await ask('templates/t.yaml')).toEqual([`${second}+`, first]);
    await writeFile(join(root, 'templates/new.yaml'), 'new');
    expect(await ask('templates/new.yaml')).toEqual([`${first}+`, first]);
  });

  it('that came with a merge is the one that changed it, or the merge where that did', async () => {
    const root = await repository({ 'a.yaml': '1', 'b.yaml': '1' });
    commit(root, 'first');
    git(root, 'checkout', '--quiet', '-b', 'side');
    await writeFile(join(root, 'a.yaml'), 'side');
    const side = commit(root, 'side');
    git(root, 'checkout', '--quiet', 'main');
    await writeFile(join(root, 'b.yaml'), 'main');
    const main = commit(root, 'main');
    git(root, 'merge', '--quiet', '--no-edit', 'side');
    const groups = [at(root, 'a.yaml'), at(root, 'b.yaml')];
    expect(await gitCommits(root, groups)).toEqual([side, main]);
    git(root, 'checkout', '--quiet', 'side');
    await writeFile(join(root, 'b.yaml'), 'side');
    commit(root, 'b on the side');
    git(root, 'checkout', '--quiet', 'main');
    git(root, 'merge', '--quiet', '--no-commit', '--strategy-option=ours', 'side');
    await writeFile(join(root, 'b.yaml'), 'what both meant');
    const merge = commit(root, 'merged by hand');
    expect(await gitCommits(root, groups)).toEqual([side, merge]);
  });

  it('is null for a file that was never committed, or lies elsewhere', async () => {
    const root = await repository({ 'a.yaml': 'a' });
    const first = commit(root, 'first');
    const elsewhere = await directoryWith({ 'c.yaml': 'c' });
    await writeFile(join(root, 'b.yaml'), 'b');
    const groups = [at(root, 'a.yaml'), at(root, 'b.yaml'), at(elsewhere, 'c.yaml'), at(root, 'gone.yaml')];
    expect(await gitCommits(root, groups)).toEqual([first, null, null, null]);
  });

  it('is null outside of a work tree, before the first commit, and where Git refuses', async () => {
    const plain = await directoryWith({ 'a.yaml': 'a' });
    expect(await gitCommits(plain, [at(plain, 'a.yaml')])).toEqual([null]);
    expect(await gitCommits(join(plain, 'none'), [at(plain, 'a.yaml')])).toEqual([null]);
    const empty = await repository({ 'a.yaml': 'a' });
    expect(await gitCommits(empty, [at(empty, 'a.yaml')])).toEqual([null]);
    commit(empty, 'first');
    await writeFile(join(empty, '.git', 'config'), 'this is not a configuration');
    expect(await gitCommits(empty, [at(empty, 'a.yaml')])).toEqual([null]);
  });

  it('runs nothing that the repository’s own settings name', async () => {
    const root = await repository({ 'a.yaml': 'a', 'hook.sh': '#!/bin/sh\ntouch ran\n' });
    const first = commit(root, 'first');
    git(root, 'config', 'core.fsmonitor', `sh ${join(root, 'hook.sh')}`);
    expect(await gitCommits(root, [at(root, 'a.yaml')])).toEqual([first]);
    expect(await gitCommits(root, [at(root, 'ran')])).toEqual([null]);
    expect(git(root, '-c', 'core.fsmonitor=false', 'status', '--porcelain')).toBe('');
  });

  it('is found through the link of git-sync, to a linked work tree', async () => {
    const root = await repository({ 'policies/a.yaml': 'a' });
    const first = commit(root, 'first');
    const volume = await directoryWith({});
    git(root, 'worktree', 'add', '--quiet', '--detach', join(volume, 'rev-1'));
    await symlink('rev-1', join(volume, 'current'));
    const directory = join(volume, 'current', 'policies');
    expect(await gitCommits(directory, [at(directory, 'a.yaml')])).toEqual([first]);
  });
});

describe('the commit of a file, where Git does not answer', () => {
  it('is null where it is not installed, and nobody waits for one that hangs', async () => {
    const root = await directoryWith({
      '.git/HEAD': 'ref: refs/heads/main\n',
      'a.yaml': 'a',
      'hangs.sh': '#!/bin/sh\nexec sleep 600\n',
    });
    await chmod(join(root, 'hangs.sh'), 0o755);
    const groups = [at(root, 'a.yaml')];
    expect(await askGit(root, groups, { command: join(root, 'no-git'), limitMs: 60_000 })).toEqual([null]);
    expect(await askGit(root, groups, { command: join(root, 'hangs.sh'), limitMs: 50 })).toEqual([null]);
  });
});

describe.skipIf(!hasGit)('a directory of policies in Git (skipped where git is not installed)', () => {
  const options = { targets, secrets, commits: gitCommits };
  it('says each policy’s commit; a commit of the same content leaves the revision as it was', async () => {
    const template = base.replace(/^service: .*\n/, '');
    const root = await repository({
      'a.yaml': 'service: a\nextends: templates/t.yaml\n',
      'b.yaml': base,
      'templates/t.yaml': template,
    });
    const first = commit(root, 'first');
    const load = async () => {
      const { policies } = await loadPolicies({ ...options, directory: root });
      return policies.map(({ policy }) => ({ commit: policy.commit, revision: policy.revision }));
    };
    const before = await load();
    expect(before.map((policy) => policy.commit)).toEqual([first, first]);
    await writeFile(join(root, 'templates/t.yaml'), `${template}watch: 2h\n`);
    const edited = await load();
    expect(edited.map((policy) => policy.commit)).toEqual([`${first}+`, first]);
    const second = commit(root, 'second');
    expect(await load()).toEqual([{ ...edited[0], commit: second }, before[1]]);
    expect(edited[0]?.revision).not.toBe(before[0]?.revision);
  });

  it('has a stamp that changes with each commit, and none outside of a work tree', async () => {
    const root = await repository({ 'policies/a.yaml': 'a' });
    commit(root, 'first');
    const directory = join(root, 'policies');
    const stamp = await headStamp(directory);
    expect(stamp).not.toBe('');
    expect(await headStamp(directory)).toBe(stamp);
    commit(root, 'second');
    expect(await headStamp(directory)).not.toBe(stamp);
    expect(await headStamp(await directoryWith({}))).toBe('');
  });
});

describe('the commits of policies', () => {
  it('can come from elsewhere, and are asked for once, with every file of each', async () => {
    const directory = await directoryWith({ 'a.yaml': base, 'b.yaml': base.replace('fraud-scorer', 'b') });
    const asked: unknown[] = [];
    const { policies } = await loadPolicies({
      targets,
      secrets,
      directory,
      commits: async (...question) => {
        asked.push(question);
        return ['abc1234', null];
      },
    });
    expect(policies.map(({ policy }) => policy.commit)).toEqual(['abc1234', null]);
    expect(asked).toEqual([[directory, [at(directory, 'a.yaml'), at(directory, 'b.yaml')]]]);
  });
});
