import { type Options, optionsOf, USAGE } from './options.ts';
import { runAll } from './pool.ts';
import { failureOf, Tally } from './report.ts';
import { simulate } from './run.ts';

const print = (text: string) => process.stdout.write(`${text}\n`);
/** As many failures are told in full. */
const TOLD = 3;

/** `npm run simulate` */
async function main(options: Options): Promise<number> {
  const beganAt = performance.now();
  const tally = new Tally();
  const seconds = () => (performance.now() - beganAt) / 1000;
  if (options.seed !== null) {
    const result = await simulate(options.seed, { tell: print });
    tally.add(result);
    print(`\nSeed ${options.seed}. ${tally.text(seconds())}`);
    for (const broken of result.broken) print(`BROKEN: ${broken}`);
    return tally.failed.length;
  }
  print(`Seeds from ${options.from}${options.to === null ? '' : ` to ${options.to}`}, ${options.workers} workers.`);
  let next = options.from;
  await runAll({
    workers: options.workers,
    next() {
      const isOver = options.seconds !== null && seconds() > options.seconds;
      if (isOver || (options.to !== null && next > options.to)) return null;
      next += 1;
      return next - 1;
    },
    done(result) {
      tally.add(result);
      if (result.broken.length > 0) print(`Seed ${result.seed}: ${result.broken[0]}`);
    },
  });
  print(`\nSeeds ${options.from}..${next - 1}. ${tally.text(seconds())}`);
  for (const failed of tally.failed.slice(0, TOLD)) print(failureOf(failed));
  if (tally.failed.length > 0) print(`Broke a rule: ${tally.failed.map(({ seed }) => seed).join(', ')}`);
  return tally.failed.length > 0 ? 1 : 0;
}

try {
  const options = optionsOf(process.argv.slice(2), process.env.SEED, Date.now());
  if (options.help) process.stdout.write(USAGE);
  else process.exitCode = await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  process.exitCode = 2;
}
