import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { allKeys } from '../../src/policies/explain.ts';
import { formatProblems, loadPolicies, parsePolicy } from '../../src/policies/index.ts';
import { lintPolicy } from '../../src/policies/lint.ts';
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

  it('show every kind of metric, of gate and of baseline', async () => {
    const { policies } = await loadPolicies({ directory, targets: targetKinds, secrets });
    const found = new Map(policies.map(({ policy }) => [policy.service, policy]));
    const metrics = policies.flatMap(({ policy }) => policy.metrics);
    expect(new Set(metrics.map(({ source }) => source.kind))).toEqual(
      new Set([
        ...['proportion', 'labelled', 'rate', 'latency', 'gauge'],
        ...['drift', 'drift-score', 'limit', 'objective', 'split'],
      ]),
    );
    const measures = found.get('card-fraud')?.metrics.map(({ source }) => source.kind === 'labelled' && source.measure);
    expect(measures).toEqual(['recall', 'precision', 'f1', 'accuracy']);
    expect(found.get('card-fraud')?.metrics.every(({ labelDelayMs }) => labelDelayMs === 3_600_000)).toBe(true);
    expect(new Set(metrics.flatMap(({ baseline }) => baseline?.kind ?? []))).toEqual(new Set(['fixed', 'offset']));
    expect(found.get('pricing')?.metrics.every(({ arms }) => arms === 'one')).toBe(true);
    expect(found.get('demand-forecast')?.metrics[0]?.tolerance.fromHistory).toBe(true);
    expect(found.get('spam-filter')?.steps[0]).toMatchObject({ exposurePercent: 0, gate: { kind: 'shadow' } });
    const gates = found.get('search-ranking')?.steps.map(({ exposurePercent, gate }) => [exposurePercent, gate?.kind]);
    expect(gates).toEqual([
      [5, 'comparison'],
      [30, 'ab'],
      [100, undefined],
    ]);
    expect(found.get('search-ranking')?.steps[1]?.gate?.objective).toBe('better');
  });

  it('can notice in their soaks what they are there for', async () => {
    const told: string[] = [];
    for (const name of files.filter((file) => !file.includes('/'))) {
      const file = `${directory}/${name}`;
      const { policy, written } = await parsePolicy(readFileSync(file, 'utf8'), file, {
        targets: targetKinds,
        secrets,
      });
      if (policy === null || written === null) throw new Error(`${name} has problems`);
      told.push(...lintPolicy(policy.policy, written).map(({ message }) => `${name}: ${message}`));
    }
    // That one series cannot tell whose fault it is, is what two of them are about.
    expect(told.filter((line) => !line.includes('has one series for the whole service'))).toEqual([]);
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

  it('names examples that are there', () => {
    const named = [...text.matchAll(/`((?:templates\/)?[a-z-]+\.yaml)`/g)].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((name) => !files.includes(name))).toEqual([]);
    expect(files.filter((name) => !name.includes('/') && !named.includes(name))).toEqual(['fraud-scorer-haproxy.yaml']);
  });

  it('has examples that are policies, or parts of one', async () => {
    const [whole = '', ...parts] = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
    expect((await policyOf(whole)).service).toBe('fraud-scorer');
    expect(parts.length).toBeGreaterThan(0);
    for (const part of parts) expect((await policyOf(policyText(part))).service).toBe('fraud-scorer');
  });
});
