import type { Io } from './cli/command.ts';
import { runCli } from './cli/run.ts';
import { limitMemory } from './young-memory.ts';

/** How long what is still open after a command's end may hold the process up. */
const lingerMs = 5_000;

limitMemory();

const io: Io = {
  env: process.env,
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  colours: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  stopRequested: () =>
    new Promise((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.once(signal, () => {
          // A second one of the same kind is Node's own: it ends the process at once.
          resolve(signal);
        });
      }
    }),
};

// Whoever reads us has seen enough: `lastgood demo | head`.
process.stdout.on('error', (error) => {
  if ('code' in error && error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  process.exitCode = await runCli(process.argv.slice(2), io);
} catch (error) {
  io.err(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}
setTimeout(() => process.exit(), lingerMs).unref();
