import { parseArgs } from 'node:util';

export interface Options {
  /** Null: all. */
  readonly rows: readonly string[] | null;
  readonly rounds: number;
  readonly quick: boolean;
  readonly json: string | null;
  readonly markdown: boolean;
  readonly help: boolean;
}

export const ROUNDS = 5;
export const QUICK_ROUNDS = 2;

export function usage(names: readonly string[]): string {
  return `Measures how fast Lastgood is, each figure beside the least that could do the same, in turn in the same run.

  npm run bench -- [--rows A,B] [--rounds N] [--quick] [--json FILE] [--markdown]

  --rows A,B   only these of ${names.join(', ')}
  --rounds N   rounds of ours and the floor in turn (default ${ROUNDS})
  --quick      ${QUICK_ROUNDS} rounds of little: whether it runs, not what is to be told
  --json FILE  writes the numbers there, too
  --markdown   prints the tables of docs/performance.md

Ends with 1 where a figure falls short of its goal, with 2 where the bench itself failed.
`;
}

/** Throws an Error with a message for the reader where the arguments make no sense. */
export function optionsOf(args: readonly string[], names: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean' },
      json: { type: 'string' },
      markdown: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const rows = values.rows?.split(',').map((name) => name.trim()) ?? null;
  const unknown = rows?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`There is no row ${unknown.join(', ')}; there are ${names.join(', ')}.`);
  if (values.rounds !== undefined && !/^[1-9]\d{0,2}$/.test(values.rounds))
    throw new Error(`--rounds must be a whole number from 1 to 999, is ${values.rounds}.`);
  return {
    rows,
    rounds: Number(values.rounds ?? (values.quick ? QUICK_ROUNDS : ROUNDS)),
    quick: values.quick ?? false,
    json: values.json ?? null,
    markdown: values.markdown ?? false,
    help: values.help ?? false,
  };
}
