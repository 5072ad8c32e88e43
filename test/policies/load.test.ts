import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatProblems, loadPolicies, validateDirectory } from '../../src/policies/index.ts';
import { base, directoryWith, secrets, targets } from './support.ts';

const options = { targets, secrets };
const other = (service: string) => base.replace('service: fraud-scorer', `service: ${service}`);

describe('a directory of policies', () => {
  it('is read file by file, whatever else lies in it', async () => {
    const directory = await directoryWith({
      'b.yml': other('b'),
      'a.yaml': other('a'),
      'README.md': '#',
      '.hidden.yaml': ':',
    });
    const result = await loadPolicies({ ...options, directory });
    expect(result.problems).toEqual([]);
    expect(result.policies.map(({ policy, file, yaml }) => [policy.service, file, yaml])).toEqual([
      ['a', join(directory, 'a.yaml'), other('a')],
      ['b', join(directory, 'b.yml'), other('b')],
    ]);
  });

  it('gives the good ones and every problem of the others', async () => {
    const directory = await directoryWith({
      'a.yaml': other('a'),
      'b.yaml': other('b').replace('exposure: 100', 'exposure: 90'),
      'c.yaml': 'mode: maybe\n',
    });
    const result = await loadPolicies({ ...options, directory });
    expect(result.policies.map(({ policy }) => policy.service)).toEqual(['a']);
    expect(new Set(result.problems.map(({ file }) => file))).toEqual(
      new Set([join(directory, 'b.yaml'), join(directory, 'c.yaml')]),
    );
  });

  it('has one policy a service, also where the first one is not usable', async () => {
    const directory = await directoryWith({
      'a.yaml': base,
      'b.yaml': base,
      'c.yaml': other('c').replace('mode', 'made'),
      'd.yaml': other('c'),
    });
    const result = await loadPolicies({ ...options, directory });
    expect(result.policies.map(({ file }) => file)).toEqual([join(directory, 'a.yaml')]);
    expect(result.problems).toContainEqual({
      file: join(directory, 'b.yaml'),
      line: 1,
      column: 10,
      path: 'service',
      message: `fraud-scorer already has a policy: ${join(directory, 'a.yaml')}`,
    });
    expect(result.problems.map(({ message }) => message)).toContain(
      `c already has a policy: ${join(directory, 'c.yaml')}`,
    );
  });

  it('follows the symbolic links of a mounted ConfigMap', async () => {
    const source = await directoryWith({ 'a.yaml': other('a') });
    const directory = await directoryWith({});
    await symlink(source, join(directory, '..data'));
    await symlink(join('..data', 'a.yaml'), join(directory, 'a.yaml'));
    const result = await loadPolicies({ ...options, directory });
    expect(result.policies.map(({ policy }) => policy.service)).toEqual(['a']);
  });

  it('says what it cannot read', async () => {
    const directory = await directoryWith({
      'large.yaml': `# ${'x'.repeat(300_000)}`,
      'binary.yaml': Buffer.from([0xff, 0xfe, 0x00]),
    });
    await mkdir(join(directory, 'inner.yaml'));
    await symlink('nowhere', join(directory, 'lost.yaml'));
    const { problems } = await loadPolicies({ ...options, directory });
    expect(formatProblems(problems).replaceAll(`${directory}/`, '').split('\n')).toEqual([
      'binary.yaml  is not text in UTF-8',
      'inner.yaml  is not a file',
      'large.yaml  is larger than a policy can be (256 KiB)',
      'lost.yaml  cannot be read: it does not exist',
    ]);
  });

  it('must be one, with a policy in it', async () => {
    const directory = await directoryWith({ 'a.txt': '' });
    const messages = async (path: string) =>
      (await loadPolicies({ ...options, directory: path })).problems.map(({ line, message }) => `${line} ${message}`);
    expect(await messages(directory)).toEqual(['0 holds no policy: there is no file that ends in .yaml']);
    expect(await messages(join(directory, 'none'))).toEqual([
      '0 the directory of policies cannot be read: it does not exist',
    ]);
    expect(await messages(join(directory, 'a.txt'))).toEqual([
      '0 the directory of policies cannot be read: it is not a directory',
    ]);
  });
});

describe('lastgood validate', () => {
  it('prints a line a problem and a summary', async () => {
    const directory = await directoryWith({
      'a.yaml': other('a'),
      'b.yaml': other('b').replace('exposure: 100', 'exposure: 90'),
    });
    const { text, ok } = await validateDirectory(directory, options);
    expect(ok).toBe(false);
    expect(text.replaceAll(directory, 'policies')).toBe(
      'policies/b.yaml:6:17  steps[0].exposure: the last step must be 100, is 90\n2 policies, 1 problem',
    );
  });
  it('prints the summary alone where all is well', async () => {
    const directory = await directoryWith({ 'a.yaml': other('a') });
    expect(await validateDirectory(directory, options)).toMatchObject({ ok: true, text: '1 policy, 0 problems' });
  });
});
