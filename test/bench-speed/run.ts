import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fallsShort, type Outcome } from './figures.ts';
import { optionsOf, usage } from './options.ts';
import { markdownOf, type Told, tableOf } from './print.ts';
import type { Row, Run } from './row.ts';
import { rows } from './rows/index.ts';

const out = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const names = rows.map(({ name }) => name);
  const options = optionsOf(process.argv.slice(2), names);
  if (options.help) {
    out(usage(names));
    return 0;
  }
  const asked = rows.filter(({ name }) => options.rows === null || options.rows.includes(name));
  const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'processor'}, Node ${process.versions.node}`;
  const loadBefore = loadavg()[0] ?? 0;
  const all: Told[] = [];
  for (const row of asked) {
    process.stderr.write(`${row.title}\n`);
    const { rounds, quick } = options;
    all.push({ row, outcome: await measured(row, { rounds, quick, say: (l) => process.stderr.write(`  ${l}\n`) }) });
  }
  const under = `${machine}; ${options.rounds} rounds${options.quick ? ', quick' : ''}; load before ${loadBefore.toFixed(1)}, after ${(loadavg()[0] ?? 0).toFixed(1)}.`;
  out(`\n${options.markdown ? markdownOf(all) : tableOf(all)}\n\n${under}`);
  if (options.json !== null) {
    const rowsTold = all.map(({ row: { name, title, floor }, outcome }) => ({ name, title, floor, ...outcome }));
    await writeFile(options.json, `${JSON.stringify({ machine, options, rows: rowsTold }, null, 2)}\n`);
  }
  return all.some(({ outcome }) => fallsShort(outcome)) ? 1 : 0;
}

/** A row that breaks must not take the others' numbers with it, and is no pass. */
async function measured(row: Row, run: Run): Promise<Outcome> {
  try {
    return await row.measure(run);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    const failed = { name: `it broke: ${why}`, unit: '', ours: 0, floor: null, goal: 'runs', ok: false } as const;
    return { figures: [failed], notes: [] };
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
