import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { allKeys } from '../../src/policies/explain.ts';
import { formatProblems, loadPolicies } from '../../src/policies/index.ts';
import { policySchema } from '../../src/policies/schema.ts';
import { targetKinds } from '../../src/targets/index.ts';
import { policyOf, policyText, secrets } from './support.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const directory = `${root}policies`;
const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .sort();

describe('the example policies', () => {
  it('load without a problem', async () => {
    const { policies, problems } = await loadPolicies({ directory, targets: targetKinds, secrets });
    expect(formatProblems(problems)).toBe('');
    expect(policies.map(({ policy }) => policy.service).sort()).toEqual(
      files
        .filter((name) => !name.includes('/'))
        .map((name) => name.replace('.yaml', ''))
        .sort(),
    );
  });

  it('show staging before production with a shared template, and a blue/green service', async () => {
    const { policies } = await loadPolicies({ directory, targets: targetKinds, secrets });
    const found = new Map(policies.map(({ policy }) => [policy.service, policy]));
    const [production, staging] = [found.get('fraud-scorer'), found.get('fraud-scorer-staging')];
    expect(production?.requires).toEqual({ service: 'fraud-scorer-staging' });
    expect(production?.metrics.map(({ name }) => name)).toEqual(['errors', 'latency', 'approvals']);
    expect(staging?.metrics).toEqual(production?.metrics);
    expect([production?.comparison.warmUpMs, staging?.comparison.warmUpMs]).toEqual([120_000, 60_000]);
    expect(production?.silence).toEqual({ forMs: 30 * 60_000 });
    expect(found.get('recommender')?.objective).toBe('better');
    const blueGreen = found.get('embeddings');
    expect(blueGreen?.strategy).toEqual({
      kind: 'blue-green',
      warmUp: { soakMs: 2 * 60_000, maxSoakMs: 20 * 60_000 },
      keepMs: 6 * 3_600_000,
    });
    expect([blueGreen?.steps, blueGreen?.rollback.phases]).toMatchObject([
      [{ exposurePercent: 100 }],
      [{ exposurePercent: 0 }],
    ]);
  });

  it('name only secrets that are documented to be needed', () => {
    const text = files
      .map((name) => readFileSync(`${directory}/${name}`, 'utf8').replaceAll(/^\s*#.*$/gm, ''))
      .join('');
    const named = new Set([...text.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]));
    expect(named).toEqual(new Set(Object.keys(secrets)));
  });
});

describe('docs/policy.md', () => {
  const text = readFileSync(`${root}docs/policy.md`, 'utf8');
  // A row may be of several keys: `a`, `b`.
  const cells = [...text.matchAll(/^\| ((?:`[^`]+`(?:, )?)+)/gm)].map((match) => match[1] ?? '');
  const rows = new Set(cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1])));
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

  it('has examples that are policies, or parts of one', async () => {
    const [whole = '', ...parts] = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
    expect((await policyOf(whole)).service).toBe('fraud-scorer');
    expect(parts.length).toBeGreaterThan(0);
    for (const part of parts) expect((await policyOf(policyText(part))).service).toBe('fraud-scorer');
  });
});
