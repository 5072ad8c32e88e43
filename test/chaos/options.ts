import { parseArgs } from 'node:util';

export type StoreKind = 'sqlite' | 'postgres';

export interface ChaosOptions {
  /** A store. */
  readonly kills: number;
  readonly stores: readonly StoreKind[];
  readonly seed: number;
}

export const usage = `npm run chaos -- [--kills N] [--store sqlite|postgres|both] [--seed N]

The whole app as a process of its own, killed with -9 at random instants while it rolls back against a real HAProxy and the strict
local Slack. --kills: a store, 200 unless said otherwise. --seed: the same instants after each start, 1 unless said otherwise.`;

/** @throws with what is wrong. */
export function readOptions(args: readonly string[]): ChaosOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '200' },
      store: { type: 'string', default: 'both' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    kills: wholeNumber('--kills', values.kills),
    stores: stores(values.store),
    seed: wholeNumber('--seed', values.seed),
  };
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`${name} takes a whole number from 1 to 999999, not ${text}.`);
  return Number(text);
}

function stores(text: string): readonly StoreKind[] {
  if (text === 'both') return ['sqlite', 'postgres'];
  if (text === 'sqlite' || text === 'postgres') return [text];
  throw new Error(`--store is sqlite, postgres or both, not ${text}.`);
}
