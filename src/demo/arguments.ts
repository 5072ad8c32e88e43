import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Of the workspace's page; 0: any free one. */
  readonly port: number;
  /** Our stand-ins also where Prometheus and Alertmanager are installed. */
  readonly standIns: boolean;
  /** End by itself when the story has ended. */
  readonly once: boolean;
  /** False: everything runs, nothing plays. */
  readonly story: boolean;
  readonly help: boolean;
}

/** What was typed is not understood; the message says what would be. */
export class DemoUsageError extends Error {
  override readonly name = 'DemoUsageError';
}

export const demoUsage: readonly string[] = [
  'Usage: demo [--port PORT] [--stand-ins] [--no-story] [--once]',
  '  --port PORT   of the page to open (any free one)',
  '  --stand-ins   use the built-in stand-ins even where prometheus and alertmanager are installed',
  '  --no-story    start everything and play nothing: you are the operator',
  '  --once        end when the story has ended: exit code 0 if it was rolled back, else 1',
];

/** @throws {DemoUsageError} */
export function parseDemoArguments(argv: readonly string[]): DemoOptions {
  let values: ReturnType<typeof read>;
  try {
    values = read(argv);
  } catch (error) {
    throw new DemoUsageError(error instanceof Error ? error.message : String(error));
  }
  const { port = '0', once = false, help = false } = values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new DemoUsageError(`--port must be a number from 0 to 65535, is ${JSON.stringify(port)}`);
  }
  if (once && values['no-story'])
    throw new DemoUsageError('--once waits for the end of the story: leave out --no-story');
  return { port: Number(port), standIns: values['stand-ins'] ?? false, once, story: !values['no-story'], help };
}

function read(argv: readonly string[]) {
  const boolean = { type: 'boolean' } as const;
  const options = {
    port: { type: 'string' },
    'stand-ins': boolean,
    once: boolean,
    'no-story': boolean,
    help: { type: 'boolean', short: 'h' },
  } as const;
  return parseArgs({ args: [...argv], options, strict: true }).values;
}
