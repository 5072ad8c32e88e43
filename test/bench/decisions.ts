import { writeFileSync } from 'node:fs';
import { type Options, optionsOf, USAGE } from './options.ts';
import { bench } from './pool.ts';
import { scenarios } from './scenarios.ts';
import { brokenPromises } from './summary.ts';
import { plainPaint, tableOf, terminalPaint } from './table.ts';

/** `npm run bench:decisions`: how often the comparison is wrong and how soon it is right, beside the methods others use. */
async function main(options: Options): Promise<number> {
  const isTerminal = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const showsProgress = process.stderr.isTTY === true;
  const beganAt = performance.now();
  const only = scenarios.filter((s) => s.name.includes(options.only ?? ''));
  if (only.length === 0) throw new Error(`No scenario has "${options.only}" in its name.`);
  const summaries = await bench({
    ...options,
    only,
    progress: (share) => {
      if (showsProgress) process.stderr.write(`\r${Math.floor(share * 100)} %`);
    },
  });
  if (showsProgress) process.stderr.write('\r\u001b[K');
  process.stdout.write(tableOf(summaries, options.seed, isTerminal ? terminalPaint : plainPaint));
  process.stderr.write(`${Math.round((performance.now() - beganAt) / 1000)} s\n`);
  if (options.json !== null) {
    writeFileSync(
      options.json,
      `${JSON.stringify({ seed: options.seed, runs: options.runs, scenarios: summaries }, null, 2)}\n`,
    );
  }
  return brokenPromises(summaries).length === 0 ? 0 : 1;
}

try {
  const options = optionsOf(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else process.exitCode = await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  process.exitCode = 2;
}
