import { Problem } from './record/problem.ts';
import { record } from './record/record.ts';

/** Makes the README's pictures and the short animation from the real page: see record/record.ts. */
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());

try {
  await record(process.argv.slice(2), print, stopping.signal);
} catch (error) {
  process.stderr.write(`${error instanceof Problem ? error.message : error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 1;
}
