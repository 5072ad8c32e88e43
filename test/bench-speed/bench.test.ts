import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { atLeastTimes, atMost, atMostTimes, fallsShort, percentile, told } from './figures.ts';
import { optionsOf } from './options.ts';
import { markdownOf, number, tableOf } from './print.ts';
import { alternating } from './row.ts';
import { boundOf, buckets } from './world/process.ts';

const program = fileURLToPath(new URL('run.ts', import.meta.url));

test('a percentile is the nearest rank, whatever the order', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentile(hundred, 0.5)).toBe(50);
  expect(percentile(hundred, 0.99)).toBe(99);
  expect(percentile([3], 0.99)).toBe(3);
  expect(percentile([1, 2], 0.99)).toBe(2);
  expect(() => percentile([], 0.5)).toThrow('no values');
});

test('a figure is held against its goal, at the limit it holds, and what is only told never falls short', () => {
  expect(atMostTimes('p50', 'ms', 2, 1, 2).ok).toBe(true);
  expect(atMostTimes('p50', 'ms', 2.01, 1, 2).ok).toBe(false);
  expect(atLeastTimes('rate', '/s', 50, 100, 0.5).ok).toBe(true);
  expect(atLeastTimes('rate', '/s', 49, 100, 0.5).ok).toBe(false);
  expect(atMost('memory', 'MB', 301, 300).ok).toBe(false);
  const good = atMost('memory', 'MB', 300, 300);
  expect(fallsShort({ figures: [good, told('p50', 'ms', 9)], notes: [] })).toBe(false);
  expect(fallsShort({ figures: [good, atMost('time', 's', 11, 10)], notes: [] })).toBe(true);
  expect(fallsShort({ notMeasured: 'it is not here' })).toBe(false);
});

test('ours and the floor take turns, the other way round in every round', async () => {
  const order: string[] = [];
  const note = (who: string) => async (round: number) => void order.push(`${who}${round}`);
  await alternating(3, note('ours'), note('floor'));
  expect(order).toEqual(['floor0', 'ours0', 'ours1', 'floor1', 'floor2', 'ours2']);
});

test('lateness is read from what came into the histogram in between', () => {
  const text = (low: number, all: number) =>
    [
      `late_seconds_bucket{le="0.05",kind="timer"} ${low}`,
      `late_seconds_bucket{le="0.25",kind="timer"} ${all}`,
      `late_seconds_bucket{le="+Inf",kind="timer"} ${all}`,
      'late_seconds_bucket{le="+Inf",kind="card"} 1000',
    ].join('\n');
  const read = (low: number, all: number) => buckets(text(low, all), 'late_seconds', 'kind="timer"');
  expect(boundOf(read(0, 50), read(100, 150), 0.99)).toBe(0.05);
  expect(boundOf(read(0, 0), read(98, 100), 0.99)).toBe(0.25);
  expect(boundOf(read(7, 7), read(7, 7), 0.99)).toBe(null);
});

test('the table names what falls short and what could not be measured', () => {
  const all = [
    {
      row: { name: 'a', title: 'From here to there', floor: 'walking' },
      outcome: { figures: [atMostTimes('p50', 'ms', 300, 100, 2)], notes: ['On foot.'] },
    },
    { row: { name: 'b', title: 'By air', floor: '' }, outcome: { notMeasured: 'there is no wind' } },
  ] as const;
  const table = tableOf(all);
  expect(table).toMatch(/p50 +300 ms +100 ms +3\.00 × +≤ 2 × the floor +falls short/);
  expect(table).toContain('floor: walking');
  expect(table).toContain('not measured: there is no wind');
  expect(markdownOf(all)).toContain(
    '| **From here to there**: p50 | 300 ms | 100 ms | 3.00 × | ≤ 2 × the floor | falls short |',
  );
  expect([number(1234.5), number(12.34), number(1.234)]).toEqual(['1,235', '12.3', '1.23']);
});

test('options that make no sense are refused with what there is', () => {
  expect(optionsOf(['--rows', 'a, b', '--quick'], ['a', 'b'])).toMatchObject({ rows: ['a', 'b'], rounds: 2 });
  expect(optionsOf([], ['a'])).toMatchObject({ rows: null, rounds: 5 });
  expect(() => optionsOf(['--rows', 'c'], ['a', 'b'])).toThrow('There is no row c; there are a, b.');
  expect(() => optionsOf(['--rounds', '0'], [])).toThrow('--rounds');
});

test('one tiny round measures the app beside its floor and writes the numbers down', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lastgood-bench-test-'));
  try {
    const json = join(directory, 'bench.json');
    const args = [program, '--rows', 'webhook', '--quick', '--rounds', '1', '--json', json];
    // On a busy machine it may well fall short: then it ends with 1.
    const code = await promisify(execFile)(process.execPath, args).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
    const written = JSON.parse(await readFile(json, 'utf8')) as {
      rows: { name: string; figures: { name: string; ours: number; floor: number | null; ok: boolean | null }[] }[];
    };
    const [row] = written.rows;
    expect(row?.figures.map(({ name }) => name)).toEqual(['p50', 'p50, in floors (the aim is 1.5)', 'p99']);
    for (const { ours } of row?.figures ?? []) expect(ours).toBeGreaterThan(0);
    expect(code).toBe(row?.figures.some(({ ok }) => ok === false) ? 1 : 0);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
