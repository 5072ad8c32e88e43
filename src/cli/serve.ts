import { flushCompileCache } from 'node:module';
import { createApp, StartProblems } from '../app.ts';
import { ConfigError, loadConfig } from '../config.ts';
import { letYoungMemoryGrow } from '../young-memory.ts';
import { type CliCommand, type ExitCode, type Io, parse } from './command.ts';

export const serve: CliCommand = {
  name: 'serve',
  usage: '',
  summary: 'run an instance, configured by the environment, until SIGTERM or SIGINT',
  run: async (args, io) => {
    parse(args, {}, []);
    try {
      return await runInstance(io);
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof StartProblems)) throw error;
      io.err('Lastgood cannot start:');
      for (const problem of error.problems) io.err(`  - ${problem}`);
      io.err('lastgood help lists the variables; docs/operations.md says more.');
      return 1;
    }
  },
};

async function runInstance(io: Io): Promise<ExitCode> {
  const config = loadConfig(io.env);
  // Asked for before anything runs: a stop in the middle of the start is a stop all the same.
  const stop = io.stopRequested();
  const app = await createApp(config);
  try {
    await app.start();
    letYoungMemoryGrow();
    // Node would write it only at an end in order: after a kill the next start would take longer, and 28 MB more.
    flushCompileCache();
    app.log.info({ signal: await stop }, 'stopping');
  } finally {
    await app.stop();
  }
  app.log.info('stopped');
  return 0;
}
