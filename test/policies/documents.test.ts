import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { allKeys } from '../../src/policies/explain.ts';
import { formatProblems, loadPolicies } from '../../src/policies/index.ts';
import { policySchema } from '../../src/policies/schema.ts';
import { targetKinds } from '../../src/targets/index.ts';
import { policyOf, secrets } from './support.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const directory = `${root}policies`;

describe('the example policies', () => {
  it('load without a problem', async () => {
    const { policies, problems } = await loadPolicies({ directory, targets: targetKinds, secrets });
    expect(formatProblems(problems)).toBe('');
    expect(policies.map(({ policy }) => policy.service)).toEqual(
      readdirSync(directory)
        .map((name) => name.replace('.yaml', ''))
        .sort(),
    );
  });

  it('name only secrets that are documented to be needed', () => {
    const text = readdirSync(directory)
      .map((name) => readFileSync(`${directory}/${name}`, 'utf8').replaceAll(/^\s*#.*$/gm, ''))
      .join('');
    const named = new Set([...text.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]));
    expect(named).toEqual(new Set(Object.keys(secrets)));
  });
});

describe('docs/policy.md', () => {
  const text = readFileSync(`${root}docs/policy.md`, 'utf8');
  const rows = new Set([...text.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1]));
  const keys = allKeys(policySchema).map((path) => path.join('.'));

  it('has a row for every key', () => {
    expect(keys.filter((key) => !rows.has(key))).toEqual([]);
  });

  it('has no row for a key that is not there', () => {
    const known = new Set(keys);
    const sections = new Set(keys.map((key) => key.split('.')[0]));
    expect([...rows].filter((row) => row !== undefined && sections.has(row.split('.')[0]) && !known.has(row))).toEqual(
      [],
    );
  });

  it('has an example that is a policy', async () => {
    const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
    expect(examples).toHaveLength(1);
    expect((await policyOf(examples[0] ?? '')).service).toBe('fraud-scorer');
  });
});
