import { describe, expect, it } from 'vitest';
import { haproxyPath, haproxySkipped } from '../support/haproxy.ts';
import { hasPostgres, withoutPostgres } from '../support/postgres.ts';
import { complaints } from './judge.ts';
import { readOptions, type StoreKind } from './options.ts';
import { runChaos } from './run.ts';

/** `npm run chaos` does it 200 times a store. */
const KILLS = 4;
/** A busy machine is no broken promise. */
const LATEST_WHILE_READY_MS = 60_000;

async function kill(store: StoreKind): Promise<void> {
  const verdict = await runChaos({ store, kills: KILLS, seed: 3, tell: () => undefined });
  expect(complaints(verdict, LATEST_WHILE_READY_MS)).toEqual([]);
  expect(verdict).toMatchObject({ kills: KILLS, alertsLost: [], duplicates: [] });
  expect(verdict.alertsAcknowledged).toBeGreaterThan(0);
  expect(verdict.rollbacks).toBeGreaterThan(0);
}

describe(`killed at random instants while it rolls back, nothing is lost and nothing done twice${haproxySkipped}`, () => {
  it.skipIf(haproxyPath === null)('over SQLite', { timeout: 600_000 }, () => kill('sqlite'));

  const over = it.skipIf(haproxyPath === null || !hasPostgres);
  over(`over PostgreSQL${withoutPostgres}`, { timeout: 600_000 }, () => kill('postgres'));
});

describe('the options', () => {
  it('are 200 kills over both stores unless said otherwise', () => {
    expect(readOptions([])).toEqual({ kills: 200, stores: ['sqlite', 'postgres'], seed: 1 });
    expect(readOptions(['--kills', '7', '--store', 'sqlite', '--seed', '4'])).toEqual({
      kills: 7,
      stores: ['sqlite'],
      seed: 4,
    });
  });

  it.each([[['--kills', '0']], [['--kills', 'many']], [['--store', 'mysql']], [['--seed', '-1']], [['--what']]])(
    'refuse %j',
    (args) => {
      expect(() => readOptions(args)).toThrow();
    },
  );
});
