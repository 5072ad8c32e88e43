import { readFileSync, writeFileSync } from 'node:fs';
import { costs, costText } from './cost.ts';
import { goalsOf } from './goals.ts';
import { intoReadme, markdownOf } from './markdown.ts';
import { type Options, optionsOf, USAGE } from './options.ts';
import { bench } from './pool.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import type { ScenarioSummary } from './summary.ts';
import { plainPaint, tableOf, terminalPaint } from './table.ts';

const README = new URL('../../README.md', import.meta.url);
/** How often each of twenty arriving windows is looked at to see what it costs. */
const COST_ROUNDS = 10;

/** `npm run bench:decisions`: how often the comparison is wrong and how soon it is right, beside the methods others use. */
async function main(options: Options): Promise<number> {
  const showsProgress = process.stderr.isTTY === true;
  const beganAt = performance.now();
  const summaries = await bench({
    ...options,
    only: scenariosWith(options.only),
    progress: (share) => {
      if (showsProgress) process.stderr.write(`\r${Math.floor(share * 100)} %`);
    },
  });
  if (showsProgress) process.stderr.write('\r\u001b[K');
  if (options.json !== null) writeJson(options.json, options, summaries);
  show(options, summaries);
  process.stderr.write(`${Math.round((performance.now() - beganAt) / 1000)} s\n`);
  return goalsOf(summaries).reached ? 0 : 1;
}

function show(options: Options, summaries: readonly ScenarioSummary[]): void {
  if (options.form === 'markdown') {
    process.stdout.write(markdownOf(summaries, options));
    return;
  }
  const isTerminal = process.stdout.isTTY === true && !process.env.NO_COLOR;
  process.stdout.write(tableOf(summaries, options.seed, isTerminal ? terminalPaint : plainPaint));
  if (options.form === 'readme') {
    writeFileSync(README, intoReadme(readFileSync(README, 'utf8'), markdownOf(summaries, options)));
  }
  process.stdout.write(costText(costs(COST_ROUNDS)));
}

function scenariosWith(text: string | null): readonly Scenario[] {
  const only = scenarios.filter((s) => s.name.includes(text ?? ''));
  if (only.length === 0) throw new Error(`No scenario has "${text}" in its name`);
  return only;
}

function writeJson(file: string, { seed, runs }: Options, summaries: readonly ScenarioSummary[]): void {
  writeFileSync(file, `${JSON.stringify({ seed, runs, scenarios: summaries }, null, 2)}\n`);
}

try {
  const options = optionsOf(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else process.exitCode = await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  process.exitCode = 2;
}
