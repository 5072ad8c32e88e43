import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export interface Options {
  readonly seed: number;
  readonly runs: number;
  readonly workers: number;
  readonly json: string | null;
  /** Only scenarios whose name has this in it; null: all. */
  readonly only: string | null;
  readonly form: 'terminal' | 'markdown' | 'readme';
  readonly help: boolean;
}

/** Runs of a full and of a quick bench: six minutes or so, and less than one, on two free cores. */
export const FULL_RUNS = 600;
export const QUICK_RUNS = 60;

export const USAGE = `Simulates two hours of traffic again and again, and prints how often each method rolls back by mistake and how soon it finds
a regression.

  npm run bench:decisions -- [--quick] [--seed N] [--runs N] [--only TEXT] [--workers N] [--json FILE] [--markdown | --readme]

  --quick      ${QUICK_RUNS} runs a scenario instead of ${FULL_RUNS}: under a minute
  --seed N     another set of runs (default 1); the same seed prints the same table
  --runs N     runs a scenario; costly scenarios have a half or a quarter of it
  --workers N  threads (default: the machine's, two at most)
  --only TEXT  only scenarios with this in their names
  --json FILE  writes the numbers there, too
  --markdown   prints the README's table instead
  --readme     puts that table into README.md

Ends with 1 where Lastgood misses a goal: at most 1 % false rollbacks, and no slower than the fastest method with under 5 %.
`;

/** Throws an Error with a message for the reader where the arguments make no sense. */
export function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean' },
      seed: { type: 'string' },
      runs: { type: 'string' },
      workers: { type: 'string' },
      json: { type: 'string' },
      only: { type: 'string' },
      markdown: { type: 'boolean' },
      readme: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  return {
    seed: whole('--seed', values.seed, 0, 2 ** 31 - 1) ?? 1,
    runs: whole('--runs', values.runs, 1, 100_000) ?? (values.quick ? QUICK_RUNS : FULL_RUNS),
    workers: whole('--workers', values.workers, 1, 64) ?? Math.min(2, availableParallelism()),
    json: values.json ?? null,
    only: values.only ?? null,
    form: values.readme ? 'readme' : values.markdown ? 'markdown' : 'terminal',
    help: values.help ?? false,
  };
}

function whole(name: string, text: string | undefined, least: number, most: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`${name} must be a whole number from ${least} to ${most}, is ${text}`);
}
