import { loadPolicySecrets } from '../config.ts';
import { validateDirectory } from '../policies/index.ts';
import { targetSchemas } from '../targets/index.ts';
import { type CliCommand, parse } from './command.ts';

const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
const yellow = (text: string) => `\u001b[33m${text}\u001b[39m`;
const green = (text: string) => `\u001b[32m${text}\u001b[39m`;

export const validate: CliCommand = {
  name: 'validate',
  usage: 'DIR [--strict]',
  summary:
    'check every policy of a directory: all problems with file, line and column, and what could not be noticed (--strict: fails on it)',
  run: async (args, io) => {
    const { positionals, values } = parse(args, { strict: { type: 'boolean' } } as const, ['DIR']);
    const secrets = loadPolicySecrets(io.env);
    const { lines, warnings, ok } = await validateDirectory(positionals[0] ?? '.', { targets: targetSchemas, secrets });
    const passed = ok && !(values.strict && warnings.length > 0);
    const colourOf = { problem: (text: string) => text, warning: yellow, summary: passed ? green : red };
    for (const { level, text } of lines) io.out(io.colours ? colourOf[level](text) : text);
    return passed ? 0 : 1;
  },
};
