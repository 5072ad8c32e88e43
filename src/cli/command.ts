import { parseArgs } from 'node:util';
import type { Environment } from '../config.ts';

/** What a command sees of the world outside. */
export interface Io {
  readonly env: Environment;
  /** One line for who asked. */
  out(line: string): void;
  /** One line about what is wrong. */
  err(line: string): void;
  /** Standard output is a terminal that shows colours. */
  readonly colours: boolean;
  /** Resolves with the signal's name when the process is asked to stop. */
  stopRequested(): Promise<string>;
}

/** 0: done. 1: could not, or found problems. 2: asked in a way that is not understood. */
export type ExitCode = 0 | 1 | 2;

export interface CliCommand {
  readonly name: string;
  /** Behind the name: `SERVICE [--resolve]`. */
  readonly usage: string;
  readonly summary: string;
  /** It has more to say to `--help` than its usage line, and says it itself. */
  readonly helpsItself?: boolean;
  run(args: readonly string[], io: Io): Promise<ExitCode>;
}

/** What was typed is not understood; the message says what would be. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Options = Readonly<Record<string, { type: 'string' | 'boolean' }>>;
type Values<O extends Options> = { readonly [K in keyof O]?: O[K]['type'] extends 'string' ? string : boolean };

/**
 * Options and exactly the positionals named.
 * @throws {UsageError} for anything else.
 */
export function parse<O extends Options>(
  args: readonly string[],
  options: O,
  positionals: readonly string[],
): { values: Values<O>; positionals: readonly string[] } {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const missing = positionals.slice(parsed.positionals.length);
  if (missing.length > 0) throw new UsageError(`${missing.join(' and ')} is missing.`);
  const tooMany = parsed.positionals.slice(positionals.length);
  if (tooMany.length > 0) throw new UsageError(`There is nothing to do with ${tooMany.join(' ')}.`);
  return { values: parsed.values as Values<O>, positionals: parsed.positionals };
}
