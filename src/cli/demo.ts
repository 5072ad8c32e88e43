import type { CliCommand, ExitCode } from './command.ts';

export const demo: CliCommand = {
  name: 'demo',
  usage: '[--port N] [--stand-ins] [--once] [--no-story]',
  summary: 'a degradation and its rollback on this machine, without any account',
  // Loaded only when asked for: an instance in production never needs it.
  run: async (args, io) => {
    const { runDemo } = await import('../demo/main.ts');
    const stop = new AbortController();
    io.stopRequested().then(() => stop.abort(), stop.abort.bind(stop));
    const code = await runDemo(args, { print: io.out, signal: stop.signal, colours: io.colours, env: io.env });
    return code as ExitCode;
  },
};
