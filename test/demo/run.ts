import { runDemo } from '../../src/demo/main.ts';

/** The demo as a process of its own, as the command line runs it. */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
process.exitCode = await runDemo(process.argv.slice(2), {
  print: (line) => void process.stdout.write(`${line}\n`),
  signal: stop.signal,
  env: process.env,
});
