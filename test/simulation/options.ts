import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export interface Options {
  /** This one alone, told line by line; null: many. */
  readonly seed: number | null;
  readonly from: number;
  /** The last one; null: until the time is up. */
  readonly to: number | null;
  /** No run begins after this much real time; null: `to` says when. */
  readonly seconds: number | null;
  readonly workers: number;
  readonly help: boolean;
}

export const USAGE = `Simulates days of Lastgood in seconds, with everything going wrong that can, and checks product.md's rules after every step.

  npm run simulate -- [--seconds N] [--seeds A..B] [--workers N]
  SEED=N npm run simulate        repeats one run and tells what happens

  --seconds N     begins runs for so long (default 60, unless --seeds says which)
  --seeds A..B    exactly these; A.. begins there (default: begins at a seed taken from the clock)
  --workers N     threads (default: as many as there are cores)

Ends with 1 where a rule was broken; the seed repeats it.
`;

const DEFAULT_SECONDS = 60;
const MOST_SEED = 2 ** 31 - 1;

/** Throws an Error with a message for the reader where the arguments make no sense. */
export function optionsOf(args: readonly string[], seed: string | undefined, nowMs: number): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string' },
      seeds: { type: 'string' },
      workers: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const seeds = values.seeds === undefined ? null : rangeOf(values.seeds);
  const seconds = whole('--seconds', values.seconds, 1, 1_000_000);
  return {
    seed: whole('SEED', seed, 0, MOST_SEED),
    from: seeds?.from ?? nowMs % 1_000_000_000,
    to: seeds?.to ?? null,
    seconds: seconds ?? (seeds?.to == null ? DEFAULT_SECONDS : null),
    workers: whole('--workers', values.workers, 1, 64) ?? availableParallelism(),
    help: values.help ?? false,
  };
}

function rangeOf(text: string): { from: number; to: number | null } {
  const [, from, to] = /^(\d+)\.\.(\d*)$/.exec(text) ?? [];
  if (from === undefined) throw new Error(`--seeds must be A..B or A.., is ${text}`);
  const range = { from: whole('--seeds', from, 0, MOST_SEED) ?? 0, to: to ? whole('--seeds', to, 0, MOST_SEED) : null };
  if (range.to !== null && range.to < range.from) throw new Error(`--seeds must go up, is ${text}`);
  return range;
}

function whole(name: string, text: string | undefined, least: number, most: number): number | null {
  if (text === undefined || text === '') return null;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`${name} must be a whole number from ${least} to ${most}, is ${text}`);
}
