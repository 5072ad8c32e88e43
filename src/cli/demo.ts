import { letYoungMemoryGrow } from '../young-memory.ts';
import type { CliCommand, ExitCode } from './command.ts';

export const demo: CliCommand = {
  name: 'demo',
  usage:
    '[--scenario NAME] [--headless] [--speed N] [--answer WHAT] [--port N] [--stand-ins] [--once] [--no-story] [--list]',
  summary: 'a degradation and its rollback on this machine, without any account',
  helpsItself: true,
  // Loaded only when asked for: an instance in production never needs it.
  run: async (args, io) => {
    const { runDemo } = await import('../demo/main.ts');
    letYoungMemoryGrow();
    const stop = new AbortController();
    io.stopRequested().then(() => stop.abort(), stop.abort.bind(stop));
    const code = await runDemo(args, {
      print: io.out,
      signal: stop.signal,
      colours: io.colours,
      terminal: terminalOf(process.stdout),
      env: io.env,
    });
    return code as ExitCode;
  },
};

/** What can be drawn over; null: a pipe or a file, where lines follow each other. */
function terminalOf(stream: NodeJS.WriteStream) {
  if (!stream.isTTY) return null;
  return {
    write: (text: string) => void stream.write(text),
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
  };
}
